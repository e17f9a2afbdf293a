"""Corpora in the layouts that people have, as one list of utterances.

    LibriSpeech     SPEAKER/CHAPTER/*.trans.txt beside *.flac (text in capitals is made small)
    Common Voice    FILE.tsv with client_id, path, sentence; audio in clips/ beside it
    Kaldi           a folder with text and wav.scp (files, no pipes); utt2spk and segments if there
    NeMo            a manifest of JSON lines: audio_filepath, text, duration
    Starling        a folder with manifest.tsv: path, speaker, seconds, text
    plain           a folder of audio, each with a .txt of the same name beside it
"""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

from . import EvaluationError

AUDIO = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".sph"}


class CorpusError(EvaluationError):
    """What is wrong with a corpus: file, line, what was expected."""


@dataclass
class Utterance:
    id: str
    audio: Path
    text: str
    speaker: str | None = None
    # Seconds from and to which it lies in the audio file.
    segment: tuple[float, float] | None = None
    groups: dict[str, str] = field(default_factory=dict)


@dataclass
class Corpus:
    name: str
    folder: Path
    utterances: list[Utterance]
    # What its text needs before words can be compared.
    normalizer: str = "none"

    def chosen(self, subset: Path | None, every: int = 1, first: int | None = None) -> "Corpus":
        """The utterances whose path or id a file lists, of these every so-manieth, of these the first."""
        utterances = self.utterances
        if subset:
            known = {str(u.audio): u for u in utterances} | {u.id: u for u in utterances}
            utterances = []
            for number, name in enumerate(subset.read_text(encoding="utf-8").split("\n"), 1):
                if name.strip():
                    found = known.get(str((self.folder / name.strip()).resolve())) or known.get(name.strip())
                    if found is None:
                        raise CorpusError(f"{subset}:{number}: '{name}' is not in {self.folder}")
                    utterances.append(found)
        return Corpus(self.name, self.folder, utterances[::every][:first], self.normalizer)


def read(path: Path) -> Corpus:
    """Reads whatever layout `path` has."""
    if not path.exists():
        raise CorpusError(f"{path}: no such file or folder")
    path = path.resolve()
    if path.is_file():
        corpus = common_voice(path) if path.suffix == ".tsv" else nemo(path)
    elif (path / "manifest.tsv").exists():
        corpus = starling(path)
    elif (path / "wav.scp").exists() and (path / "text").exists():
        corpus = kaldi(path)
    elif next(path.rglob("*.trans.txt"), None):
        corpus = librispeech(path)
    elif (path / "clips").is_dir():
        raise CorpusError(f"{path}: looks like Common Voice; name one of its files, such as {path / 'test.tsv'}")
    else:
        corpus = plain(path)
    seen: dict[str, Utterance] = {}
    for utterance in corpus.utterances:
        if utterance.id in seen:
            raise CorpusError(f"{path}: utterance '{utterance.id}' is there twice: {seen[utterance.id].audio} and {utterance.audio}")
        seen[utterance.id] = utterance
    if not seen:
        raise CorpusError(f"{path}: expected utterances, found none")
    return corpus


def lines(file: Path):
    try:
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
            if line.strip():
                yield number, line.rstrip("\r")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{file}: expected UTF-8 text: {error}") from error


