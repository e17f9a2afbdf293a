"""What a frozen encoder says of every recording, computed once and mapped by every process."""

import os
import zlib
from pathlib import Path

import torch
import torch.distributed as distributed
from torch import Tensor

from .audio import AudioStore, Recording
from .encoded import encoded
from .features import SHIFT
from .model import ConformerCTC
from .stream import BlockShape


def frames_in(recording: Recording) -> int:
    """Encoder frames of a recording."""
    return (1 + recording.samples // SHIFT + 3) // 4


class FrozenOutputs:
    """The encoder's output of clean recordings for some block sizes, bfloat16 [all frames, d] in a file each.

    A decoder that is trained alone hears the corpora many times; the encoder then does so once."""

    def __init__(
        self, folder: Path, encoder: ConformerCTC, store: AudioStore, shapes: list[BlockShape | None],
        rank: int = 0, world: int = 1, bfloat16: bool = True,
    ):
        """Computes what `folder` does not have yet. The files' names tell encoders and corpora apart."""
        # By where a recording's samples lie: ids of different corpora may be the same.
        self.width, self.starts, total = encoder.config.width, {}, 0
        for recording in store.recordings:
            self.starts[recording.offset] = total
            total += frames_in(recording)
        folder.mkdir(exist_ok=True)
        mark = zlib.crc32(repr([(recording.id, recording.samples) for recording in store.recordings]).encode())
        for tensor in encoder.state_dict().values():
            mark = zlib.crc32((tensor.cpu().flatten() + 0).numpy(), mark)  # -0.0 is 0.0
        self.files: dict[BlockShape | None, Tensor] = {}
        for shape in shapes:
            name = "full" if shape is None else f"{shape.new_frames}-{shape.look_ahead_frames}-{shape.left_context}"
            path = folder / f"{name}-{mark:08x}.bf16"
            if not path.exists():
                partial = path.with_suffix(".partial")
                rows = self._mapped(partial, total)
                for i, frames in encoded(encoder, store, store.recordings, shape, bfloat16, rank, world):
                    start = self.starts[store.recordings[i].offset]
                    rows[start : start + len(frames)] = frames.to("cpu", torch.bfloat16)
                if world > 1:
                    distributed.barrier()
                if rank == 0:
                    os.replace(partial, path)
                if world > 1:
                    distributed.barrier()
            self.files[shape] = self._mapped(path, total)

    def _mapped(self, path: Path, frames: int) -> Tensor:
        size = frames * self.width
        return torch.from_file(str(path), shared=True, size=size, dtype=torch.bfloat16).view(frames, self.width)

    def batch(self, recordings: list[Recording], shape: BlockShape | None) -> tuple[Tensor, Tensor]:
        """[b, T, d], zeros after each one's end, and the lengths [b]."""
        rows, lengths = self.files[shape], [frames_in(recording) for recording in recordings]
        hidden = torch.zeros(len(recordings), max(lengths), self.width)
        for row, recording, n in zip(hidden, recordings, lengths):
            row[:n] = rows[self.starts[recording.offset] :][:n]
        return hidden, torch.tensor(lengths)
