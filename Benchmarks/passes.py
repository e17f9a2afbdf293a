#!/usr/bin/env python3
"""Word error rate, interval and speed of every way to settle text, on a corpus.

    Benchmarks/passes.py                              # dev-clean, every latency; resumes
    Benchmarks/passes.py --subset subset-300.txt --latency 640ms
    Benchmarks/passes.py --tune                       # which weights the n-best lists ask for
    Benchmarks/passes.py --calibrate                  # how far word confidences can be believed
    Benchmarks/passes.py --threshold                  # what --final-threshold costs and saves

Each file is heard once per latency by `starling compare`; its lines are kept in --results, and a
second run does only what is missing. Intervals: 95 %, bootstrap over speakers. Words are compared as
they stand. Needs rapidfuzz and numpy (pip install jiwer numpy).
"""

import argparse
import csv
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
LATENCIES = ["320ms", "640ms", "960ms", "1280ms", "full"]
PASSES = ["greedy", "beam", "rescore", "joint", "full-context", "draft"]
PORTION = 50


def read_corpus(folder: Path, subset: str | None, every: int) -> dict[str, dict]:
    with open(folder / "manifest.tsv", encoding="utf-8") as manifest:
        rows = {row["path"]: row for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE)}
    names = (folder / subset).read_text(encoding="utf-8").split() if subset else list(rows)
    return {str(folder / name): rows[name] for name in names[::every]}


def read_results(file: Path) -> dict[str, dict]:
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    return {result["file"]: result for result in map(json.loads, lines)}


def hear(arguments, latency: str, corpus: dict[str, dict]) -> list[dict]:
    """The lines of `starling compare` for the corpus, those of earlier runs included."""
    file = arguments.results / f"{arguments.corpus.name}-{latency.replace('/', '_')}.jsonl"
    known = read_results(file)
    missing = [path for path in corpus if path not in known]
    if missing and arguments.offline:
        sys.exit(f"{file}: {len(missing)} utterances are missing; run without --offline")
    command = [str(arguments.binary), "compare", "--latency", latency, "--n-best", str(arguments.n_best), "--jobs", str(arguments.jobs)]
    if arguments.model:
        command += ["--model", str(arguments.model)]
    for name in arguments.passes or PASSES:
        command += ["--pass", name]
    for start in range(0, len(missing), PORTION):
        portion = missing[start : start + PORTION]
        output = subprocess.run(command + portion, check=True, stdout=subprocess.PIPE, text=True).stdout
        with open(file, "a", encoding="utf-8") as out:
            out.write(output)
        print(f"\r{latency}: {start + len(portion)} of {len(missing)}", end="", file=sys.stderr)
    if missing:
        print(file=sys.stderr)
    results = read_results(file)
    heard = [results[path] for path in corpus]
    if arguments.reweigh:
        reweigh(heard, tuple(map(float, arguments.reweigh.split(","))))
    return heard


def errors(reference: str, text: str) -> int:
    return Levenshtein.distance(reference.split(), text.split())


class Corpus:
    """Errors of systems on one list of utterances, and their intervals."""

    def __init__(self, rows: list[dict], draws: int = 2000):
        self.references = [row["text"] for row in rows]
        self.words = np.array([len(text.split()) for text in self.references])
        speakers = sorted({row["speaker"] for row in rows})
        index = {speaker: place for place, speaker in enumerate(speakers)}
        self.speaker = np.array([index[row["speaker"]] for row in rows])
        self.draw = np.random.default_rng(1).integers(len(speakers), size=(draws, len(speakers)))
        self.count = len(speakers)

    def errors(self, texts: list[str]) -> np.ndarray:
        return np.array([errors(reference, text) for reference, text in zip(self.references, texts)])

    def rate(self, errors: np.ndarray) -> float:
        return 100 * errors.sum() / self.words.sum()

    def interval(self, errors: np.ndarray) -> tuple[float, float]:
        """2.5 and 97.5 % of the rate (or difference of rates) when speakers are drawn anew."""
        total = np.bincount(self.speaker, errors, self.count)
        words = np.bincount(self.speaker, self.words, self.count)
        rates = 100 * total[self.draw].sum(1) / words[self.draw].sum(1)
        return tuple(np.percentile(rates, [2.5, 97.5]))


def factor(results: list[dict], name: str) -> float:
    """Seconds of computing per second of audio."""
    audio = sum(result["duration"] for result in results)
    first = sum(result["seconds"] for result in results)
    return (first + sum(result["passes"][name]["seconds"] for result in results)) / audio


def reweigh(results: list[dict], weights: tuple[float, float]) -> None:
    """Chooses from the lists of the rescoring passes anew, as the decoder does with these weights."""
    weight, share = weights
    for result in results:
        for name in {"rescore", "full-context"} & result["passes"].keys():
            settled = result["passes"][name]
            best = [
                max(texts, key=lambda text: text["scores"]["ctc"] + weight * ((1 - share) * text["scores"]["attention"] + share * text["scores"]["reverse_attention"]) if text["scores"] else 0)
                for texts in settled["utterances"]
            ]
            settled["text"] = " ".join(text["text"] for text in best if text["text"])


