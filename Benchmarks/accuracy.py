#!/usr/bin/env python3
"""Greedy word error rate of `starling transcribe` on a list of utterances, per latency.

    Benchmarks/accuracy.py                         # the 300 utterances, every latency
    Benchmarks/accuracy.py --first 30 --check      # short, and held to the model's figures

A corpus folder holds manifest.tsv (path, speaker, seconds, text) and the audio. Words are compared
as they stand. Needs jiwer (pip install jiwer).
"""

import argparse
import csv
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

import jiwer

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
LATENCIES = ["full", "1280ms", "960ms", "640ms", "320ms", "160ms"]


def read_corpus(folder: Path, subset: Path | None, first: int | None) -> dict[Path, str]:
    """Reference text of each audio file."""
    with open(folder / "manifest.tsv", encoding="utf-8") as manifest:
        texts = {row["path"]: row["text"] for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE)}
    names = subset.read_text(encoding="utf-8").split() if subset else list(texts)
    return {folder / name: texts[name] for name in names[:first]}


def transcribe(binary: Path, model: Path | None, latency: str, left: str | None, extra: list[str], jobs: int, files: list[Path]) -> tuple[dict[str, str], float, float]:
    """Text of each file, seconds of audio, seconds taken."""
    command = [str(binary), "transcribe", "--format", "jsonl", "--latency", latency, "--jobs", str(jobs)]
    if model:
        command += ["--model", str(model)]
    if left:
        command += ["--left-context", left]
    command += extra
    start = time.monotonic()
    output = subprocess.run(command + [str(file) for file in files], check=True, stdout=subprocess.PIPE, text=True).stdout
    taken = time.monotonic() - start
    results = [json.loads(line) for line in output.splitlines()]
    return {result["file"]: result["text"] for result in results}, sum(result["duration"] for result in results), taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpora/dev-clean")
    parser.add_argument("--subset", type=Path, help="file with a path a line (default: subset-300.txt of the corpus, if it has one)")
    parser.add_argument("--all", action="store_true", help="the whole corpus")
    parser.add_argument("--first", type=int, help="only so many utterances")
    parser.add_argument("--latency", action="append", help="repeatable (default: all named ones)")
    parser.add_argument("--left-context", help="frames")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--options", default="", help="more options of starling transcribe, as one string")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/starling")
    parser.add_argument("--expect", action="append", default=[], metavar="LATENCY=WER", help="fail unless within --tolerance points (repeatable)")
    parser.add_argument("--tolerance", type=float, default=0.1)
    arguments = parser.parse_args()

    subset = arguments.subset
    if subset is None and not arguments.all and (arguments.corpus / "subset-300.txt").exists():
        subset = arguments.corpus / "subset-300.txt"
    corpus = read_corpus(arguments.corpus, subset, arguments.first)
    expected = {latency: float(wer) for latency, wer in (pair.split("=") for pair in arguments.expect)}

    failed = False
    print(f"{len(corpus)} utterances of {arguments.corpus.name}")
    print("latency   WER %   sub   del   ins  words  x real time")
    for latency in arguments.latency or LATENCIES:
        texts, seconds, taken = transcribe(arguments.binary, arguments.model, latency, arguments.left_context, shlex.split(arguments.options), arguments.jobs, list(corpus))
        score = jiwer.process_words(list(corpus.values()), [texts[str(file)] for file in corpus])
        words = score.substitutions + score.deletions + score.hits
        wer = 100 * score.wer
        print(f"{latency:8} {wer:6.2f} {score.substitutions:5} {score.deletions:5} {score.insertions:5} {words:6} {seconds / taken:8.1f}", flush=True)
        if latency in expected and abs(wer - expected[latency]) > arguments.tolerance:
            print(f"  expected {expected[latency]:.2f} within {arguments.tolerance}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
