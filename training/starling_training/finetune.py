"""Fitting a model to a folder of audio and texts, with a table of what it did."""

import shutil
from pathlib import Path

import torch
from torch import multiprocessing

from .audio import AudioStore, Recording
from .augment import Augmentation
from .checkpoint import average, load_model
from .evaluate import word_error_rate
from .pieces import Pieces
from .recipe import Blocks, Losses, Recipe, Schedule
from .stream import BlockShape

SHAPES = {"full": None, "640 ms": BlockShape(8, 8), "320 ms": BlockShape(4, 4)}
# Passes over the corpus where no hours are given.
PASSES = 8


def recipe(corpus: Path, model: Path, hours: float, rate: float, hold_out: float) -> Recipe:
    """Texts weigh as much as the model's own full-context output, which keeps it from forgetting."""
    return Recipe(
        corpora=(str(corpus.resolve()),), model=str(model.resolve()), teacher=str(model.resolve()),
        schedule=Schedule(hours=hours, rate=rate, warmup_steps=20, decay_hours=hours / 2, batch_seconds=40, average=0.98),
        blocks=(Blocks(0, weight=2), Blocks(8, 8), Blocks(16, 8), Blocks(4, 4)),
        losses=Losses(distillation=0.5, ctc=0.5), augmentation=Augmentation(noise=0.2, reverb=0.1),
        speeds=(0.9, 1.0, 1.1), hold_out=hold_out, base=Path("/"))


def prepare(corpus: Path, folder: Path, hours: float | None, processes: int) -> float:
    """Decodes the corpus. Returns the audio-hours to hear."""
    store = AudioStore.prepare([corpus.resolve()], folder / "audio", processes=processes)
    return hours or PASSES * sum(r.seconds for r in store.recordings) / 3600


def report(recipe: Recipe, folder: Path, kept: list[Path], processes: int) -> str:
    """Averages the tuned weights with the first ones, and measures all three. Returns a table."""
    first, tuned, mean = recipe.folder(recipe.model), folder / "tuned", folder / "model"
    shutil.rmtree(tuned, ignore_errors=True)
    mean.rename(tuned)
    average([(tuned, 0.5), (first, 0.5)], mean)
    store = AudioStore(folder / "audio")
    sets: list[tuple[str, AudioStore, list[Recording]]] = [("held out", store, store.split(recipe.hold_out)[1])]
    for number, corpus in enumerate(kept):
        other = AudioStore.prepare([corpus.resolve()], folder / f"kept{number}", processes=processes)
        step = max(1, len(other.recordings) // 200)
        sets.append((corpus.name, other, other.recordings[::step]))
    lines = ["| greedy WER % | utterances | " + " | ".join(f"{name}: before | tuned | half and half" for name in SHAPES) + " |"]
    lines.append("|---|---" + "|---" * 3 * len(SHAPES) + "|")
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for name, audio, recordings in sets:
            if not recordings:
                continue
            tasks = [(model, audio.folder, recordings, shape) for shape in SHAPES.values() for model in (first, tuned, mean)]
            rates = [f"{rate:.2f}" for rate in pool.starmap(_rate, tasks, chunksize=1)]
            lines.append(f"| {name} | {len(recordings)} | " + " | ".join(rates) + " |")
    return "\n".join(lines)


def _rate(model: Path, audio: Path, recordings: list[Recording], shape: BlockShape | None) -> float:
    """In a process of its own."""
    torch.set_num_threads(1)
    return word_error_rate(load_model(model), Pieces(model / "tokens.txt"), AudioStore(audio), recordings, shape)
