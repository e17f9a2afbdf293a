"""Cutting a signal into blocks with look-ahead, as `EncoderStream` in Swift does.

The cutting is the same whatever computes a block: PyTorch here, ONNX Runtime in `onnx_model.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .model import ConformerCTC


@dataclass(frozen=True)
class BlockShape:
    """New frames C, look-ahead frames R, and the final frames L that attention looks back on."""

    new_frames: int
    look_ahead_frames: int
    left_context: int = 64

    @property
    def rows(self) -> int:
        return self.new_frames + self.look_ahead_frames


@dataclass(frozen=True)
class Feed:
    """What one step takes of a signal."""

    mel: slice  # mel frames, possibly none
    frames: int  # encoder frames that they become
    final: int  # frames of the block that are final


def feeds(mel_frames: int, shape: BlockShape) -> Iterator[Feed]:
    """The steps of a signal of so many mel frames.

    Every step but the first takes 4 C mel frames; those at the end take what there is, and none
    once all that is left are frames that were looked ahead to.
    """
    start, pending = 0, 0
    while start < mel_frames or pending:
        end = min(mel_frames, start + 4 * (shape.rows - pending))
        frames = (end - start + 3) // 4
        final = min(pending + frames, shape.new_frames)
        yield Feed(slice(start, end), frames, final)
        start, pending = end, pending + frames - final


class TorchStream:
    """One stream through a `ConformerCTC`."""

    def __init__(self, model: ConformerCTC, shape: BlockShape):
        self.model, self.shape = model, shape
        self.subsampling, self.layers = model.subsampling_cache(), model.layer_caches()
        self.pending = torch.zeros(1, 0, model.config.width)
        self.hidden: list[Tensor] = []

    def step(self, mel: Tensor, keep_layers: bool = False) -> Tensor:
        """mel: [1, t, mels], log-mel, maybe empty. Returns log-probabilities [1, n, V] of the block:
        its final frames, then its look-ahead."""
        model, x = self.model, self.pending
        if mel.shape[1]:
            new, self.subsampling = model.encoder.pre_encode.step(model.normalize(mel), self.subsampling)
            x = torch.cat([x, new], dim=1)
        c = self.shape.new_frames
        self.pending = x[:, c:]
        self.hidden = []
        x, self.layers = model.encoder.step(
            x, self.layers, c, self.shape.left_context, self.hidden if keep_layers else None,
            full=x.shape[1] == self.shape.rows)
        return model.log_probs(x)


def run(step: Callable[[Tensor], Tensor], log_mel: Tensor, shape: BlockShape) -> Tensor:
    """Log-probabilities [1, n, V] of the final frames of a whole signal [1, t, mels]."""
    return torch.cat(
        [step(log_mel[:, feed.mel])[:, : feed.final] for feed in feeds(log_mel.shape[1], shape)], dim=1)
