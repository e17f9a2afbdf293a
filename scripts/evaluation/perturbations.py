"""Speech as it arrives in a worse world: each condition makes one file of another, the same with the same seed.

Noise, room and clipping are made with numpy; codecs, telephone and speed by ffmpeg. What a codec makes stays in
its container, so that Starling decodes it itself.
"""

import hashlib
import subprocess
import wave
from pathlib import Path

import numpy as np

from . import EvaluationError

RATE = 16_000


class PerturbationError(EvaluationError):
    """Why audio could not be changed."""


def names() -> list[str]:
    return list(CONDITIONS)


def make(condition: str, audio: Path, target: Path, seed: str) -> Path:
    """Writes `audio` under the condition to `target` with a suffix of its own, and returns that path."""
    number = int.from_bytes(hashlib.sha256(f"{condition} {seed}".encode()).digest()[:8], "little")
    function, *arguments = CONDITIONS[condition]
    return function(audio, target, np.random.default_rng(number), *arguments)


def cut(audio: Path, segment: tuple[float, float], target: Path) -> Path:
    ffmpeg("-ss", str(segment[0]), "-to", str(segment[1]), "-i", audio, "-ar", str(RATE), "-ac", "1", target)
    return target


def ffmpeg(*arguments: str | Path) -> bytes:
    try:
        run = subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)], capture_output=True)
    except FileNotFoundError as error:
        raise PerturbationError("ffmpeg is missing; install it (apt install ffmpeg)") from error
    if run.returncode:
        raise PerturbationError(f"ffmpeg: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout


def samples(audio: Path) -> np.ndarray:
    """Mono at 16 kHz, -1…1."""
    return np.frombuffer(ffmpeg("-i", audio, "-ar", str(RATE), "-ac", "1", "-f", "f32le", "-"), dtype="<f4").astype(np.float64)


def write(signal: np.ndarray, target: Path) -> Path:
    """A WAV of 16 bits. What is too loud is clipped."""
    target = target.with_name(target.name + ".wav")
    with wave.open(str(target), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes((np.clip(signal, -1, 1) * 32767).round().astype("<i2").tobytes())
    return target


def power(signal: np.ndarray) -> float:
    return float(np.mean(signal**2))


def noise(audio: Path, target: Path, random: np.random.Generator, kind: str, decibels: float) -> Path:
    """Noise at a ratio of the powers of the whole speech and the whole noise."""
    speech = samples(audio)
    sound = random.standard_normal(len(speech))
    if kind == "pink":
        # Power falls as 1/f above 20 Hz.
        spectrum = np.fft.rfft(sound)
        spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE), 20))
        sound = np.fft.irfft(spectrum, len(sound))
    sound *= np.sqrt(power(speech) / max(power(sound), 1e-20) / 10 ** (decibels / 10))
    mixed = speech + sound
    # Together no louder than full scale, or clipping would add to the noise.
    return write(mixed / max(1.0, np.abs(mixed).max()), target)


def room(audio: Path, target: Path, random: np.random.Generator, seconds: float) -> Path:
    """A room with the reverberation time T60 `seconds`: the direct sound, then decaying noise of as much energy."""
    speech = samples(audio)
    time = np.arange(int(seconds * RATE)) / RATE
    tail = random.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    tail[: int(0.0025 * RATE)] = 0
    response = tail / np.sqrt((tail**2).sum())
    response[0] = 1
    length = len(speech) + len(response) - 1
    heard = np.fft.irfft(np.fft.rfft(speech, length) * np.fft.rfft(response, length), length)
    heard *= np.sqrt(power(speech) / max(power(heard), 1e-20))
    return write(heard / max(1.0, np.abs(heard).max()), target)


def telephone(audio: Path, target: Path, random: np.random.Generator) -> Path:
    """300 to 3,400 Hz, 8 kHz, mu-law (G.711)."""
    target = target.with_name(target.name + ".wav")
    ffmpeg("-i", audio, "-af", "highpass=f=300,lowpass=f=3400", "-ar", "8000", "-ac", "1", "-c:a", "pcm_mulaw", target)
    return target


def codec(audio: Path, target: Path, random: np.random.Generator, name: str, kilobits: int) -> Path:
    target = target.with_name(f"{target.name}.{'opus' if name == 'libopus' else 'mp3'}")
    ffmpeg("-i", audio, "-ar", str(RATE), "-ac", "1", "-c:a", name, "-b:a", f"{kilobits}k", target)
    return target


def speed(audio: Path, target: Path, random: np.random.Generator, factor: float) -> Path:
    """Played faster or slower, pitch and all (Ko et al. 2015)."""
    target = target.with_name(target.name + ".wav")
    ffmpeg("-i", audio, "-af", f"aresample={RATE},asetrate={round(RATE * factor)},aresample={RATE}", "-ac", "1", target)
    return target


def gain(audio: Path, target: Path, random: np.random.Generator, decibels: float) -> Path:
    """Louder or quieter, in 16 bits."""
    return write(samples(audio) * 10 ** (decibels / 20), target)


def clipping(audio: Path, target: Path, random: np.random.Generator, share: float) -> Path:
    """Clipped so that this share of the samples is at the limit."""
    speech = samples(audio)
    limit = max(float(np.quantile(np.abs(speech), 1 - share)), 1e-6)
    return write(np.clip(speech, -limit, limit), target)


CONDITIONS = (
    {f"{kind}-noise-{level}dB": (noise, kind, level) for kind in ("white", "pink") for level in (20, 10, 5, 0)}
    | {f"room-{seconds}s": (room, seconds) for seconds in (0.3, 0.6, 1.2)}
    | {"telephone": (telephone,)}
    | {f"opus-{rate}k": (codec, "libopus", rate) for rate in (6, 12)}
    | {f"mp3-{rate}k": (codec, "libmp3lame", rate) for rate in (8, 16, 32)}
    | {f"speed-{factor}": (speed, factor) for factor in (0.8, 0.9, 1.1, 1.25)}
    | {f"quiet-{level}dB": (gain, -level) for level in (20, 40)}
    | {f"clipped-{round(100 * share)}%": (clipping, share) for share in (0.01, 0.05, 0.2)}
)
