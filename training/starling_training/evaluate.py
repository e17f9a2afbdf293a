"""Greedy word error rates of a model in PyTorch, to steer a training by; `scripts/evaluate` measures."""

import jiwer
import torch

from .audio import AudioStore, Recording
from . import losses
from .batches import stack
from .blocks import frames_of
from .decoder import BidirectionalDecoder, teacher_forced
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


@torch.inference_mode()
def surprise(
    model: ConformerCTC, decoder: BidirectionalDecoder, pieces: Pieces, store: AudioStore,
    recordings: list[Recording], shape: BlockShape | None,
) -> list[float]:
    """The decoder's cross entropy of the recordings' texts, in nats a class: left to right, then the other."""
    front_end = LogMel(model.config.mels).to(model.ctc.weight.device)
    said = [0.0 for _ in decoder.directions()]
    classes = 0
    for recording in recordings:
        text = pieces.encode(recording.text)
        if not text:
            continue
        samples = torch.from_numpy(store.samples(recording))[None].to(front_end.window.device)
        mel, frames = front_end(samples, torch.tensor([samples.shape[1]], device=samples.device))
        hidden, _, _ = frames_of(model, mel, shape, frames)
        seen = torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
        for i, (direction, backwards) in enumerate(decoder.directions()):
            inputs, outputs = (t.to(hidden.device) for t in teacher_forced([text], decoder.config.sos_eos, backwards))
            said[i] += losses.cross_entropy(direction(inputs, hidden, seen)[0], outputs, 0).item() * (len(text) + 1)
        classes += len(text) + 1
    return [total / classes for total in said]
