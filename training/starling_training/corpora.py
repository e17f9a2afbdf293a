"""Corpora in the layouts that scripts/evaluate reads: one reader for both, from this repository."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

from evaluation.corpora import Corpus, CorpusError, Utterance, read  # noqa: E402

__all__ = ["Corpus", "CorpusError", "Utterance", "read"]
