#!/usr/bin/env python3
"""What hot words do to the words on the list and to all others.

    Benchmarks/biasing.py                                    # 300 utterances, full, boosts 0.5 to 3
    Benchmarks/biasing.py --latency 640ms --boost 1.5 --distractors 1000 --final-pass rescore

Each chapter of the audio is a session with a list of its own: the rare words of the whole chapter's
reference text, and D distractors: rare words of other chapters. Rare is what is not among the 5,000
commonest words of the training corpora, dev-other and the other speakers of the corpus.

B-WER counts the words on the list, U-WER all others; a substitution or deletion belongs to the word
of the reference, an insertion to the word inserted (Le et al. 2021). Recall: listed words of the
reference that were recognised, of 100. False: listed words recognised where the reference has
another word or none. The speakers in turn, sorted, are for tuning and for reporting. Intervals (95 %)
are of a bootstrap over utterances. Needs jiwer.
"""

import argparse
import csv
import random
import shlex
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from itertools import zip_longest
from pathlib import Path

import jiwer
from accuracy import ROOT, SHARED, transcribe

BOOSTS = [0.5, 1, 1.5, 2, 3]


@dataclass
class Counts:
    listed: int = 0
    hits: int = 0
    listed_errors: int = 0
    other: int = 0
    other_errors: int = 0
    false: int = 0

    def __add__(self, more: "Counts") -> "Counts":
        return Counts(*map(sum, zip(astuple(self), astuple(more))))

    def b_wer(self) -> float:
        return 100 * self.listed_errors / self.listed

    def u_wer(self) -> float:
        return 100 * self.other_errors / self.other

    def wer(self) -> float:
        return 100 * (self.listed_errors + self.other_errors) / (self.listed + self.other)

    def recall(self) -> float:
        return 100 * self.hits / self.listed


def texts_of(corpus: Path) -> dict[str, str]:
    with open(corpus / "manifest.tsv", encoding="utf-8") as manifest:
        return {row["path"]: row["text"] for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE)}


def speaker(name: str) -> str:
    return name.split("/")[0]


def chapter(name: str) -> str:
    return Path(name).name.rsplit("-", 1)[0]


def word_lists(corpus: Path, texts: dict[str, str], common: int, shortest: int, seed: int) -> dict[str, tuple[list[str], list[str]]]:
    """Rare words and all possible distractors, shuffled, of each chapter."""
    others = [word for manifest in sorted(corpus.parent.glob("*/manifest.tsv")) if manifest.parent != corpus for text in texts_of(manifest.parent).values() for word in text.split()]
    words: dict[str, Counter] = defaultdict(Counter)
    own: dict[str, set[str]] = defaultdict(set)
    for name, text in texts.items():
        words[speaker(name)].update(text.split())
        own[chapter(name)].update(text.split())
    total = sum(words.values(), Counter(others))
    lists = {}
    for name in {chapter(name): name for name in texts}.values():
        counts = total - words[speaker(name)]
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        rare = {word for word in set().union(*own.values()) - set(ranked[:common]) if len(word) >= shortest}
        distractors = sorted(rare - own[chapter(name)])
        random.Random(f"{seed} {chapter(name)}").shuffle(distractors)
        lists[chapter(name)] = sorted(rare & own[chapter(name)]), distractors
    return lists


def count(reference: str, heard: str, listed: set[str], log) -> Counts:
    counts = Counts()
    words, found = reference.split(), heard.split()
    for chunk in jiwer.process_words(reference, heard).alignments[0]:
        for said, got in zip_longest(words[chunk.ref_start_idx : chunk.ref_end_idx], found[chunk.hyp_start_idx : chunk.hyp_end_idx]):
            belongs = (got if said is None else said) in listed
            if said is not None:
                counts.listed += belongs
                counts.other += not belongs
            if said == got:
                counts.hits += belongs
                continue
            counts.listed_errors += belongs
            counts.other_errors += not belongs
            counts.false += got in listed
            log(said, got, said in listed, got in listed)
    return counts


def interval(values: list[float]) -> str:
    values = sorted(values)
    return f"{values[len(values) // 40]:.1f}…{values[-1 - len(values) // 40]:.1f}"


