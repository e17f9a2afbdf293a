"""A corpus through the encoder, in batches of like lengths."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .audio import AudioStore, Recording
from .batches import stack
from .blocks import frames_of
from .features import LogMel
from .model import ConformerCTC
from .stream import BlockShape
from .variants import Variants

BATCH = 8


@torch.inference_mode()
def encoded(
    encoder: ConformerCTC, store: AudioStore, recordings: list[Recording], shape: BlockShape | None,
    bfloat16: bool = False, rank: int = 0, world: int = 1, variants: Variants | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Indices into `recordings`, the short ones first, with the encoder's output [T, d] of clean recordings.

    Of several processes each takes a share of the batches."""
    device = encoder.ctc.weight.device
    front_end = LogMel(encoder.config.mels).to(device)
    order = sorted(range(len(recordings)), key=lambda i: recordings[i].samples)
    for start in range(rank * BATCH, len(order), world * BATCH):
        chosen = order[start : start + BATCH]
        samples = [store.samples(recordings[i]) for i in chosen]
        mel, frames = front_end(stack(samples).to(device), torch.tensor([len(s) for s in samples], device=device))
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
            hidden, frames, _ = frames_of(encoder, mel, shape, frames, variants=variants)
        for i, rows, n in zip(chosen, hidden, frames.tolist()):
            yield i, rows[:n].float()
