"""What is done to a recording before the student hears it; the teacher hears it clean.

Everything keeps the length, so frames of student and teacher stand for the same time.
"""

import io
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr
from scipy.signal import fftconvolve

from .audio import RATE


@dataclass(frozen=True)
class Augmentation:
    """Probabilities and ranges; 0 switches a part off."""

    gain: float = 0.5
    gain_decibels: tuple[float, float] = (-30.0, 6.0)
    noise: float = 0.3
    noise_snr: tuple[float, float] = (5.0, 25.0)
    reverb: float = 0.15
    reverb_t60: tuple[float, float] = (0.15, 0.7)
    telephone: float = 0.05
    codec: float = 0.05
    # SpecAugment (Park et al. 2019) on the features.
    frequency_masks: int = 2
    frequency_width: int = 12
    time_masks_per_second: float = 0.25
    time_width: int = 20

    def apply(self, samples: np.ndarray, others: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """`others`: speech of other utterances, for babble. float32 of the same length."""
        if rng.random() < self.reverb:
            samples = reverberate(samples, rng.uniform(*self.reverb_t60), rng)
        if rng.random() < self.noise:
            samples = add_noise(samples, rng.uniform(*self.noise_snr), others, rng)
        if rng.random() < self.telephone:
            samples = telephone(samples)
        if rng.random() < self.codec:
            samples = mp3(samples, rng.uniform(0.5, 0.99))
        if rng.random() < self.gain:
            samples = np.clip(samples * 10 ** (rng.uniform(*self.gain_decibels) / 20), -1, 1)
        return samples.astype(np.float32)

    def mask(self, features: np.ndarray, rng: np.random.Generator) -> None:
        """Bands and stretches of normalised mel frames [t, mels] set to their mean, 0, in place."""
        t, mels = features.shape
        for _ in range(self.frequency_masks):
            width = rng.integers(0, self.frequency_width + 1)
            start = rng.integers(0, mels - width + 1)
            features[:, start : start + width] = 0
        for _ in range(round(self.time_masks_per_second * t / 100)):
            width = min(rng.integers(0, self.time_width + 1), t)
            start = rng.integers(0, t - width + 1)
            features[start : start + width] = 0


def speed(samples: np.ndarray, factor: float) -> np.ndarray:
    """Faster and higher by `factor`, as a tape."""
    return samples if factor == 1 else soxr.resample(samples, RATE * factor, RATE, quality="MQ")


def power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples))) + 1e-12


def reverberate(samples: np.ndarray, t60: float, rng: np.random.Generator) -> np.ndarray:
    """A synthetic room: the direct sound, then noise that falls by 60 dB in `t60` seconds."""
    time = np.arange(int(t60 * RATE)) / RATE
    response = rng.normal(size=len(time)) * np.exp(-6.9 * time / t60)
    response[: int(0.002 * RATE)] = 0
    ratio = 10 ** (rng.uniform(-3, 9) / 10)  # direct to reverberant
    response /= np.sqrt(np.sum(np.square(response)) * ratio + 1e-12)
    response[0] = 1
    wet = fftconvolve(samples, response.astype(np.float32))[: len(samples)]
    return wet * np.sqrt(power(samples) / power(wet))


def add_noise(samples: np.ndarray, snr: float, others: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """White, pink or brown noise, or babble of other voices, `snr` dB below the speech."""
    kind = rng.integers(0, 4)
    if kind == 3 and others:
        noise = np.zeros(len(samples), np.float32)
        for other in others:
            noise += np.roll(np.resize(other, len(samples)), rng.integers(len(samples))) / np.sqrt(power(other))
    else:
        spectrum = np.fft.rfft(rng.normal(size=len(samples)))
        spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** (0.5 * min(kind, 2))
        noise = np.fft.irfft(spectrum, len(samples))
    return samples + noise * np.sqrt(power(samples) / power(noise) / 10 ** (snr / 10))


def telephone(samples: np.ndarray) -> np.ndarray:
    """8 kHz, µ-law (G.711)."""
    narrow = np.clip(soxr.resample(samples, RATE, 8000, quality="MQ"), -1, 1)
    coded = np.rint(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
    narrow = np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255
    wide = soxr.resample(narrow.astype(np.float32), 8000, RATE, quality="MQ")
    return np.resize(wide, len(samples)) if len(wide) >= len(samples) else np.pad(wide, (0, len(samples) - len(wide)))


def mp3(samples: np.ndarray, compression: float) -> np.ndarray:
    """Through MP3, by libsndfile; `compression` from 0 to 1. The coder's delay is taken off."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=compression)
    file.seek(0)
    heard = soundfile.read(file, dtype="float32")[0]
    return heard[: len(samples)] if len(heard) >= len(samples) else np.pad(heard, (0, len(samples) - len(heard)))
