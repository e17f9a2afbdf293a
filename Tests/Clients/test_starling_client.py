#!/usr/bin/env python3
"""`starling client` against `starling serve`, in every protocol.

    python3 -m unittest discover Tests/Clients
"""

import json
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import support
from support import LATENCY, STARLING, Server, sample, starling

SAMPLES = [str(sample(name)) for name in support.SAMPLES]
PROTOCOLS = ["native", "vosk", "wenet", "sherpa", "sherpa-python", "wyoming"]
FLOAT_PROTOCOLS = ["sherpa", "sherpa-python"]
TOKEN = "a token of enough letters"


def transcribe(path: str) -> str:
    return starling("transcribe", "--latency", LATENCY, path).strip()


def client(protocol: str, address: str, *arguments: str, input: bytes | None = None) -> subprocess.CompletedProcess:
    command = [STARLING, "client", "--protocol", protocol, "--server", address, *arguments]
    return subprocess.run(command, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


def text(run: subprocess.CompletedProcess) -> str:
    return " ".join(run.stdout.decode().split("\n")).strip()


class StarlingClientTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.folder = tempfile.TemporaryDirectory()
        # The 16-bit protocols round what the client resamples, which may turn a doubtful word: these recordings they
        # carry without loss.
        cls.lossless = [f"{cls.folder.name}/{Path(path).stem}.wav" for path in SAMPLES]
        for path, copy in zip(SAMPLES, cls.lossless):
            subprocess.run(["sox", path, "-r", "16000", "-c", "1", "-b", "16", copy], check=True, stderr=subprocess.DEVNULL)
        cls.texts = {path: transcribe(path) for path in SAMPLES + cls.lossless}

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def expect_fault(self, run: subprocess.CompletedProcess, *parts: str):
        errors = run.stderr.decode()
        self.assertEqual(run.returncode, 1, errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        for part in parts:
            self.assertIn(part, errors)

    def test_every_protocol_says_what_transcribe_says(self):
        for protocol in PROTOCOLS + ["native-unix", "wyoming-unix"]:
            for path in self.lossless + (SAMPLES if protocol in FLOAT_PROTOCOLS else []):
                run = client(protocol.removesuffix("-unix"), self.server.address(protocol), path)
                self.assertEqual((text(run), run.stderr, run.returncode), (self.texts[path], b"", 0), protocol)

    def test_realtime_interface(self):
        run = client("realtime", self.server.address("http"), SAMPLES[1])
        self.assertEqual((text(run), run.stderr, run.returncode), (self.texts[SAMPLES[1]], b"", 0))

    def test_several_files_and_changes_as_json(self):
        run = client("native", self.server.address("native"), "--format", "jsonl", *self.lossless)
        events = [json.loads(line) for line in run.stdout.splitlines()]
        for path in self.lossless:
            own = [event for event in events if event["file"] == path]
            finals = [event["text"] for event in own if event["type"] == "final" and event["text"]]
            self.assertEqual(" ".join(finals), self.texts[path])
            self.assertEqual(own[0]["type"], "partial")
            self.assertEqual([event["time"] for event in own], sorted(event["time"] for event in own))

    def test_standard_input_as_it_comes(self):
        for arguments, form in [([], ["-t", "wav"]), ([], ["-t", "raw", "-r", "16000", "-e", "signed", "-b", "16"]), (["--encoding", "mulaw", "--sample-rate", "8000"], ["-t", "raw", "-r", "8000", "-e", "mu-law"])]:
            audio = subprocess.run(["sox", SAMPLES[0], "-c", "1", *form, "-"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            run = client("vosk", self.server.address("vosk"), *arguments, "-", input=audio)
            self.assertIn("could he witness the definite imprisonment of his grandfather", text(run))
        # A result comes while the input is still open.
        command = [STARLING, "client", "--server", self.server.address("native"), "--format", "jsonl", "-"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        samples = subprocess.run(["sox", SAMPLES[0], "-r", "16000", "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        process.stdin.write(samples[:96_000])
        process.stdin.flush()
        self.assertEqual(json.loads(process.stdout.readline())["type"], "partial")
        # Control-C ends the audio, not the text.
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
        self.assertEqual(json.loads(rest.splitlines()[-1])["type"], "final")
        self.assertEqual(process.returncode, 0)

    def test_audio_at_the_speed_of_speech(self):
        start = time.monotonic()
        run = client("native", self.server.address("native"), "--realtime", self.lossless[1])
        self.assertEqual(text(run), self.texts[self.lossless[1]])
        self.assertGreater(time.monotonic() - start, 4)

    def test_options_of_the_native_protocol(self):
        run = client("native", self.server.address("native"), "--final-pass", "full-context", "--latency", "320ms", "--hot-word", "fall", SAMPLES[0])
        self.assertIn("watch the covering earth fall noisily", text(run))
        run = client("native", self.server.address("native"), "--latency", "soon", SAMPLES[0])
        self.expect_fault(run, self.server.address("native"), SAMPLES[0], "the latency is 'soon', expected 160ms")

    def test_what_a_protocol_cannot_carry_is_refused(self):
        for protocol, *arguments in [("vosk", "--latency", "320ms"), ("wenet", "--hot-word", "Ada"), ("sherpa", "--final-pass", "rescore"), ("wyoming", "--token-file", "/dev/null")]:
            run = client(protocol, "127.0.0.1:1", *arguments, SAMPLES[0])
            self.assertEqual(run.returncode, 64)
            self.assertIn(f"{arguments[0]} has no place in {protocol}, only in native", run.stderr.decode())
        for arguments in (["--rounds", "2"], ["--load", "0"], ["--format", "srt"], ["--load", "2", "-"]):
            self.assertEqual(client("native", "127.0.0.1:1", *arguments, SAMPLES[0]).returncode, 64, arguments)

    def test_wrong_servers(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{unused.getsockname()[1]}"
        for protocol in PROTOCOLS:
            self.expect_fault(client(protocol, address, *SAMPLES), address, SAMPLES[0], "Connection refused")
        self.expect_fault(client("native", "unix:/nowhere/socket", SAMPLES[0]), "unix:/nowhere/socket", "No such file")
        self.expect_fault(client("native", self.server.address("native"), "/nowhere.wav"), "/nowhere.wav")
        for spoken, listener, found in [("native", "vosk", "expected an answer in the protocol"), ("native", "wyoming", "expected an answer"), ("vosk", "native", "expected a WebSocket"), ("wyoming", "native", "expected an answer")]:
            self.expect_fault(client(spoken, self.server.address(listener), SAMPLES[0]), self.server.address(listener), found)

    def test_load(self):
        for protocol, *arguments in [("native",), ("vosk", "--fast", "--rounds", "2"), ("wyoming", "--fast", "--stagger", "0")]:
            run = client(protocol, self.server.address(protocol), "--load", "4", "--format", "json", *arguments, *self.lossless[1:])
            report = json.loads(run.stdout)
            heard = 4 * 2 * (2 if "--rounds" in arguments else 1)
            self.assertEqual((run.returncode, report["failures"], report["differing"], report["hearings"]), (0, {}, 0, heard))
            self.assertEqual({file["file"]: file["text"] for file in report["files"]}, {path: self.texts[path] for path in self.lossless[1:]})
            self.assertEqual(report["first_partial"]["count"], heard)
            self.assertEqual(report["final_after_end"]["count"], heard)
            self.assertEqual(report["result_lag"] is None, protocol != "native")
            self.assertEqual(report["send_delay"] is None, "--fast" in arguments)
            self.assertLessEqual(report["final_after_end"]["p50"], report["final_after_end"]["max"])
        run = client("native", self.server.address("native"), "--load", "2", "--duration", "1", "--fast", SAMPLES[1])
        self.assertIn("texts: the same in all sessions", run.stdout.decode())


class FaultTests(unittest.TestCase):
    expect_fault = StarlingClientTests.expect_fault

    def test_tokens(self):
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for name, token in [("right", TOKEN), ("wrong", TOKEN[::-1]), ("short", "short")]:
                files[name] = f"{folder}/{name}"
                Path(files[name]).write_text(token + "\n")
            with Server("--token-file", files["right"]) as server:
                address = server.address("native")
                self.assertEqual(text(client("native", address, "--token-file", files["right"], SAMPLES[1])), transcribe(SAMPLES[1]))
                for arguments in ([], ["--token-file", files["wrong"]]):
                    self.expect_fault(client("native", address, *arguments, SAMPLES[1]), address, SAMPLES[1], "unauthorized")
                self.expect_fault(client("native", address, "--token-file", files["short"], SAMPLES[1]), files["short"], "16 characters")
                run = client("native", address, "--load", "2", "--fast", "--format", "json", SAMPLES[1])
                self.assertEqual((run.returncode, json.loads(run.stdout)["failures"]), (1, {"unauthorized": 2}))

    def test_servers_that_go_in_the_midst(self):
        for sign, found in [(signal.SIGKILL, "the connection was lost after"), (signal.SIGTERM, "the server ended after")]:
            runs = {}
            with Server() as server:
                for protocol in PROTOCOLS:
                    command = [STARLING, "client", "--protocol", protocol, "--server", server.address(protocol), "--realtime", SAMPLES[0]]
                    runs[protocol] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                server.wait_to_hear(3 * len(PROTOCOLS))
                server.stop(sign)
            for protocol, process in runs.items():
                output, errors = process.communicate(timeout=30)
                run = subprocess.CompletedProcess([], process.returncode, output, errors)
                self.expect_fault(run, server.address(protocol), SAMPLES[0], found)
                if sign == signal.SIGTERM:
                    self.assertIn("could he", output.decode(), protocol)


if __name__ == "__main__":
    unittest.main()
