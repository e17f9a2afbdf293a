#!/usr/bin/env python3
"""How often `starling stream` changes a word that it has shown.

    Benchmarks/stability.py                       # 60 utterances of dev-clean, 640ms
    Benchmarks/stability.py --latency 320ms --options=--stable

A change is a shown word that a later partial result of the same utterance replaces or takes away;
a last word that grows ("wit" to "witness") counts apart. The final result is compared in the same
way. Needs ffmpeg.
"""

import argparse
import json
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def results(binary: Path, options: list[str], audio: Path) -> list[dict]:
    pcm = subprocess.run(["ffmpeg", "-loglevel", "error", "-i", str(audio), "-ar", "16000", "-ac", "1", "-f", "s16le", "-"], check=True, stdout=subprocess.PIPE).stdout
    output = subprocess.run([str(binary), "stream", "--format", "jsonl"] + options, check=True, input=pcm, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in output.splitlines()]


def compare(shown: list[str], now: list[str]) -> tuple[int, int]:
    """Changed and grown words."""
    changed = grown = 0
    for index, word in enumerate(shown):
        new = now[index] if index < len(now) else None
        if new == word:
            continue
        if index == len(shown) - 1 and new is not None and new.startswith(word):
            grown += 1
        else:
            changed += 1
    return changed, grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT.parent / "shared/corpora/dev-clean")
    parser.add_argument("--first", type=int, default=60)
    parser.add_argument("--latency", default="640ms")
    parser.add_argument("--options", default="", help="more options of starling stream, as one string")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/starling")
    arguments = parser.parse_args()

    names = (arguments.corpus / "subset-300.txt").read_text(encoding="utf-8").split()[: arguments.first]
    options = ["--latency", arguments.latency] + shlex.split(arguments.options)
    words = partials = changed = grown = settled = 0
    for name in names:
        shown: list[str] = []
        for result in results(arguments.binary, options, arguments.corpus / name):
            now = result["text"].split()
            new_changed, new_grown = compare(shown, now)
            if result["type"] == "final":
                settled += new_changed + new_grown
                words += len(now)
                shown = []
            else:
                changed += new_changed
                grown += new_grown
                partials += 1
                shown = now
    print(f"{words} words, {partials} partial results; per 100 words: {100 * changed / words:.1f} changed, {100 * grown / words:.1f} grown, {100 * settled / words:.1f} settled otherwise by the final result")


if __name__ == "__main__":
    main()
