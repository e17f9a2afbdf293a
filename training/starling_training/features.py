"""The `nemo_log_mel` front end in NumPy: what `LogMelStream` computes, for a whole signal."""

import numpy as np
import torch

WINDOW, SHIFT, FFT = 400, 160, 512


def _hertz(mel: np.ndarray) -> np.ndarray:
    """Slaney's scale: linear below 1000 Hz (15 mel), logarithmic above."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)))


def filterbank(mels: int = 80, sample_rate: int = 16_000) -> np.ndarray:
    """Slaney's triangles with his area normalisation. [257, mels]"""
    top = 15 + np.log(sample_rate / 2 / 1000) / (np.log(6.4) / 27)
    corners = _hertz(np.linspace(0, top, mels + 2))
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    hertz = np.arange(FFT // 2 + 1)[:, None] * sample_rate / FFT
    height = np.minimum((hertz - left) / (centre - left), (right - hertz) / (right - centre))
    return np.maximum(height, 0) * 2 / (right - left)


def log_mel(samples: np.ndarray, mels: int = 80) -> np.ndarray:
    """Mono samples in ±1 at 16 kHz to log-mel frames [1 + ⌊N / 160⌋, mels], float32."""
    emphasised = np.append(samples[:1], samples[1:] - 0.97 * samples[:-1]).astype(np.float64)
    # Frame t is centred on sample 160 t, with zeros beyond both ends.
    padded = np.pad(emphasised, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::SHIFT]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    spectrum = np.fft.rfft(frames * hann, FFT)
    return np.log(np.abs(spectrum) ** 2 @ filterbank(mels) + 2.0**-24).astype(np.float32)


def synthetic_log_mel(frames: int, mels: int = 80, seed: int = 1) -> np.ndarray:
    """Frames [1, frames, mels] in the range of speech, smooth in time: for checks without audio."""
    noise = np.random.default_rng(seed).normal(size=(frames + 8, mels))
    smooth = np.lib.stride_tricks.sliding_window_view(noise, 9, axis=0).sum(axis=-1)
    return (smooth - 9).astype(np.float32)[None]


class LogMel(torch.nn.Module):
    """The same front end for a batch in PyTorch, in float32."""

    def __init__(self, mels: int = 80):
        super().__init__()
        window = np.hanning(WINDOW)
        self.register_buffer("window", torch.from_numpy(window).float(), persistent=False)
        self.register_buffer("filters", torch.from_numpy(filterbank(mels)).float(), persistent=False)

    def forward(self, samples: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Samples [b, N], zeros beyond `lengths` [b], to log-mel frames [b, 1 + ⌊N / 160⌋, mels] and
        the number of frames of each."""
        emphasised = samples.clone()
        emphasised[:, 1:] -= 0.97 * samples[:, :-1]
        inside = torch.arange(samples.shape[1], device=samples.device) < lengths[:, None]
        padded = torch.nn.functional.pad(emphasised * inside, (WINDOW // 2, WINDOW // 2))
        spectrum = torch.fft.rfft(padded.unfold(1, WINDOW, SHIFT) * self.window, FFT)
        energy = spectrum.real.square() + spectrum.imag.square()
        return torch.log(energy @ self.filters + 2.0**-24), 1 + lengths // SHIFT
