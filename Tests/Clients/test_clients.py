#!/usr/bin/env python3
"""Real clients against `starling serve`, over real sockets and real speech.

    pip install -r Tests/Clients/requirements.txt
    python3 -m unittest discover Tests/Clients

Each says what `starling transcribe` says of the same audio at the same latency. A client that is
not installed is skipped by name.
"""

import asyncio
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import websockets

ROOT = Path(__file__).resolve().parents[2]
STARLING = os.environ.get("STARLING", str(ROOT / ".build/release/starling"))
SAMPLES = ["telephone-8khz.wav", "dreamland.mp3", "book-22khz.flac"]
LATENCY = "640ms"
SERVICES = ["native", "vosk", "wenet", "sherpa", "sherpa-python", "wyoming", "http"]


def pcm(name: str) -> bytes:
    """16-bit samples at 16 kHz."""
    command = ["sox", str(ROOT / "audio-samples" / name), "-r", "16000", "-c", "1", "-b", "16", "-e", "signed-integer", "-t", "raw", "-D", "-"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def transcribe(samples: bytes) -> str:
    """What the command line says of the same samples."""
    command = [STARLING, "transcribe", "--latency", LATENCY, "--encoding", "s16le", "--sample-rate", "16000", "-"]
    return subprocess.run(command, input=samples, check=True, stdout=subprocess.PIPE).stdout.decode().strip()


class Server:
    """`starling serve` on free ports."""

    def __init__(self, *options: str):
        self.folder = tempfile.TemporaryDirectory()
        self.unix = f"{self.folder.name}/starling.sock"
        listeners = [f"{service}=127.0.0.1:0" for service in SERVICES] + [f"native=unix:{self.unix}"]
        command = [STARLING, "serve", "--latency", LATENCY, *options]
        for listener in listeners:
            command += ["--listen", listener]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.port: dict[str, int] = {}
        for line in self.process.stderr:
            if found := re.search(r"listening: ([a-z-]+)=127.0.0.1:(\d+)", line):
                self.port[found[1]] = int(found[2])
            if line.strip().endswith("ready"):
                break

    def url(self, service: str) -> str:
        return f"ws://127.0.0.1:{self.port[service]}"

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port['http']}{path}", timeout=20) as response:
            return response.read().decode()

    def metric(self, name: str) -> float:
        return float(re.search(rf"^{name} (.+)$", self.get("/metrics"), re.M)[1])

    def stop(self, sign: int = signal.SIGTERM) -> int:
        self.process.send_signal(sign)
        status = self.process.wait(30)
        self.process.stderr.close()
        self.folder.cleanup()
        return status


def native(server: Server, samples: bytes, unix: bool = False, piece: int = 8000, **options) -> list[dict]:
    """The events of one session of the native protocol."""
    client = socket.socket(socket.AF_UNIX) if unix else socket.create_connection(("127.0.0.1", server.port["native"]))
    if unix:
        client.connect(server.unix)
    with client:
        client.sendall(json.dumps({"protocol": "starling", "version": 1} | options).encode() + b"\n")
        for start in range(0, len(samples), piece):
            client.sendall(samples[start : start + piece])
        client.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in client.makefile("rb")]


def finals(events: list[dict]) -> str:
    return " ".join(event["text"] for event in events if event["type"] == "final" and event["text"])


class ClientTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.audio = {name: pcm(name) for name in SAMPLES}
        cls.texts = {name: transcribe(samples) for name, samples in cls.audio.items()}

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def each(self):
        return [(self.audio[name], self.texts[name]) for name in SAMPLES]

    def test_native_tcp_and_unix(self):
        for samples, text in self.each():
            for unix in (False, True):
                events = native(self.server, samples, unix=unix, piece=random.choice([777, 32000]))
                self.assertEqual(finals(events), text)
                self.assertEqual(events[0]["type"], "ready")
                self.assertEqual(events[-1]["type"], "end")
                self.assertAlmostEqual(events[-1]["seconds"], len(samples) / 32000, places=2)
                committed = {}
                for event in events[1:-1]:
                    self.assertTrue(event["text"].startswith(event["committed"]))
                    if event["type"] == "partial":
                        self.assertTrue(event["committed"].startswith(committed.get(event["utterance"], "")))
                        committed[event["utterance"]] = event["committed"]

    def test_native_options(self):
        samples = self.audio["telephone-8khz.wav"]
        settled = native(self.server, samples, final_pass="full-context", partials=False, n_best=3)
        self.assertIn("watch the covering earth fall noisily", finals(settled))
        self.assertEqual([e["type"] for e in settled], ["ready", "final", "end"])
        self.assertGreater(len(settled[1]["alternatives"]), 1)
        self.assertEqual(settled[1]["alternatives"][0]["text"], settled[1]["text"])
        for wrong, field in [({"latency": "soon"}, "latency"), ({"final_pass": "magic"}, "final_pass"), ({"sample_rate": 1}, "sample_rate"), ({"colour": "red"}, "colour"), ({"hot_words": [{"phrase": "naïve7"}]}, "hot_words"), ({"lm_weight": 1}, "lm_weight")]:
            events = native(self.server, b"", **wrong)
            self.assertEqual([e["type"] for e in events], ["error"], wrong)
            self.assertIn(field, json.dumps(events[0]))

    def test_socat_on_the_unix_socket(self):
        if not shutil.which("socat"):
            self.skipTest("socat is not installed")
        for samples, text in self.each():
            line = b'{"protocol": "starling", "version": 1, "partials": false}\n'
            output = subprocess.run(["socat", "-t", "30", "-", f"UNIX-CONNECT:{self.server.unix}"], input=line + samples, stdout=subprocess.PIPE, check=True, timeout=60).stdout
            self.assertEqual(finals([json.loads(line) for line in output.splitlines()]), text)

    def test_vosk(self):
        async def talk(samples):
            async with websockets.connect(self.server.url("vosk")) as client:
                await client.send(json.dumps({"config": {"sample_rate": 16000, "words": True}}))
                replies = []
                for start in range(0, len(samples), 8000):
                    await client.send(samples[start : start + 8000])
                    replies.append(json.loads(await client.recv()))
                await client.send('{"eof" : 1}')
                return replies + [json.loads(await client.recv())]

        for samples, text in self.each():
            replies = asyncio.run(talk(samples))
            self.assertEqual(len(replies), (len(samples) + 7999) // 8000 + 1)
            self.assertEqual(" ".join(reply["text"] for reply in replies if reply.get("text")), text)
            words = [word["word"] for reply in replies for word in reply.get("result", [])]
            self.assertEqual(" ".join(words), text)

    def test_wenet(self):
        async def talk(samples):
            async with websockets.connect(self.server.url("wenet")) as client:
                await client.send(json.dumps({"signal": "start", "nbest": 1, "continuous_decoding": True}))
                self.assertEqual(json.loads(await client.recv()), {"status": "ok", "type": "server_ready"})
                for start in range(0, len(samples), 9000):
                    await client.send(samples[start : start + 9000])
                await client.send('{"signal": "end"}')
                return [json.loads(message) async for message in client]

        for samples, text in self.each():
            messages = asyncio.run(talk(samples))
            self.assertEqual(messages[-1]["type"], "speech_end")
            sentences = [json.loads(m["nbest"])[0]["sentence"] for m in messages if m["type"] == "final_result"]
            self.assertEqual(" ".join(sentences), text)

    def test_sherpa(self):
        client = shutil.which("sherpa-onnx-online-websocket-client")
        if not client:
            self.skipTest("sherpa-onnx-bin is not installed")
        for name in SAMPLES:
            with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
                subprocess.run(["sox", str(ROOT / "audio-samples" / name), "-r", "16000", "-c", "1", "-b", "16", "-D", wav.name], check=True, stderr=subprocess.DEVNULL)
                run = subprocess.run([client, f"--server-port={self.server.port['sherpa']}", wav.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
            self.assertEqual(run.returncode, 0, run.stdout)
            self.assertIn(self.texts[name].split(" ", 3)[-1][-40:], run.stdout)

    def test_sherpa_python_variant(self):
        import array

        async def talk(samples):
            floats = array.array("f", (sample / 32768 for sample in array.array("h", samples))).tobytes()
            async with websockets.connect(self.server.url("sherpa-python")) as client:
                for start in range(0, len(floats), 16000):
                    await client.send(floats[start : start + 16000])
                await client.send("Done")
                return [json.loads(message) async for message in client]

        for samples, text in self.each():
            segments = {message["segment"]: message["text"] for message in asyncio.run(talk(samples))}
            self.assertEqual(" ".join(segments[key] for key in sorted(segments) if segments[key]), text)

    def test_wyoming(self):
        try:
            from wyoming.asr import Transcribe, Transcript, TranscriptChunk
            from wyoming.audio import AudioChunk, AudioStart, AudioStop
            from wyoming.client import AsyncTcpClient
            from wyoming.info import Describe, Info
        except ImportError:
            self.skipTest("wyoming is not installed")

        async def talk(audios):
            async with AsyncTcpClient("127.0.0.1", self.server.port["wyoming"]) as client:
                await client.write_event(Describe().event())
                info = Info.from_event(await client.read_event())
                self.assertTrue(info.asr[0].models[0].installed and info.asr[0].supports_transcript_streaming)
                for samples, text in audios:
                    await client.write_event(Transcribe(language="en").event())
                    await client.write_event(AudioStart(16000, 2, 1).event())
                    for start in range(0, len(samples), 2048):
                        await client.write_event(AudioChunk(16000, 2, 1, samples[start : start + 2048]).event())
                    await client.write_event(AudioStop().event())
                    chunks, types = "", []
                    while not types or types[-1] != "transcript-stop":
                        event = await client.read_event()
                        types.append(event.type)
                        if TranscriptChunk.is_type(event.type):
                            chunks += TranscriptChunk.from_event(event).text
                        if Transcript.is_type(event.type):
                            self.assertEqual(Transcript.from_event(event).text, text)
                    self.assertEqual((types[0], types[-2]), ("transcript-start", "transcript"))
                    self.assertEqual(chunks, text)

        asyncio.run(talk(self.each()))

    def test_openai(self):
        try:
            from openai import BadRequestError, OpenAI
        except ImportError:
            self.skipTest("openai is not installed")
        client = OpenAI(base_url=f"http://127.0.0.1:{self.server.port['http']}/v1", api_key="none", max_retries=0)
        self.assertEqual([model.id for model in client.models.list()], ["starling-en-small"])
        for name in SAMPLES + ["stereo-48khz.wav", "chapter.opus"]:
            path = ROOT / "audio-samples" / name
            expected = subprocess.run([STARLING, "transcribe", str(path)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
            with open(path, "rb") as file:
                self.assertEqual(client.audio.transcriptions.create(model="starling", file=file).text, expected)
            with open(path, "rb") as file:
                verbose = client.audio.transcriptions.create(model="starling", file=file, response_format="verbose_json", timestamp_granularities=["word", "segment"])
            self.assertEqual(verbose.text, expected)
            self.assertEqual(" ".join(word.word for word in verbose.words), expected)
            self.assertEqual(" ".join(segment.text for segment in verbose.segments), expected)
            for form in ("srt", "vtt", "text"):
                alone = subprocess.run([STARLING, "transcribe", "--format", form, str(path)], check=True, stdout=subprocess.PIPE, text=True).stdout
                with open(path, "rb") as file:
                    self.assertEqual(client.audio.transcriptions.create(model="starling", file=file, response_format=form), alone)
        for name in SAMPLES:
            path = ROOT / "audio-samples" / name
            live = subprocess.run([STARLING, "transcribe", "--latency", LATENCY, str(path)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
            with open(path, "rb") as file:
                events = list(client.audio.transcriptions.create(model="starling", file=file, stream=True))
            self.assertEqual(events[-1].text, live)
            self.assertEqual("".join(event.delta for event in events[:-1]), live)
        with self.assertRaises(BadRequestError) as refused:
            client.audio.transcriptions.create(model="starling", file=("no.wav", b"this is no audio"))
        self.assertIn("no.wav", str(refused.exception))

    def test_curl_health_and_metrics(self):
        for path, text in [("/healthz", "ok\n"), ("/readyz", "ready\n")]:
            output = subprocess.run(["curl", "-sSf", f"http://127.0.0.1:{self.server.port['http']}{path}"], stdout=subprocess.PIPE, check=True, text=True).stdout
            self.assertEqual(output, text)
        native(self.server, self.audio["dreamland.mp3"])
        self.assertGreater(self.server.metric("starling_audio_seconds_total"), 4)
        self.assertEqual(self.server.metric("starling_sessions_open"), 0)

    def test_bad_messages_leave_a_healthy_server(self):
        async def send(service, *messages):
            async with websockets.connect(self.server.url(service)) as client:
                for message in messages:
                    await client.send(message)
                try:
                    return [await asyncio.wait_for(client.recv(), 10)]
                except websockets.ConnectionClosed:
                    return []

        for service, messages in [
            ("vosk", ["{"]), ("vosk", ['{"config": 7}']), ("vosk", ["[]"]), ("vosk", [b"odd"]), ("vosk", ['{"config": {"sample_rate": 1e9}}']),
            ("wenet", ["{"]), ("wenet", [b"\0\0"]), ("wenet", ['{"signal": "stop"}']), ("wenet", ['{"signal": "start", "nbest": -1}']),
            ("sherpa", ["done"]), ("sherpa", [b"\0\0\0"]), ("sherpa", [b"\0\0\xc0\x7f"]), ("sherpa-python", ["{}"]),
        ]:
            reply = asyncio.run(send(service, *messages))
            self.assertTrue(reply and ("error" in reply[0] or "failed" in reply[0]), (service, messages, reply))
        for line in [b"\n", b"{\n", b"[]\n", b"\xff\xfe\n", b'{"protocol": "other"}\n', b"GET / HTTP/1.1\r\n\r\n"]:
            with socket.create_connection(("127.0.0.1", self.server.port["native"])) as client:
                client.sendall(line)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(json.loads(client.makefile("rb").readline())["type"], "error", line)
        self.assertEqual(self.server.get("/readyz"), "ready\n")

    def test_clients_that_leave_at_any_time(self):
        async def leave(service, samples, count):
            client = await websockets.connect(self.server.url(service))
            if service == "wenet":
                await client.send('{"signal": "start"}')
            for start in range(0, count, 4000):
                await client.send(samples[start : start + 4000])
            client.transport.abort()

        samples = self.audio["book-22khz.flac"]
        for round in range(40):
            # As floats the samples would be refused.
            service = ["vosk", "wenet", "sherpa"][round % 3]
            sent = bytes(len(samples)) if service == "sherpa" else samples
            asyncio.run(leave(service, sent, random.randrange(0, 120000)))
        self.assertEqual(finals(native(self.server, samples)), self.texts["book-22khz.flac"])
        deadline = time.monotonic() + 20
        while self.server.metric("starling_sessions_open") and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.server.metric("starling_sessions_open"), 0)


class LifecycleTests(unittest.TestCase):
    def test_termination_loses_no_accepted_audio(self):
        server = Server()
        samples = pcm("telephone-8khz.wav")
        clients = []
        for _ in range(8):
            client = socket.create_connection(("127.0.0.1", server.port["native"]))
            client.sendall(b'{"protocol": "starling", "partials": false}\n' + samples)
            clients.append(client)
        for client in clients:
            client.makefile("rb").readline()
        time.sleep(1)
        self.assertEqual(server.stop(), 0)
        for client in clients:
            with client:
                events = [json.loads(line) for line in client.makefile("rb")]
            self.assertEqual(finals(events[-2:]), transcribe(samples))
            self.assertAlmostEqual(events[-1]["seconds"], len(samples) / 32000, places=2)

    def test_admission_idleness_and_tokens(self):
        token = "a token of enough letters"
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(token + "\n")
            file.flush()
            server = Server("--token-file", file.name, "--max-sessions", "2", "--idle-seconds", "1")
        samples = pcm("dreamland.mp3")
        try:
            for wrong in ({}, {"token": "another token"}):
                self.assertEqual(native(server, samples, **wrong)[0]["code"], "unauthorized")
            self.assertTrue(finals(native(server, samples, token=token)))
            opened = []
            for _ in range(2):
                client = socket.create_connection(("127.0.0.1", server.port["native"]))
                client.sendall(json.dumps({"protocol": "starling", "token": token}).encode() + b"\n")
                self.assertEqual(json.loads(client.makefile("rb").readline())["type"], "ready")
                opened.append(client)
            self.assertEqual(native(server, samples, token=token)[0]["code"], "busy")
            # Those two say nothing for a second, and make room.
            for client in opened:
                self.assertEqual(json.loads(client.makefile("rb").readlines()[-1])["code"], "timeout")
                client.close()
            self.assertTrue(finals(native(server, samples, token=token)))
        finally:
            server.stop()

    def test_bad_listeners_are_refused(self):
        for listener, saying in [("native", "SERVICE=ADDRESS"), ("magic=127.0.0.1:1", "native"), ("native=127.0.0.1", "HOST:PORT"), ("native=0.0.0.0:0", "--token-file"), ("native=unix:", "PATH"), ("native=unix:/nowhere/socket", "cannot be opened")]:
            run = subprocess.run([STARLING, "serve", "--listen", listener], stderr=subprocess.PIPE, text=True, timeout=30)
            self.assertEqual(run.returncode, 1, listener)
            self.assertIn(saying, run.stderr)
            self.assertEqual(run.stderr.count("\n"), 1, run.stderr)


if __name__ == "__main__":
    unittest.main()
