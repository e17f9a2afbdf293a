"""The audio of corpora, decoded once into one file of samples that every process maps."""

import json
import zlib
from dataclasses import asdict, dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import soundfile
import soxr

from . import corpora
from .pieces import spoken

RATE = 16_000


@dataclass(frozen=True)
class Recording:
    """An utterance and where its samples lie."""

    id: str
    corpus: str
    speaker: str | None
    text: str
    offset: int
    samples: int

    @property
    def seconds(self) -> float:
        return self.samples / RATE


class AudioStore:
    """16-bit mono samples at 16 kHz of many utterances, mapped, not read."""

    def __init__(self, folder: Path):
        self.folder = folder
        lines = (folder / "index.jsonl").read_text(encoding="utf-8").splitlines()
        self.sources: list[str] = json.loads(lines[0])["sources"]
        self.recordings = [Recording(**json.loads(line)) for line in lines[1:]]
        self.data = np.memmap(folder / "audio.i16", np.int16, mode="r")

    def split(self, held_out: float) -> tuple[list[Recording], list[Recording]]:
        """The recordings to train on, and those held out: a share that depends on their ids alone."""
        parts: tuple[list[Recording], list[Recording]] = [], []
        for recording in self.recordings:
            parts[zlib.crc32(recording.id.encode()) % 1000 < 1000 * held_out].append(recording)
        return parts

    def samples(self, recording: Recording) -> np.ndarray:
        """float32 in ±1."""
        part = self.data[recording.offset : recording.offset + recording.samples]
        return part.astype(np.float32) / 32768

    @staticmethod
    def prepare(
        paths: list[Path], folder: Path, report=print, processes: int = 2, longest: float = 30.0,
    ) -> "AudioStore":
        """Decodes corpora, unless `folder` has just these already.

        What cannot be decoded, or is shorter than 0.1 s or longer than `longest` seconds, is named
        and left out. A corpus without utterances is an error, and so is one in which nothing can be
        read.
        """
        sources = [str(path) for path in paths]
        if (folder / "index.jsonl").exists():
            store = AudioStore(folder)
            if store.sources == sources:
                return store
        folder.mkdir(parents=True, exist_ok=True)
        utterances = [(corpus.name, u) for corpus in map(corpora.read, paths) for u in corpus.utterances]
        kept, left_out, offset = [], 0, 0
        with open(folder / "audio.i16", "wb") as data, Pool(processes) as pool:
            for (corpus, utterance), found in zip(utterances, pool.imap(_decode, (u for _, u in utterances), chunksize=16)):
                wrong = found if isinstance(found, str) else None
                if wrong is None and not 0.1 <= len(found) / RATE <= longest:
                    wrong = f"lasts {len(found) / RATE:.2f} s, expected 0.1 to {longest:g}"
                if wrong is not None:
                    report(f"{utterance.audio}: left out: {wrong}")
                    left_out += 1
                    continue
                data.write(found.tobytes())
                text = spoken(utterance.text)
                kept.append(Recording(utterance.id, corpus, utterance.speaker, text, offset, len(found)))
                offset += len(found)
        if not kept:
            raise corpora.CorpusError(f"{', '.join(sources)}: none of {len(utterances)} utterances can be used")
        index = [{"sources": sources}, *map(asdict, kept)]
        # Last, so that a folder with an index is whole.
        (folder / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in index), encoding="utf-8")
        report(f"{len(kept)} utterances, {offset / RATE / 3600:.2f} h; {left_out} left out")
        return AudioStore(folder)


def decode(path: Path, segment: tuple[float, float] | None = None) -> np.ndarray:
    """Mono float32 at 16 kHz of a file that libsndfile reads. Raises what libsndfile raises."""
    with soundfile.SoundFile(path) as file:
        rate = file.samplerate
        if segment is not None:
            file.seek(int(segment[0] * rate))
        frames = -1 if segment is None else int((segment[1] - segment[0]) * rate)
        samples = file.read(frames, dtype="float32", always_2d=True).mean(axis=1)
    return samples if rate == RATE else soxr.resample(samples, rate, RATE)


def _decode(utterance: corpora.Utterance) -> np.ndarray | str:
    try:
        samples = decode(utterance.audio, utterance.segment)
    except (soundfile.SoundFileError, OSError) as error:
        return str(error)
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
