"""What several tests need."""

import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))

from starling_training.features import synthetic_log_mel  # noqa: E402

MODEL = ROOT / "models/starling-en-small"
SHARED = ROOT.parent / "shared"

# Steps are small, and on a busy machine two threads wait for each other longer than they work.
torch.set_num_threads(1)


def speech_like(frames: int, seed: int = 1) -> torch.Tensor:
    """Log-mel frames [1, frames, 80]."""
    return torch.from_numpy(synthetic_log_mel(frames, seed=seed))
