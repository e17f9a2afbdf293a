"""Curves of a run: losses by block size, and validation."""

import csv
from collections import defaultdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from .train import VALIDATION_SHAPES  # noqa: E402

PARTS = {"distillation": "KL to the teacher, nats a frame", "ctc": "CTC, nats a frame", "attention": "decoder, nats a token"}


def plot(log: Path, output: Path) -> None:
    """Running means over steps of the same block size, by audio-hours; below them word error rates."""
    with open(log, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    steps = [row for row in rows if row["shape"]]
    parts = {name: title for name, title in PARTS.items() if any(row[name] for row in steps)}
    validations = [row for row in rows if row["wer full"]]
    figure, axes = plt.subplots(1, len(parts) + bool(validations), figsize=(5 * (len(parts) + bool(validations)), 4), squeeze=False)
    for axis, (name, title) in zip(axes[0], parts.items()):
        curves = defaultdict(list)
        for row in steps:
            if row[name]:
                curves[row["shape"]].append((float(row["hours"]), float(row[name])))
        for shape, points in sorted(curves.items()):
            hours, values = np.array(points).T
            width = max(1, min(50, len(values) // 5))
            kernel = np.ones(width) / width
            axis.plot(np.convolve(hours, kernel, "valid"), np.convolve(values, kernel, "valid"), label=shape)
        axis.set(title=title, xlabel="audio-hours")
        axis.legend()
    if validations:
        hours = [float(row["hours"]) for row in validations]
        for name in VALIDATION_SHAPES:
            axes[0][-1].plot(hours, [float(row[f"wer {name}"]) for row in validations], marker="o", label=name)
        axes[0][-1].set(title="greedy WER %, averaged weights", xlabel="audio-hours", ylim=(0, None))
        axes[0][-1].legend()
    figure.tight_layout()
    figure.savefig(output)
