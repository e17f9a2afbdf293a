"""Scores what was heard by `starling wer`."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import EvaluationError
from .corpora import Corpus


@dataclass
class Cell:
    """One way to hear a corpus: rates are shares, intervals at 95 %."""

    score: dict
    # Difference to the first pass at the same latency, or to the clean audio, with its interval.
    difference: tuple[float, tuple[float, float]] | None
    probability: float | None
    # Seconds of computing per second of audio.
    factor: float

    @property
    def rate(self) -> float:
        return self.score["wer"]

    @property
    def interval(self) -> tuple[float, float] | None:
        return tuple(self.score["interval"]["wer"]) if self.score["interval"] else None


def texts(results: list[dict], name: str) -> dict[str, str]:
    return {result["id"]: result["passes"][name]["text"] for result in results}


def factor(results: list[dict], name: str) -> float:
    audio = sum(result["duration"] for result in results)
    return sum(result["seconds"] + result["passes"][name]["seconds"] for result in results) / audio


@dataclass
class Scoring:
    binary: Path
    normalizer: str | None = None

    def score(self, corpus: Corpus, heard: dict[str, str], base: dict[str, str] | None, speed: float, *options: str) -> Cell:
        """`base`: texts of what this is to be better than."""
        with tempfile.TemporaryDirectory(prefix="starling-evaluate-") as folder:
            reference = Path(folder) / "reference.jsonl"
            columns = sorted({name for u in corpus.utterances for name in u.groups})
            write(reference, [
                {"id": u.id, "text": u.text, "audio": str(u.audio), **({"speaker": u.speaker} if u.speaker else {}), **{name: u.groups.get(name, "") for name in columns}}
                for u in corpus.utterances
            ])
            write(Path(folder) / "heard.jsonl", [{"id": key, "text": text} for key, text in (base if base is not None else heard).items()])
            command = [str(self.binary), "wer", str(reference), str(Path(folder) / "heard.jsonl"), "--format", "json", "--strict", "--normalizer", self.normalizer or corpus.normalizer]
            for name in columns:
                command += ["--group", name]
            if base is not None:
                write(Path(folder) / "against.jsonl", [{"id": key, "text": text} for key, text in heard.items()])
                command += ["--against", str(Path(folder) / "against.jsonl")]
            run = subprocess.run(command + list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if run.returncode:
                raise EvaluationError(f"starling wer failed: {run.stderr.strip()[-500:]}")
        score = json.loads(run.stdout)
        if base is None:
            return Cell(score, None, None, speed)
        pair = score["against"]
        return Cell(pair, (pair["difference"], tuple(pair["difference_interval"])), pair["probability_of_improvement"], speed)


def write(file: Path, entries: list[dict]) -> None:
    file.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), encoding="utf-8")
