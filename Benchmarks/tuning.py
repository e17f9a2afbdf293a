#!/usr/bin/env python3
"""What the n-best lists of a corpus say about weights, word confidences and thresholds.

    Benchmarks/tuning.py tune                       # which weights the lists ask for
    Benchmarks/tuning.py calibrate                  # how far word confidences can be believed
    Benchmarks/tuning.py threshold                  # what --final-threshold costs and saves

Hears what `scripts/evaluate --n-best 8` has not heard yet, and shares its results. Words are compared as
they stand. Needs rapidfuzz and numpy (pip install jiwer numpy).
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT / "scripts"))
from evaluation import EvaluationError, corpora, hearing

LATENCIES = hearing.LATENCIES


def hear(arguments, latency: str, corpus: corpora.Corpus) -> list[dict]:
    """The lines of `starling compare` for the corpus, those of earlier runs included."""
    return arguments.hearing.hear(corpus, latency)


def errors(reference: str, text: str) -> int:
    return Levenshtein.distance(reference.split(), text.split())


class Scores:
    """Errors of systems on one list of utterances."""

    def __init__(self, corpus: corpora.Corpus):
        self.references = [u.text for u in corpus.utterances]
        self.words = np.array([len(text.split()) for text in self.references])
        speakers = sorted({u.speaker or u.id for u in corpus.utterances})
        index = {speaker: place for place, speaker in enumerate(speakers)}
        self.speaker = np.array([index[u.speaker or u.id] for u in corpus.utterances])

    def errors(self, texts: list[str]) -> np.ndarray:
        return np.array([errors(reference, text) for reference, text in zip(self.references, texts)])

    def rate(self, errors: np.ndarray) -> float:
        return 100 * errors.sum() / self.words.sum()


def tune(arguments, corpus: corpora.Corpus) -> None:
    """Rescoring weights over a grid: S = ctc + w · ((1 − ρ) · left + ρ · right) + η · tokens."""
    scores = Scores(corpus)
    weights = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1]
    shares = [0, 0.15, 0.3, 0.5, 0.7, 1]
    bonuses = [-0.25, 0, 0.25, 0.5, 0.75, 1]
    for latency, name in itertools.product(arguments.latency or LATENCIES, ["rescore", "full-context"]):
        # Utterances that were heard as one, so that the reference belongs to the list.
        lists = [result["passes"][name]["utterances"] for result in hear(arguments, latency, corpus)]
        used = [index for index, utterances in enumerate(lists) if len(utterances) == 1]
        longest = max(len(lists[index][0]) for index in used)

        def matrix(value, missing: float) -> np.ndarray:
            rows = [[value(index, text) for text in lists[index][0]] for index in used]
            return np.array([row + [missing] * (longest - len(row)) for row in rows])

        ctc, left, right = (matrix(lambda _, text, key=key: text["scores"][key], missing) for key, missing in (("ctc", -np.inf), ("attention", 0), ("reverse_attention", 0)))
        lengths = matrix(lambda _, text: text["scores"]["tokens"], 0)
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


def word_confidences(scores: Scores, results: list[dict], name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def calibrate(arguments, corpus: corpora.Corpus) -> None:
    """Fits word confidences on every other speaker and reports their error on the others.

    The fit is to come after the model's own calibration: scale · own scale, scale · own offset + offset.
    """
    scores = Scores(corpus)
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


def threshold(arguments, corpus: corpora.Corpus) -> None:
    """What --final-threshold costs and saves: the pass is skipped where CTC's margin is larger."""
    scores = Scores(corpus)
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
    tools = {tool.__name__: tool for tool in (tune, calibrate, threshold)}
    parser.add_argument("tool", choices=tools)
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpora/dev-clean")
    parser.add_argument("--subset", type=Path, help="file with a path or id a line")
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth utterance")
    parser.add_argument("--latency", action="append", help="repeatable (default: 320ms to full)")
    parser.add_argument("--model", type=Path, default=ROOT / "models/starling-en-small")
    parser.add_argument("--n-best", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, default=ROOT / ".build/evaluate", help="folder of what was heard")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/starling")
    parser.add_argument("--grid", action="store_true", help="of tune: every weight")
    parser.add_argument("--offline", action="store_true", help="hear nothing new")
    arguments = parser.parse_args()
    try:
        arguments.hearing = hearing.Hearing(
            arguments.results, arguments.binary, arguments.model, jobs=arguments.jobs, n_best=arguments.n_best, offline=arguments.offline
        )
        tools[arguments.tool](arguments, corpora.read(arguments.corpus).chosen(arguments.subset, arguments.every))
    except EvaluationError as error:
        sys.exit(f"tuning.py: {error}")


if __name__ == "__main__":
    main()
