"""What these tests share: the command, samples of speech, scratch folders."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARLING = os.environ.get("STARLING", str(ROOT / ".build/release/starling"))
SAMPLES = ROOT / "audio-samples"
# Samples with a text, and speakers made up for them.
TEXTS = dict(line.split("\t") for line in (SAMPLES / "texts.tsv").read_text(encoding="utf-8").splitlines()[1:])
SHORT = ["book-22khz.flac", "dreamland.mp3", "telephone-8khz.wav"]

sys.path.insert(0, str(ROOT / "scripts"))


class FolderTest(unittest.TestCase):
    """A test with a folder that is gone after it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, content: str | bytes = "") -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def plain_corpus(self) -> Path:
        """Three samples with their texts beside them."""
        for name in SHORT:
            self.write(f"corpus/{name}", (SAMPLES / name).read_bytes())
            self.write(f"corpus/{Path(name).stem}.txt", TEXTS[name] + "\n")
        return self.folder / "corpus"


def evaluate(*arguments: str | Path) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "scripts/evaluate", "--binary", STARLING, *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=240)
