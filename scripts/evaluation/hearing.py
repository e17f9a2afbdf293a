"""Hears corpora by `starling compare`, once per latency and condition, and keeps what was heard."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import EvaluationError
from .corpora import Corpus, Utterance

ROOT = Path(__file__).resolve().parents[2]
LATENCIES = ["320ms", "640ms", "960ms", "1280ms", "full"]
PASSES = ["greedy", "beam", "rescore", "joint", "full-context", "draft"]
PORTION = 50


@dataclass
class Hearing:
    """Results are in `results`/corpus/key/latency.jsonl, a line for each utterance; what is there is not heard again.

    The key is that of model, options and condition, so that results of two models are never mixed.
    """

    results: Path
    binary: Path = ROOT / ".build/release/starling"
    model: Path = ROOT / "models/starling-en-small"
    passes: list[str] = field(default_factory=lambda: PASSES)
    jobs: int = 2
    n_best: int = 0
    options: list[str] = field(default_factory=list)
    seed: int = 1
    offline: bool = False

    def __post_init__(self):
        if not self.binary.exists():
            raise EvaluationError(f"{self.binary}: no such program; build it by scripts/setup")
        self.model_hash = digest(self.model)

    def file(self, corpus: Corpus, latency: str, condition: str | None) -> Path:
        seed = self.seed if condition else None
        key = json.dumps([self.model_hash, self.passes, self.n_best, self.options, condition, seed])
        folder = self.results / corpus.name / hashlib.sha256(key.encode()).hexdigest()[:12]
        return folder / f"{latency.replace('/', '_')}.jsonl"

    def hear(self, corpus: Corpus, latency: str, condition: str | None = None) -> list[dict]:
        """What `starling compare` says of each utterance, in order."""
        file = self.file(corpus, latency, condition)
        known = read(file)
        missing = [u for u in corpus.utterances if u.id not in known]
        if missing and self.offline:
            raise EvaluationError(f"{file}: {len(missing)} utterances have not been heard; run without --offline")
        file.parent.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        for done in range(0, len(missing), PORTION):
            portion = missing[done : done + PORTION]
            heard = self.portion(portion, latency, condition)
            # Whole lines at once: a run that is stopped leaves no half of one.
            with open(file, "a", encoding="utf-8") as out:
                out.write("".join(json.dumps(result, ensure_ascii=False) + "\n" for result in heard))
            known |= {result["id"]: result for result in heard}
            progress(f"{corpus.name} {condition or ''} {latency}", done + len(portion), len(missing), time.monotonic() - start)
        return [known[u.id] for u in corpus.utterances]

    def portion(self, utterances: list[Utterance], latency: str, condition: str | None) -> list[dict]:
        if condition or any(u.segment for u in utterances):
            # Only these need numpy.
            from . import perturbations
        with tempfile.TemporaryDirectory(prefix="starling-evaluate-") as folder:
            files = {}
            for number, utterance in enumerate(utterances):
                audio = utterance.audio
                if utterance.segment:
                    audio = perturbations.cut(audio, utterance.segment, Path(folder) / f"{number}-cut.wav")
                if condition:
                    audio = perturbations.make(condition, audio, Path(folder) / str(number), f"{self.seed} {utterance.id}")
                files[str(audio)] = utterance.id
            command = [str(self.binary), "compare", "--model", str(self.model), "--latency", latency, "--n-best", str(self.n_best), "--jobs", str(self.jobs)]
            for name in self.passes:
                command += ["--pass", name]
            run = subprocess.run(command + self.options + list(files), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if run.returncode:
                raise EvaluationError(f"starling compare failed: {run.stderr.strip()[-500:]}")
        results = map(json.loads, run.stdout.splitlines())
        return [{"id": files[result.pop("file")], **result} for result in results]


def read(file: Path) -> dict[str, dict]:
    if not file.exists():
        return {}
    return {result["id"]: result for result in map(json.loads, file.read_text(encoding="utf-8").splitlines())}


def digest(model: Path) -> str:
    """SHA-256 of a model folder's files, config and weights."""
    total = hashlib.sha256()
    for name in ("config.json", "model.safetensors", "tokens.txt"):
        if not (model / name).exists():
            raise EvaluationError(f"{model / name}: no such file; expected a model folder")
        with open(model / name, "rb") as data:
            total.update(hashlib.file_digest(data, "sha256").digest())
    return total.hexdigest()


def progress(what: str, done: int, total: int, elapsed: float) -> None:
    if not sys.stderr.isatty() and done < total:
        return
    left = elapsed / done * (total - done)
    line = f"{' '.join(what.split())}: {done} of {total}, {left:.0f} s left"
    width = shutil.get_terminal_size().columns - 1
    print("\r" + line[:width].ljust(min(width, 70)), end="\n" if done == total else "", file=sys.stderr, flush=True)