def report(arguments, corpus: dict[str, dict]) -> None:
    scores = Corpus(list(corpus.values()))
    speeds, rates = {}, {}
    for latency in arguments.latency or LATENCIES:
        results = hear(arguments, latency, corpus)
        greedy = scores.errors([result["passes"]["greedy"]["text"] for result in results])
        for name in results[0]["passes"]:
            found = scores.errors([result["passes"][name]["text"] for result in results])
            rates[latency, name] = (scores.rate(found), scores.interval(found), scores.rate(found - greedy), scores.interval(found - greedy))
            speeds[latency, name] = factor(results, name)
    latencies = list(dict.fromkeys(latency for latency, _ in rates))
    names = [name for name in PASSES if any(n == name for _, n in rates)] + sorted({n for _, n in rates} - set(PASSES))
    rule = "|---" * (len(latencies) + 1) + "|"
    print(f"{len(corpus)} utterances, {scores.words.sum()} words, {scores.count} speakers\n")

    def table(cell):
        print("| | " + " | ".join(latencies) + " |")
        print(rule)
        for name in names:
            print(f"| {name} | " + " | ".join(cell(latency, name) for latency in latencies) + " |")
        print()

    table(lambda latency, name: "{:.2f} ({:.2f}–{:.2f})".format(rates[latency, name][0], *rates[latency, name][1]))
    print("Difference to greedy at the same latency:\n")
    table(lambda latency, name: "–" if name == "greedy" else "{:+.2f} ({:+.2f} to {:+.2f})".format(rates[latency, name][2], *rates[latency, name][3]))
    print("Real-time factor:\n")
    table(lambda latency, name: f"{speeds[latency, name]:.4f}")


def tune(arguments, corpus: dict[str, dict]) -> None:
    """Rescoring weights over a grid: S = ctc + w · ((1 − ρ) · left + ρ · right) + η · words."""
    scores = Corpus(list(corpus.values()))
    weights = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1]
    shares = [0, 0.15, 0.3, 0.5, 0.7, 1]
    bonuses = [-0.5, 0, 0.5, 1]
    for latency, name in itertools.product(arguments.latency or LATENCIES, ["rescore", "full-context"]):
        # Utterances that were heard as one, so that the reference belongs to the list.
        lists = [result["passes"][name]["utterances"] for result in hear(arguments, latency, corpus)]
        used = [index for index, utterances in enumerate(lists) if len(utterances) == 1]
        longest = max(len(lists[index][0]) for index in used)

        def matrix(value, missing: float) -> np.ndarray:
            rows = [[value(index, text) for text in lists[index][0]] for index in used]
            return np.array([row + [missing] * (longest - len(row)) for row in rows])

        ctc, left, right = (matrix(lambda _, text, key=key: text["scores"][key], missing) for key, missing in (("ctc", -np.inf), ("attention", 0), ("reverse_attention", 0)))
        lengths = matrix(lambda _, text: len(text["text"].split()), 0)
        wrong = matrix(lambda index, text: errors(scores.references[index], text["text"]), np.inf)
        words = scores.words[used].sum()
        found = []
        for weight, share, bonus in itertools.product(weights, shares, bonuses):
            total = ctc + weight * ((1 - share) * left + share * right) + bonus * lengths
            chosen = np.take_along_axis(wrong, total.argmax(1)[:, None], 1)
            found.append((100 * chosen.sum() / words, weight, share, bonus))
        print(f"{latency} {name}: {len(used)} utterances, CTC alone {found[bonuses.index(0)][0]:.3f}, best of each list {100 * wrong.min(1).sum() / words:.2f}")
        found.sort()
        for rate, weight, share, bonus in found[:6] + [entry for entry in found if entry[3] == 0 and entry[1]][:6]:
            print(f"   {rate:.3f}  attention {weight}, reverse {share}, bonus {bonus}")
        for weight in weights if arguments.grid else []:
            print(f"   {weight:4}", " ".join(f"{rate:.3f}" for rate, w, s, b in sorted(found, key=lambda entry: entry[2]) if w == weight and b == 0))


