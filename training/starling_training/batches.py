"""Which utterances go together, and a batch made ready for the model.

All randomness is a function of (seed, epoch, number of the batch), so a run that goes on after a stop
sees what it would have seen.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .audio import RATE, AudioStore, Recording
from .augment import Augmentation, speed
from .pieces import Pieces


@dataclass(frozen=True)
class Item:
    recording: Recording
    speed: float

    @property
    def samples(self) -> int:
        return round(self.recording.samples / self.speed)


@dataclass
class Batch:
    """b utterances: what the teacher hears and what the student does, and what was said."""

    clean: Tensor  # [b, N], zeros beyond the lengths
    heard: Tensor  # [b, N]
    lengths: Tensor  # [b], samples
    targets: list[list[int] | None]  # classes; None where the text has none
    recordings: list[Recording]
    seed: int

    @property
    def hours(self) -> float:
        return self.lengths.sum().item() / RATE / 3600

    def to(self, device: torch.device) -> "Batch":
        moved = (tensor.to(device, non_blocking=True) for tensor in (self.clean, self.heard, self.lengths))
        return Batch(*moved, self.targets, self.recordings, self.seed)


class Epoch:
    """One pass over a store: batches of like lengths, none over `seconds` with its padding."""

    def __init__(
        self, recordings: list[Recording], seconds: float, speeds: tuple[float, ...], seed: int, epoch: int,
        multiple: int = 1,
    ):
        """The number of batches is a multiple of `multiple`, the number of processes."""
        rng = np.random.default_rng([seed, epoch, 1])
        items = [Item(recording, float(rng.choice(speeds))) for recording in recordings]
        # The jitter lets utterances meet others than those of their very length.
        order = sorted(range(len(items)), key=lambda i: items[i].samples * rng.uniform(0.95, 1.05))
        self.batches: list[list[Item]] = []
        batch: list[Item] = []
        for item in (items[i] for i in order):
            longest = max([item.samples, *(other.samples for other in batch)])
            if batch and longest * (len(batch) + 1) > seconds * RATE:
                self.batches.append(batch)
                batch = []
            batch.append(item)
        self.batches.append(batch)
        rng.shuffle(self.batches)
        self.batches += self.batches[: -len(self.batches) % multiple]

    @property
    def padding(self) -> float:
        """The share of all frames that is padding."""
        real = sum(item.samples for batch in self.batches for item in batch)
        whole = sum(len(batch) * max(item.samples for item in batch) for batch in self.batches)
        return 1 - real / whole


@dataclass(frozen=True)
class Loader:
    """Makes batches ready, some ahead on threads. Babble and pieces are of `recordings`, those to train on."""

    store: AudioStore
    recordings: list[Recording]
    pieces: Pieces
    augmentation: Augmentation | None
    seed: int
    threads: int = 0
    splice: float = 0.0

    def load(self, items: list[Item], epoch: int, number: int) -> Batch:
        rng = np.random.default_rng([self.seed, epoch, number, 2])
        spliced = [self.splice > rng.random() for _ in items]
        clean = [
            speed(self.spliced(item.recording.samples, rng) if other else self.store.samples(item.recording), item.speed)
            for item, other in zip(items, spliced)]
        heard = clean
        if self.augmentation is not None:
            chosen = rng.integers(0, len(self.recordings), size=3)
            babble = [self.store.samples(self.recordings[i]) for i in chosen]
            heard = [self.augmentation.apply(samples, babble, rng) for samples in clean]
        return Batch(
            stack(clean), stack(heard), torch.tensor([len(samples) for samples in clean]),
            [None if other else self.pieces.encode(item.recording.text) for item, other in zip(items, spliced)],
            [item.recording for item in items], int(rng.integers(2**62)))

    def spliced(self, samples: int, rng: np.random.Generator) -> np.ndarray:
        """Pieces of 1 to 4 seconds of any recordings, one after the other: words that nobody said in this
        order, which cannot be learnt by heart. Only a teacher knows what they are."""
        fade = np.linspace(0, 1, RATE // 100, dtype=np.float32)
        parts: list[np.ndarray] = []
        while sum(map(len, parts)) < samples:
            whole = self.store.samples(self.recordings[rng.integers(len(self.recordings))])
            wanted = int(rng.uniform(1, 4) * RATE)
            start = int(rng.integers(max(len(whole) - wanted, 0) + 1))
            part = whole[start : start + wanted].copy()
            ends = min(len(fade), len(part))
            part[:ends] *= fade[:ends]
            part[len(part) - ends :] *= fade[:ends][::-1]
            parts.append(part)
        return np.concatenate(parts)[:samples]

    def each(self, epoch: Epoch, number: int, rank: int, world: int, first: int = 0) -> Iterator[Batch]:
        """The batches of one of `world` processes in an epoch, from its `first`-th on."""
        mine = list(range(rank, len(epoch.batches), world))[first:]
        if not self.threads:
            for i in mine:
                yield self.load(epoch.batches[i], number, i)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            ahead: deque = deque()
            for i in mine:
                ahead.append(pool.submit(self.load, epoch.batches[i], number, i))
                if len(ahead) > 2 * self.threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()


def stack(rows: list[np.ndarray]) -> Tensor:
    """[b, longest], zeros after each row's end."""
    stacked = np.zeros((len(rows), max(map(len, rows))), np.float32)
    for row, values in zip(stacked, rows):
        row[: len(values)] = values
    return torch.from_numpy(stacked)
