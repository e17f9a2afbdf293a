"""Greedy word error rates of a model in PyTorch, to steer a training by; `scripts/evaluate` measures."""

import jiwer
import torch

from .audio import AudioStore, Recording
from . import losses
from .decoder import BidirectionalDecoder, teacher_forced
from .encoded import encoded
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
) -> list[str]:
    """Texts in the order of `recordings`."""
    texts = [""] * len(recordings)
    for i, hidden in encoded(model, store, recordings, shape):
        texts[i] = pieces.decode(greedy(model.log_probs(hidden).cpu(), model.config.blank))
    return texts


def word_error_rate(
    model: ConformerCTC, pieces: Pieces, store: AudioStore, recordings: list[Recording], shape: BlockShape | None,
) -> float:
    """In per cent."""
    heard = transcribe(model, pieces, store, recordings, shape)
    return 100 * jiwer.wer([r.text for r in recordings], heard)


@torch.inference_mode()
def surprise(
    model: ConformerCTC, decoder: BidirectionalDecoder, pieces: Pieces, store: AudioStore,
    recordings: list[Recording], shape: BlockShape | None,
) -> list[float]:
    """The decoder's cross entropy of the recordings' texts, in nats a class: left to right, then the other."""
    said = [0.0 for _ in decoder.directions()]
    classes = 0
    for index, hidden in encoded(model, store, recordings, shape):
        text = pieces.encode(recordings[index].text)
        if not text:
            continue
        seen = torch.ones(1, len(hidden), dtype=torch.bool, device=hidden.device)
        for i, (direction, backwards) in enumerate(decoder.directions()):
            inputs, outputs = (t.to(hidden.device) for t in teacher_forced([text], decoder.config.sos_eos, backwards))
            said[i] += losses.cross_entropy(direction(inputs, hidden[None], seen)[0], outputs, 0).item() * (len(text) + 1)
        classes += len(text) + 1
    return [total / classes for total in said]