def word_confidences(scores: Corpus, results: list[dict], name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each recognised word: its confidence, whether it is right, its speaker."""
    confidences, right, speakers = [], [], []
    for reference, speaker, result in zip(scores.references, scores.speaker, results):
        best = [utterance[0] for utterance in result["passes"][name]["utterances"]]
        words = [word for text in best for word in text["text"].split()]
        wrong = {op.dest_pos for op in Levenshtein.editops(reference.split(), words) if op.tag != "delete"}
        confidences += [confidence for text in best for confidence in text["confidences"]]
        right += [position not in wrong for position in range(len(words))]
        speakers += [speaker] * len(words)
    return np.array(confidences), np.array(right, float), np.array(speakers)


def calibration_error(confidences: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error (Guo et al. 2017) over bins of equal width."""
    place = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = np.bincount(place, confidences - right, bins)
    return np.abs(gaps).sum() / len(confidences)


def fit_logistic(x: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Scale and offset of most likelihood, by Newton's method."""
    inputs = np.stack([x, np.ones_like(x)], 1)
    solution = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-inputs @ solution))
        solution += np.linalg.solve((inputs * (p * (1 - p))[:, None]).T @ inputs, inputs.T @ (right - p))
    return solution


def calibrate(arguments, corpus: dict[str, dict]) -> None:
    """Fits word confidences on every other speaker and reports their error on the others.

    The fit is to come after the model's own calibration: scale · own scale, scale · own offset + offset.
    """
    scores = Corpus(list(corpus.values()))
    data = {}
    for latency in arguments.latency or LATENCIES:
        results = hear(arguments, latency, corpus)
        for name in ("greedy", "rescore", "full-context"):
            confidences, right, speakers = word_confidences(scores, results, name)
            p = np.clip(confidences, 1e-6, 1 - 1e-6)
            data[latency, name] = (np.log(p / (1 - p)), right, speakers % 2 == 0)
    x, right, fitted = (np.concatenate(part) for part in zip(*data.values()))
    pooled = fit_logistic(x[fitted], right[fitted])
    print(f"all together: scale {pooled[0]:.3f}, offset {pooled[1]:.3f}, on top of the model's own")
    print("latency pass          words  right %  mean confidence %  ECE % now  pooled  own  (own scale, offset)")
    for (latency, name), (x, right, fitted) in data.items():
        own = fit_logistic(x[fitted], right[fitted])
        x, right = x[~fitted], right[~fitted]
        now, together, alone = (1 / (1 + np.exp(-(scale * x + offset))) for scale, offset in ((1, 0), pooled, own))
        print(f"{latency:7} {name:12} {len(x):6} {100 * right.mean():8.2f} {100 * now.mean():18.2f} "
              f"{100 * calibration_error(now, right):10.2f} {100 * calibration_error(together, right):7.2f} "
              f"{100 * calibration_error(alone, right):4.2f}  ({own[0]:.3f}, {own[1]:.3f})")


def threshold(arguments, corpus: dict[str, dict]) -> None:
    """What --final-threshold costs and saves: the pass is skipped where CTC's margin is larger."""
    scores = Corpus(list(corpus.values()))
    for latency, name in itertools.product(arguments.latency or LATENCIES, ["rescore", "full-context"]):
        results = hear(arguments, latency, corpus)
        beam = scores.errors([result["passes"]["beam"]["text"] for result in results])
        settled = scores.errors([result["passes"][name]["text"] for result in results])
        margins = []
        for result in results:
            totals = [[text["scores"]["total"] for text in texts] for texts in result["passes"]["beam"]["utterances"]]
            margins.append(min((t[0] - t[1] if len(t) > 1 else np.inf for t in totals), default=np.inf))
        margins = np.array(margins)
        print(f"{latency} {name}: " + ", ".join(
            f"{limit} nats: {scores.rate(np.where(margins > limit, beam, settled)):.2f} % WER, {100 * (margins > limit).mean():.0f} % skipped"
            for limit in (0, 0.5, 1, 2, 3, 4, 6, np.inf)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpora/dev-clean")
    parser.add_argument("--subset", help="file of the corpus folder with a path a line")
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth utterance")
    parser.add_argument("--latency", action="append", help="repeatable (default: 320ms to full)")
    parser.add_argument("--pass", dest="passes", action="append", help="repeatable (default: each)")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--n-best", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, default=ROOT / ".build/passes", help="folder of what was heard")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/starling")
    parser.add_argument("--tune", action="store_true", help="which weights the lists of rescoring ask for")
    parser.add_argument("--calibrate", action="store_true", help="how far word confidences can be believed")
    parser.add_argument("--threshold", action="store_true", help="what --final-threshold costs and saves")
    parser.add_argument("--grid", action="store_true", help="with --tune: every weight")
    parser.add_argument("--reweigh", metavar="ATTENTION,REVERSE", help="choose from the lists of rescoring with these weights")
    parser.add_argument("--offline", action="store_true", help="hear nothing new")
    arguments = parser.parse_args()
    arguments.results.mkdir(parents=True, exist_ok=True)
    corpus = read_corpus(arguments.corpus, arguments.subset, arguments.every)
    chosen = [name for name in (tune, calibrate, threshold) if getattr(arguments, name.__name__)]
    (chosen[0] if chosen else report)(arguments, corpus)


if __name__ == "__main__":
    main()
