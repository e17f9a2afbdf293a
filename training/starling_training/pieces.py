"""Texts to classes and back, by the pieces of a model's `tokens.txt`."""

import math
import unicodedata
from functools import lru_cache
from pathlib import Path

WORD_START = "▁"


def spoken(text: str) -> str:
    """A written text as the models write: small letters, no punctuation but apostrophes in words. A
    text that is so already stays, with apostrophes at the ends of words ("'tis")."""
    if all(c == " " or c == "'" or c.islower() for c in text):
        return " ".join(text.split())
    letters = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("‘", "'")
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in letters)
    return " ".join(filter(None, (word.strip("'") for word in kept.split())))


class Pieces:
    """The vocabulary of a model folder: a unigram model over pieces (Kudo 2018)."""

    def __init__(self, path: Path):
        self.pieces: list[str] = []
        self.scores: dict[str, tuple[int, float]] = {}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            piece, tab, score = line.partition("\t")
            if tab:
                try:
                    self.scores[piece] = (len(self.pieces), float(score))
                except ValueError:
                    raise ValueError(f"{path}:{number}: expected a log-probability after the tab, found {score!r}") from None
            self.pieces.append(piece)
        if not self.scores:
            raise ValueError(f"{path}: no log-probabilities, so texts cannot be split into pieces")
        self.longest = max(map(len, self.scores))
        self._of_word = lru_cache(maxsize=100_000)(self._split)

    def encode(self, text: str) -> list[int] | None:
        """The classes of a text, or None if it has a letter that no piece has."""
        classes: list[int] = []
        for word in text.split():
            found = self._of_word(word)
            if found is None:
                return None
            classes += found
        return classes

    def decode(self, classes: list[int]) -> str:
        return "".join(self.pieces[c] for c in classes).replace(WORD_START, " ").strip()

    def _split(self, word: str) -> tuple[int, ...] | None:
        """The best-scoring path over a word (Viterbi)."""
        letters = WORD_START + word
        best: list[tuple[float, int, int]] = [(0.0, 0, -1)]  # score, where the last piece starts, its class
        for end in range(1, len(letters) + 1):
            paths = [
                (best[start][0] + score, start, index)
                for start in range(max(0, end - self.longest), end)
                for index, score in [self.scores.get(letters[start:end], (-1, -math.inf))]
            ]
            best.append(max(paths))
        if best[-1][0] == -math.inf:
            return None
        classes, end = [], len(letters)
        while end:
            _, end, index = best[end]
            classes.append(index)
        return tuple(reversed(classes))
