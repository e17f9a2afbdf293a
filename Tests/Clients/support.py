"""What these tests share: the daemon, samples of speech, what the command line says of them."""

import functools
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARLING = os.environ.get("STARLING", str(ROOT / ".build/release/starling"))
LONG = os.environ.get("STARLING_LONG_TESTS") == "1"
LATENCY = "640ms"
SERVICES = ["native", "vosk", "wenet", "sherpa", "sherpa-python", "wyoming", "http"]

SAMPLES = ["telephone-8khz.wav", "dreamland.mp3", "book-22khz.flac"]
# 16-bit samples at 16 kHz.
BYTES_A_SECOND = 32000
RAW = ["--encoding", "s16le", "--sample-rate", "16000"]


def sample(name: str) -> Path:
    return ROOT / "audio-samples" / name


def sox(name: str, *form: str) -> bytes:
    """A sample in another form, at 16 kHz, of one channel and 16 bits."""
    command = ["sox", sample(name), "-r", "16000", "-c", "1", "-b", "16", "-D", *form, "-"]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return run.stdout


@functools.cache
def pcm(name: str) -> bytes:
    """Samples without a header."""
    return sox(name, "-e", "signed-integer", "-t", "raw")


def wav(name: str) -> bytes:
    return sox(name, "-t", "wav")


def starling(*arguments: str | Path, audio: bytes | None = None) -> str:
    """What the command line prints."""
    run = subprocess.run([STARLING, *arguments], input=audio, check=True, stdout=subprocess.PIPE)
    return run.stdout.decode()


@functools.cache
def transcribe(audio: bytes, *options: str) -> str:
    """What the command line says of the same samples at the latency of the servers here."""
    said = starling("transcribe", "--latency", LATENCY, *options, *RAW, "-", audio=audio)
    return said.strip()


def until(condition: Callable[[], bool], patience: float = 60) -> bool:
    """Whether it came true before the patience was at its end."""
    deadline = time.monotonic() + patience
    while not (is_true := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_true


def needs(tool: str):
    """Skips a test, by name, where a Python package or a program is not installed."""
    is_there = shutil.which(tool) or importlib.util.find_spec(tool.replace("-", "_"))
    return unittest.skipUnless(is_there, f"{tool} is not installed")


class Server:
    """`starling serve` on free ports, to the end of a `with` or to `stop`."""

    def __init__(self, *options: str, tls: bool = False):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.unix = {name: f"{self.folder.name}/{name}" for name in ("native", "wyoming")}
        host = "tls:127.0.0.1" if tls else "127.0.0.1"
        listeners = [f"{service}={host}:0" for service in SERVICES]
        command = [STARLING, "serve", "--latency", LATENCY, *options]
        for listener in listeners + [f"{name}=unix:{path}" for name, path in self.unix.items()]:
            command += ["--listen", listener]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.port: dict[str, int] = {}
        # Lines that the server has said on standard error; they are taken as they come, or a full
        # pipe would stop it.
        self.log: list[str] = []
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._is_ready.wait(60) or self.process.poll() is not None:
            self.process.kill()
            raise RuntimeError("the server did not start: " + "".join(self.log))

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"listening: ([a-z-]+)=(?:tls:)?127.0.0.1:(\d+)", line):
                self.port[found[1]] = int(found[2])
            if re.search(r'\bready("}?|)$', line.strip()):
                self._is_ready.set()
        self._is_ready.set()

    def wait_for(self, saying: str, seconds: float = 30):
        """Until the server has said so on standard error."""
        if not until(lambda: any(saying in line for line in self.log), seconds):
            raise TimeoutError(f"'{saying}' is not in the log: {self.log}")

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, error, *more):
        # After a fault it may not end by itself.
        self.stop(signal.SIGKILL if error else signal.SIGTERM)

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """The exit status; also of one that has ended by itself."""
        self.process.send_signal(sign)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self._reader.join()
            self.process.stderr.close()
            self.folder.cleanup()

    def connect(self, service: str = "native", timeout: float = 60) -> socket.socket:
        try:
            return socket.create_connection(("127.0.0.1", self.port[service]), timeout)
        except ConnectionRefusedError as error:
            last = "".join(self.log[-5:])
            status = self.process.poll()
            raise ConnectionError(f"{service}: {error}; server's status {status}:\n{last}") from error

    def address(self, service: str) -> str:
        """Of a listener as `starling client` wants it; of `native-unix` that on a Unix socket."""
        if service.endswith("-unix"):
            return "unix:" + self.unix[service.removesuffix("-unix")]
        return f"127.0.0.1:{self.port[service]}"

    def url(self, service: str) -> str:
        scheme = "http" if service == "http" else "ws"
        return f"{scheme}://127.0.0.1:{self.port[service]}"

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url("http") + path, timeout=60) as response:
            return response.read().decode()

    def metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (.+)$", self.get("/metrics"), re.M)
        return float(found[1]) if found else 0

    def resident(self) -> float:
        """Megabytes of memory."""
        return self.metric("starling_resident_bytes") / 1e6

    def heard(self) -> float:
        """Seconds of audio that it has accepted since its start."""
        return self.metric("starling_audio_seconds_total")

    def wait_to_hear(self, seconds: float):
        """Until it has accepted so much audio since its start.

        What a client has sent is not yet accepted: a connection that is reset takes with it what the
        server has not read.
        """
        if not until(lambda: self.heard() >= seconds - 1e-6):
            raise TimeoutError(f"the server has heard {self.heard()} s, not {seconds} s")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def wait_to_close(self, files: int):
        """Until no more than so many files are open: it is through with connections that ended."""
        if not until(lambda: self.open_files() <= files):
            raise TimeoutError(f"the server has {self.open_files()} files open, not {files}")

    def open_sessions(self, seconds: float = 30) -> float:
        """Sessions that are still open when those that end have had the time to."""
        until(lambda: self.metric("starling_sessions_open") == 0, seconds)
        return self.metric("starling_sessions_open")


def opening(**options) -> bytes:
    """The line that opens a session of the native protocol."""
    return json.dumps({"protocol": "starling", "version": 1} | options).encode() + b"\n"


def native(
    server: Server, audio: bytes, unix: bool = False, piece: int = 8000, **options
) -> list[dict]:
    """The events of one session of the native protocol."""
    client = socket.socket(socket.AF_UNIX) if unix else server.connect()
    if unix:
        client.connect(server.unix["native"])
    with client:
        client.settimeout(60)
        client.sendall(opening(**options))
        for start in range(0, len(audio), piece):
            client.sendall(audio[start : start + piece])
        client.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in client.makefile("rb")]


def finals(events: list[dict]) -> str:
    last = [event["text"] for event in events if event["type"] == "final"]
    return " ".join(text for text in last if text)
