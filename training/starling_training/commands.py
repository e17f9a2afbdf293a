"""What the commands do; apart, so that --help needs no PyTorch."""

import argparse
import os
import signal
import threading
from multiprocessing.connection import wait
from pathlib import Path

import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing

from .audio import AudioStore
from .checkpoint import average, load_model, save_model
from .corpora import CorpusError
from .decoder import BidirectionalDecoder
from .recipe import Recipe, RecipeError
from .train import Trainer


class Interrupted(Exception):
    """By a signal: the state is saved."""


UserError = (CorpusError, RecipeError, FileNotFoundError, Interrupted)


def run(arguments: argparse.Namespace) -> None:
    {"train": train, "finetune": finetune, "plot": plot, "goldens": goldens, "average": averaged, "narrow": narrow}[arguments.command](arguments)


def train(arguments: argparse.Namespace) -> None:
    recipe, folder, cores = Recipe.load(arguments.recipe), arguments.folder, os.cpu_count() or 1
    AudioStore.prepare([recipe.folder(c) for c in recipe.corpora], folder / "audio", processes=cores)
    if recipe.validation.corpus:
        AudioStore.prepare([recipe.folder(recipe.validation.corpus)], folder / "validation", lambda _: None, cores)
    run_recipe(recipe, folder, (arguments.until_hours, arguments.minutes), arguments.processes)


def finetune(arguments: argparse.Namespace) -> None:
    from . import finetune

    cores = os.cpu_count() or 1
    hours = finetune.prepare(arguments.corpus, arguments.folder, arguments.hours, cores)
    recipe = finetune.recipe(arguments.corpus, arguments.model, hours, arguments.rate, arguments.hold_out)
    print(f"hearing {hours:.2f} audio-hours", flush=True)
    run_recipe(recipe, arguments.folder, processes=arguments.processes)
    table = finetune.report(recipe, arguments.folder, arguments.keep, cores)
    (arguments.folder / "report.md").write_text(table + "\n", encoding="utf-8")
    print(table)
    print(f"the model: {arguments.folder / 'model'}")


def plot(arguments: argparse.Namespace) -> None:
    from .plot import plot

    plot(arguments.folder / "log.csv", arguments.output)


def goldens(arguments: argparse.Namespace) -> None:
    from .goldens import write_goldens

    write_goldens(arguments.model, arguments.audio, arguments.output, arguments.seconds)


def averaged(arguments: argparse.Namespace) -> None:
    pairs = [model.rpartition("=") for model in arguments.models]
    try:
        average([(Path(folder), float(weight)) for folder, _, weight in pairs], arguments.output)
    except ValueError as error:
        raise RecipeError(f"expected FOLDER=WEIGHT …: {error}") from error


def narrow(arguments: argparse.Namespace) -> None:
    decoder = BidirectionalDecoder.load(arguments.model)
    if decoder is None:
        raise RecipeError(f"{arguments.model}: the model has no decoder")
    try:
        small = decoder.narrowed(arguments.left_layers, arguments.right_layers, arguments.inner)
    except ValueError as error:
        raise RecipeError(f"{arguments.model}: {error}") from error
    save_model(load_model(arguments.model), arguments.model, arguments.output, small)


def run_recipe(
    recipe: Recipe, folder: Path, limits: tuple[float | None, float | None] = (None, None), processes: int | None = None,
) -> None:
    """A run, or the rest of one, in a process for each GPU or core; `limits` are `until_hours` and `minutes`."""
    gpus = torch.cuda.device_count()
    world = processes or gpus or os.cpu_count() or 1
    interrupted = multiprocessing.get_context("spawn").Event()

    def interrupt(number: int, _) -> None:
        interrupted.set()
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if world == 1:
            _process(0, 1, recipe, folder, limits, gpus, interrupted)
        else:
            multiprocessing.spawn(_process, (world, recipe, folder, limits, gpus, interrupted), nprocs=world)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupted.is_set():
        raise Interrupted(f"{folder}: interrupted; the same command goes on from here")


def _process(rank: int, world: int, recipe: Recipe, folder: Path, limits: tuple, gpus: int, interrupted) -> None:
    if world > 1:
        # Of a whole group's Ctrl-C too only the parent takes notice.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A killed command must not leave its processes behind.
        threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    device = f"cuda:{rank}" if gpus else "cpu"
    if not gpus:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // world))
    if world > 1:
        meeting = folder / "meeting"
        if rank == 0:
            meeting.unlink(missing_ok=True)
        distributed.init_process_group(
            "nccl" if gpus else "gloo", init_method=f"file://{meeting.resolve()}-{os.getppid()}", rank=rank, world_size=world)
    Trainer(recipe, folder, rank, world, device).run(*limits, interrupted.is_set)
    if world > 1:
        distributed.destroy_process_group()
        if rank == 0:
            Path(f"{meeting.resolve()}-{os.getppid()}").unlink(missing_ok=True)