def report(label: str, counts: list[Counts], plain: list[Counts]) -> None:
    total, base = sum(counts, Counts()), sum(plain, Counts())
    generator = random.Random(0)
    recalls, changes = [], []
    for _ in range(1000):
        chosen = generator.choices(range(len(counts)), k=len(counts))
        recalls.append(100 * sum(counts[i].hits for i in chosen) / sum(counts[i].listed for i in chosen))
        # The other words of the reference are the same.
        changes.append(100 * (sum(counts[i].other_errors for i in chosen) / sum(plain[i].other_errors for i in chosen) - 1))
    change = 100 * (total.u_wer() / base.u_wer() - 1)
    precision = 100 * total.hits / (total.hits + total.false)
    print(f"{label} {total.wer():6.2f} {total.b_wer():6.2f} {total.u_wer():6.2f} {change:+6.1f} ({interval(changes):>10}) {total.recall():6.1f} ({interval(recalls)}) {precision:6.1f}  {total.hits:4}/{total.listed} {total.false:5} {total.other_errors:5}/{total.other}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpora/dev-clean", help="paths are SPEAKER/SPEAKER-CHAPTER-NUMBER.*")
    parser.add_argument("--all", action="store_true", help="the whole corpus, not subset-300.txt")
    parser.add_argument("--latency", default="full")
    parser.add_argument("--final-pass", default="none")
    parser.add_argument("--boost", action="append", type=float, help=f"repeatable (default: {BOOSTS}); without a list comes first")
    parser.add_argument("--distractors", action="append", type=int, help="repeatable (default: 100)")
    parser.add_argument("--common", type=int, default=5000, help="so many words are not rare")
    parser.add_argument("--shortest", type=int, default=1, help="letters of the shortest word of a list")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beam", default="8", help="with the list and without")
    parser.add_argument("--options", default="", help="more options of starling transcribe, as one string")
    parser.add_argument("--errors", type=Path, help="write every error here: boost, distractors, file, said, heard, and whether each is listed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/starling")
    arguments = parser.parse_args()

    texts = texts_of(arguments.corpus)
    lists = word_lists(arguments.corpus, texts, arguments.common, arguments.shortest, arguments.seed)
    names = list(texts) if arguments.all else (arguments.corpus / "subset-300.txt").read_text(encoding="utf-8").split()
    sessions: dict[str, list[str]] = defaultdict(list)
    for name in names:
        sessions[chapter(name)].append(name)
    speakers = sorted({speaker(name) for name in names})
    errors = open(arguments.errors, "w", encoding="utf-8") if arguments.errors else None

    def recognise(boost: float | None, distractors: int) -> dict[str, str]:
        options = ["--final-pass", arguments.final_pass, "--beam", arguments.beam] + shlex.split(arguments.options)

        def session(key: str) -> dict[str, str]:
            extra = []
            if boost is not None:
                path = Path(folder) / key
                path.write_text("\n".join(lists[key][0] + lists[key][1][:distractors]) + "\n", encoding="utf-8")
                extra = ["--hot-words", str(path), "--hot-word-boost", str(boost)]
            files = {str(arguments.corpus / name): name for name in sessions[key]}
            heard, _, _ = transcribe(arguments.binary, None, arguments.latency, None, options + extra, 1, [Path(file) for file in files])
            return {files[file]: text for file, text in heard.items()}

        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.jobs) as pool:
            return {name: text for part in pool.map(session, sessions) for name, text in part.items()}

    print(f"{len(names)} utterances of {arguments.corpus.name}, {len(sessions)} chapters, {len(speakers)} speakers; {arguments.latency}, final pass {arguments.final_pass}, beam {arguments.beam}")
    print(f"own words of a list: {sum(len(lists[key][0]) for key in sessions) / len(sessions):.0f} in the mean")
    print("boost    D half      WER  B-WER  U-WER   ± %  (interval)  recall (interval) precision  hits  false  other errors")
    plain = recognise(None, 0)
    for distractors in arguments.distractors or [100]:
        baseline: dict[str, Counts] = {}
        for boost in [None] + (arguments.boost or BOOSTS):
            heard = plain if boost is None else recognise(boost, distractors)
            counts = {}
            for name in names:
                own, more = lists[chapter(name)]
                log = (lambda *error: print(boost, distractors, name, *error, sep="\t", file=errors)) if errors else (lambda *error: None)
                counts[name] = count(texts[name], heard[name], set(own + more[:distractors]), log)
            baseline = baseline or counts
            for half, chosen in [("tune", speakers[::2]), ("report", speakers[1::2])]:
                part = [name for name in names if speaker(name) in chosen]
                report(f"{'-' if boost is None else f'{boost:g}':>5} {distractors:4} {half:6}", [counts[name] for name in part], [baseline[name] for name in part])


if __name__ == "__main__":
    main()
