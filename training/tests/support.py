"""What several tests need."""

import atexit
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))

from starling_training.features import synthetic_log_mel  # noqa: E402

MODEL = ROOT / "models/starling-en-small"
SHARED = ROOT.parent / "shared"


def first_model() -> Path | None:
    """The first model that was shipped, of which ../shared has weights and goldens; None where it is missing."""
    weights = SHARED / "weights/starling-en-small"
    if not weights.is_dir():
        return None
    folder = Path(tempfile.mkdtemp(prefix="starling-first-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copy(ROOT / "Tests/RecognizerTests/Fixtures/first-model.json", folder / "config.json")
    for name in ("model.safetensors", "tokens.txt"):
        (folder / name).symlink_to(weights / name)
    return folder


FIRST = first_model()
GOLDENS = SHARED / "goldens/starling-en-small"
needs_goldens = unittest.skipUnless(FIRST and GOLDENS.is_dir(), f"no first model or no goldens in {SHARED}")

# Steps are small, and on a busy machine two threads wait for each other longer than they work.
torch.set_num_threads(1)


def speech_like(frames: int, seed: int = 1) -> torch.Tensor:
    """Log-mel frames [1, frames, 80]."""
    return torch.from_numpy(synthetic_log_mel(frames, seed=seed))
