#!/usr/bin/env python3
"""Joins utterances of ten LibriSpeech chapters to long files, to be scored by scripts/evaluate.

    Benchmarks/chapters.py OUTPUT
    scripts/evaluate ../shared/corpora/dev-clean --latency full --pass greedy --subset OUTPUT/utterances.txt   # one by one
    scripts/evaluate OUTPUT --latency full --pass greedy                                                       # chapter by chapter

Takes every sixth chapter of more than 150 seconds. Needs ffmpeg.
"""

import argparse
import csv
import subprocess
import wave
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpora/dev-clean")
    arguments = parser.parse_args()

    chapters: dict[str, list[dict]] = {}
    with open(arguments.corpus / "manifest.tsv", encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE):
            chapters.setdefault("-".join(Path(row["path"]).name.split("-")[:2]), []).append(row)
    long = [name for name, rows in chapters.items() if sum(float(row["seconds"]) for row in rows) > 150][::6][:10]

    arguments.output.mkdir(parents=True, exist_ok=True)
    with open(arguments.output / "manifest.tsv", "w", encoding="utf-8") as manifest, open(arguments.output / "utterances.txt", "w", encoding="utf-8") as utterances:
        manifest.write("path\tspeaker\tseconds\ttext\n")
        for name in long:
            rows = chapters[name]
            with wave.open(str(arguments.output / f"{name}.wav"), "wb") as chapter:
                chapter.setparams((1, 2, 16_000, 0, "NONE", ""))
                for row in rows:
                    command = ["ffmpeg", "-loglevel", "error", "-i", str(arguments.corpus / row["path"]), "-ar", "16000", "-ac", "1", "-f", "s16le", "-"]
                    chapter.writeframes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
                    utterances.write(row["path"] + "\n")
            seconds = sum(float(row["seconds"]) for row in rows)
            manifest.write(f"{name}.wav\t{rows[0]['speaker']}\t{seconds}\t{' '.join(row['text'] for row in rows)}\n")


if __name__ == "__main__":
    main()
