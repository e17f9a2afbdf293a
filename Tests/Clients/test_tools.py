"""Programs that others wrote, as their users run them."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import LATENCY, RAW, SAMPLES, STARLING, Server, needs, pcm, sample, transcribe, wav


class ToolTests(unittest.TestCase):
    @needs("wyoming-bench")
    def test_wyoming_bench(self):
        """It hears no text but that of `starling transcribe`, in either of its modes."""
        with tempfile.TemporaryDirectory() as folder, Server() as server:
            for name in SAMPLES:
                Path(folder, f"{name}.wav").write_bytes(wav(name))
                Path(folder, f"{name}.txt").write_text(transcribe(pcm(name)))
            command = ["wyoming-bench", "stt", f"127.0.0.1:{server.port['wyoming']}"]
            options = ["--corpus", folder, "--trailing-silence", "0", "--rounds", "2", "-v"]
            run = subprocess.run(
                command + options, stdout=subprocess.PIPE, text=True, timeout=120, check=True
            )
        runs = re.findall(r"^\[(\w+)\] r\d .* WER=(\S+)", run.stdout, re.M)
        self.assertEqual(len(runs), 2 * 2 * len(SAMPLES), run.stdout)
        self.assertEqual({mode for mode, _ in runs}, {"non_streaming", "streaming"})
        self.assertEqual({rate for _, rate in runs}, {"0.0%"}, run.stdout)
        # Of each mode: errors in words and in letters, and the share of texts without any.
        rates = re.findall(r"WER=(\S+)\s+CER=(\S+)\s+SAR=(\S+)", run.stdout)
        self.assertEqual(rates, [("0.0%", "0.0%", "100.0%")] * 2, run.stdout)

    def test_sox_into_starling_stream(self):
        """A pipe that is written as it goes, without a server."""
        form = ["-r", "16000", "-c", "1", "-b", "16", "-D", "-e", "signed-integer", "-t", "raw"]
        listen = [STARLING, "stream", "--latency", LATENCY, *RAW]
        for name in SAMPLES:
            command = ["sox", "-V1", sample(name), *form, "-"]
            sox = subprocess.Popen(command, stdout=subprocess.PIPE)
            run = subprocess.run(
                listen, stdin=sox.stdout, stdout=subprocess.PIPE, text=True, timeout=60, check=True
            )
            sox.stdout.close()
            self.assertEqual(sox.wait(), 0)
            self.assertEqual(" ".join(run.stdout.split()), transcribe(pcm(name)))


if __name__ == "__main__":
    unittest.main()