def rows(file: Path, needed: list[str]):
    with open(file, encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = set(needed) - set(reader.fieldnames or [])
        if missing:
            raise CorpusError(f"{file}:1: no column {', '.join(sorted(missing))}; found {', '.join(reader.fieldnames or ['nothing'])}")
        for row in reader:
            if None in row.values():
                raise CorpusError(f"{file}:{reader.line_num}: fewer values than columns")
            yield row


def starling(folder: Path) -> Corpus:
    utterances = [
        Utterance(str(Path(row["path"]).with_suffix("")), folder / row["path"], row["text"], None if row["speaker"] == "-" else row["speaker"])
        for row in rows(folder / "manifest.tsv", ["path", "speaker", "text"])
    ]
    return Corpus(folder.name, folder, utterances)


def common_voice(file: Path) -> Corpus:
    utterances = [
        Utterance(
            Path(row["path"]).stem, file.parent / "clips" / row["path"], row["sentence"], row["client_id"],
            groups={name: row[name] for name in ("age", "gender", "accents", "accent") if row.get(name)},
        )
        for row in rows(file, ["client_id", "path", "sentence"])
    ]
    return Corpus(f"{file.parent.name}-{file.stem}", file.parent, utterances, "english")


def nemo(file: Path) -> Corpus:
    utterances = []
    for number, line in lines(file):
        try:
            entry = json.loads(line)
            audio = Path(entry["audio_filepath"])
            text = entry["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(f"{file}:{number}: expected a JSON object with audio_filepath and text: {error!r}") from error
        segment = (entry["offset"], entry["offset"] + entry["duration"]) if entry.get("offset") else None
        name = str(audio.with_suffix("")).lstrip("/") + (f"-{entry['offset']}" if segment else "")
        utterances.append(Utterance(name, file.parent / audio, text, entry.get("speaker"), segment))
    return Corpus(file.stem, file.parent, utterances, "english")


def kaldi(folder: Path) -> Corpus:
    def table(name: str) -> dict[str, str]:
        found = {}
        for number, line in lines(folder / name):
            key, _, value = line.strip().partition(" ")
            if key in found:
                raise CorpusError(f"{folder / name}:{number}: '{key}' is there already")
            found[key] = value.strip()
        return found

    audio = table("wav.scp")
    for key, command in audio.items():
        if command.endswith("|"):
            raise CorpusError(f"{folder / 'wav.scp'}: '{key}' is a command ('{command}'); expected a file. Run it and name what it makes")
    speakers = table("utt2spk") if (folder / "utt2spk").exists() else {}
    segments = table("segments") if (folder / "segments").exists() else {}
    utterances = []
    for key, text in table("text").items():
        recording, segment = key, None
        if segments:
            try:
                recording, start, end = segments[key].split()
                segment = (float(start), float(end))
            except (KeyError, ValueError) as error:
                raise CorpusError(f"{folder / 'segments'}: expected 'id recording start end' for '{key}'") from error
        if recording not in audio:
            raise CorpusError(f"{folder / 'wav.scp'}: no recording '{recording}', which 'text' has")
        # Kaldi's paths are from where its recipe runs: try that, then the data folder.
        path = Path(audio[recording])
        path = path if path.exists() else folder / path
        utterances.append(Utterance(key, path.resolve(), text, speakers.get(key), segment))
    return Corpus(folder.name, folder, utterances)


def librispeech(folder: Path) -> Corpus:
    utterances = []
    for transcript in sorted(folder.rglob("*.trans.txt")):
        for number, line in lines(transcript):
            name, _, text = line.partition(" ")
            audio = next((transcript.parent / (name + suffix) for suffix in (".flac", *sorted(AUDIO)) if (transcript.parent / (name + suffix)).exists()), None)
            if audio is None:
                raise CorpusError(f"{transcript}:{number}: no audio '{name}.flac' beside it")
            utterances.append(Utterance(name, audio, text.lower(), name.split("-")[0]))
    return Corpus(folder.name, folder, utterances)


def plain(folder: Path) -> Corpus:
    utterances = []
    for audio in sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO):
        text = audio.with_suffix(".txt")
        if not text.exists():
            raise CorpusError(f"{audio}: no text '{text.name}' beside it")
        utterances.append(Utterance(str(audio.relative_to(folder).with_suffix("")), audio, " ".join(text.read_text(encoding="utf-8").split())))
    if not utterances:
        raise CorpusError(f"{folder}: no corpus: expected *.trans.txt, wav.scp and text, manifest.tsv, or audio with .txt beside it")
    return Corpus(folder.name, folder, utterances, "english")
