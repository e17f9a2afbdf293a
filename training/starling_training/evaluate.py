"""Greedy word error rates of a model in PyTorch, to steer a training by; `scripts/evaluate` measures."""

import jiwer
import torch

from .audio import AudioStore, Recording
from .batches import stack
from .blocks import frames_of
from .features import LogMel
from .model import ConformerCTC
from .pieces import Pieces
from .stream import BlockShape


def greedy(log_probs: torch.Tensor, blank: int) -> list[int]:
    """[T, V] to classes, repeats and blanks removed."""
    best = torch.unique_consecutive(log_probs.argmax(-1))
    return best[best != blank].tolist()


@torch.inference_mode()
def transcribe(
    model: ConformerCTC, pieces: Pieces, store: AudioStore, recordings: list[Recording], shape: BlockShape | None,
    batch: int = 8,
) -> list[str]:
    """Texts in the order of `recordings`."""
    front_end = LogMel(model.config.mels).to(model.ctc.weight.device)
    order = sorted(range(len(recordings)), key=lambda i: recordings[i].samples)
    texts = [""] * len(recordings)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        samples = [store.samples(recordings[i]) for i in chosen]
        lengths = torch.tensor([len(s) for s in samples], device=front_end.window.device)
        mel, frames = front_end(stack(samples).to(lengths.device), lengths)
        hidden, frames, _ = frames_of(model, mel, shape, frames)
        log_probs = model.log_probs(hidden).cpu()
        for i, row, n in zip(chosen, log_probs, frames.tolist()):
            texts[i] = pieces.decode(greedy(row[:n], model.config.blank))
    return texts


def word_error_rate(
    model: ConformerCTC, pieces: Pieces, store: AudioStore, recordings: list[Recording], shape: BlockShape | None,
) -> float:
    """In per cent."""
    heard = transcribe(model, pieces, store, recordings, shape)
    return 100 * jiwer.wer([r.text for r in recordings], heard)
