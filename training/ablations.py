#!/usr/bin/env python3
"""What each switch of a recipe brings, with intervals: the tables of docs/training.md.

    training/ablations.py runs/ablations                # two tables; goes on where it was stopped
    training/ablations.py runs/ablations --only gates

Every run starts from the shipped model and hears the same audio-hours in the same order with one setting
changed. Encoders are measured by greedy word error rate and by the CTC loss of the text, decoders by
their cross entropy, on the same utterances of the validation corpus; differences to the run without a change have
95 % intervals, by bootstrap over utterances.
"""

import argparse
import dataclasses
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import torch
from torch import multiprocessing

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "training"))

from starling_training import language, losses  # noqa: E402
from starling_training.audio import AudioStore  # noqa: E402
from starling_training.commands import run_recipe  # noqa: E402
from starling_training.encoded import encoded  # noqa: E402
from starling_training.evaluate import greedy, surprise  # noqa: E402
from starling_training.pieces import Pieces  # noqa: E402
from starling_training.recipe import NewDecoder, Recipe, Validation, VariantSettings  # noqa: E402
from starling_training.train import STATE, VALIDATION_SHAPES, Student  # noqa: E402

DRAWS = 2000


def encoder_runs(hours: float, language_model: Path) -> dict[str, Recipe]:
    """The streaming recipe, and the same with one thing more."""
    base = Recipe.load(ROOT / "training/recipes/streaming.toml")
    schedule = dataclasses.replace(base.schedule, hours=hours, decay_hours=hours / 2, warmup_steps=50, average=0.99)
    base = dataclasses.replace(base, schedule=schedule, validation=Validation())
    weights = base.losses
    between = VariantSettings(intermediate=(7,))
    attention = dataclasses.replace(weights, attention=0.3, guide=0.1)
    return {
        "the recipe": base,
        "intermediate CTC": dataclasses.replace(
            base, variants=between, losses=dataclasses.replace(weights, intermediate=0.3)),
        "self-conditioned": dataclasses.replace(
            base, variants=dataclasses.replace(between, feeds_back=True),
            losses=dataclasses.replace(weights, intermediate=0.3)),
        "gates": dataclasses.replace(
            base, variants=VariantSettings(gates=True), losses=dataclasses.replace(weights, gates=1.0)),
        "joint": dataclasses.replace(base, trains="joint", dropout=0.1, losses=attention),
        "joint with a language model": dataclasses.replace(
            base, trains="joint", dropout=0.1, language_model=str(language_model),
            losses=dataclasses.replace(attention, language=0.1)),
    }


def decoder_runs(hours: float, language_model: Path) -> dict[str, Recipe]:
    """New decoders on the shipped encoder: the decoder's recipe, and the same with one thing changed."""
    base = Recipe.load(ROOT / "training/recipes/decoder.toml")
    new = NewDecoder(position_width=64)
    base = dataclasses.replace(
        base, decoder=new, position_width=0, validation=Validation(),
        schedule=dataclasses.replace(base.schedule, hours=hours, decay_hours=hours / 2, average=0.98))
    weights = base.losses
    return {
        "the recipe, new": base,
        "without places": dataclasses.replace(base, decoder=dataclasses.replace(new, position_width=0)),
        "without guide": dataclasses.replace(base, losses=dataclasses.replace(weights, guide=0.0)),
        "DeCRED heads": dataclasses.replace(base, decoder=dataclasses.replace(new, auxiliary_heads=(0, 1))),
        "language model": dataclasses.replace(
            base, language_model=str(language_model), losses=dataclasses.replace(weights, language=0.3)),
        "from the shipped decoder": dataclasses.replace(base, decoder=None),
    }


@dataclass
class Measured:
    """Of each utterance: what went wrong, and out of how much."""

    wrong: np.ndarray
    out_of: np.ndarray

    def rate(self) -> float:
        return float(self.wrong.sum() / self.out_of.sum())

    def difference(self, base: "Measured") -> tuple[float, float, float]:
        """To another run on the same utterances, with its interval."""
        drawn = np.random.default_rng(1).integers(len(self.wrong), size=(DRAWS, len(self.wrong)))
        ratios = [m.wrong[drawn].sum(1) / m.out_of[drawn].sum(1) for m in (self, base)]
        low, high = np.quantile(ratios[0] - ratios[1], [0.025, 0.975])
        return self.rate() - base.rate(), float(low), float(high)

    def cell(self, base: "Measured | None", scale: float, digits: int) -> str:
        text = f"{scale * self.rate():.{digits}f}"
        if base is None:
            return text
        found, low, high = (f"{scale * value:+.{digits}f}" for value in self.difference(base))
        return f"{text} ({found}, {low} to {high})"


def trained(recipe: Recipe, folder: Path | None) -> Student:
    """The student of a finished run, or, without a folder, as it begins."""
    student = Student.load(recipe, recipe.folder(recipe.model))
    if folder is not None:
        student.load_state_dict(torch.load(folder / STATE, weights_only=True)["average"])
    return student.eval().requires_grad_(False)


def measure_encoder(recipe: Recipe, folder: Path | None, audio: Path, every: int) -> dict[str, Measured]:
    """Words and CTC losses at each latency, in a process each."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        # The slow ones first.
        rows = pool.starmap(_encoder, [(recipe, folder, audio, every, name) for name in reversed(VALIDATION_SHAPES)], chunksize=1)
    found = dict(zip(reversed(VALIDATION_SHAPES), rows))
    return {f"{what} {name}": Measured(found[name][:, 2 * i], found[name][:, 2 * i + 1])
            for i, what in enumerate(("WER", "CTC")) for name in VALIDATION_SHAPES}


@torch.inference_mode()
def _encoder(recipe: Recipe, folder: Path | None, audio: Path, every: int, name: str) -> np.ndarray:
    """Of each utterance: wrong words, words, CTC loss, frames."""
    torch.set_num_threads(1)
    student, pieces, store = trained(recipe, folder), Pieces(recipe.folder(recipe.model) / "tokens.txt"), AudioStore(audio)
    model, chosen = student.encoder, store.recordings[::every]
    rows = np.zeros((len(chosen), 4))
    for i, hidden in encoded(model, store, chosen, VALIDATION_SHAPES[name], bfloat16=True, variants=student.variants):
        log_probs, text = model.log_probs(hidden), chosen[i].text
        counts = jiwer.process_words(text, pieces.decode(greedy(log_probs, model.config.blank)) or " ")
        loss = losses.ctc(log_probs[None], torch.tensor([len(log_probs)]), [pieces.encode(text)], model.config.blank).item()
        wrong = counts.substitutions + counts.deletions + counts.insertions
        rows[i] = wrong, len(text.split()), loss * len(log_probs), len(log_probs)
    return rows


def measure_decoder(recipe: Recipe, folder: Path | None, audio: Path, every: int) -> dict[str, Measured]:
    """Cross entropies of both directions in full context."""
    student, pieces, store = trained(recipe, folder), Pieces(recipe.folder(recipe.model) / "tokens.txt"), AudioStore(audio)
    chosen = store.recordings[::every]
    classes = np.array([len(pieces.encode(r.text)) + 1 for r in chosen], float)
    nats = np.array([surprise(student.encoder, student.decoder, pieces, store, [r], None) for r in chosen])
    return {way: Measured(nats[:, i] * classes, classes) for i, way in enumerate(("left to right", "right to left"))}


def kept(path: Path, measure) -> dict[str, Measured]:
    """What was measured, from its file if there is one."""
    if not path.exists():
        found = {name: [m.wrong.tolist(), m.out_of.tolist()] for name, m in measure().items()}
        path.write_text(json.dumps(found), encoding="utf-8")
    fields = json.loads(path.read_text(encoding="utf-8"))
    return {name: Measured(*map(np.array, pair)) for name, pair in fields.items()}


def table(rows: dict[str, dict[str, Measured]], base: str, columns: list[tuple[str, float, int]]) -> str:
    """Columns are (name, scale, digits)."""
    lines = ["| | " + " | ".join(name for name, _, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for row, found in rows.items():
        against = rows.get(base) if row != base else None
        cells = [found[name].cell(against and against[name], scale, digits) for name, scale, digits in columns]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder-hours", type=float, default=2.0, help="audio-hours of each (default: %(default)s)")
    parser.add_argument("--decoder-hours", type=float, default=60.0, help="audio-hours of each (default: %(default)s)")
    parser.add_argument("--every", type=int, default=12, help="measure on each so-manieth utterance (default: %(default)s)")
    parser.add_argument("--only", action="append", metavar="NAME", help="of a run, besides the one without a change; repeatable")
    arguments = parser.parse_args()
    folder, cores = arguments.folder, os.cpu_count() or 1
    settings = Recipe.load(ROOT / "training/recipes/streaming.toml")
    audio = AudioStore.prepare([settings.folder(c) for c in settings.corpora], folder / "audio", processes=cores)
    validation = folder / "validation"
    AudioStore.prepare([settings.folder(settings.validation.corpus)], validation, processes=cores)
    model = settings.folder(settings.model)
    if not (folder / "language-model").exists():
        pieces = Pieces(model / "tokens.txt")
        texts = [recording.text for recording in audio.recordings]
        language.train(texts, pieces, blank=len(pieces.pieces), epochs=4).save(folder / "language-model", model / "tokens.txt")

    for runs, measure, columns in (
        (encoder_runs(arguments.encoder_hours, folder / "language-model"), measure_encoder,
         [(f"{what} {name}", scale, digits) for what, scale, digits in (("WER", 100, 2), ("CTC", 1, 4)) for name in VALIDATION_SHAPES]),
        (decoder_runs(arguments.decoder_hours, folder / "language-model"), measure_decoder,
         [("left to right", 1, 2), ("right to left", 1, 2)]),
    ):
        base, rows = next(iter(runs)), {}
        chosen = {name: recipe for name, recipe in runs.items() if not arguments.only or name in (base, *arguments.only)}
        for name, recipe in chosen.items():
            run = folder / name.replace(" ", "-").replace(",", "")
            run.mkdir(exist_ok=True)
            for shared in ("audio", "frozen"):
                (folder / shared).mkdir(exist_ok=True)
                if not (run / shared).exists():
                    (run / shared).symlink_to((folder / shared).resolve())
            run_recipe(recipe, run)
            rows[name] = kept(run / "measured.json", lambda: measure(recipe, run, validation, arguments.every))
        if measure is measure_encoder:
            rows["before"] = kept(folder / "before.json", lambda: measure(chosen[base], None, validation, arguments.every))
        text = table(rows, base, columns)
        (folder / f"{measure.__name__}.md").write_text(text + "\n", encoding="utf-8")
        print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
