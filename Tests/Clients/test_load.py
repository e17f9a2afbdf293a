"""Clients that ask for too much, take nothing back, or are gone: what is kept is bounded.

The whole length: STARLING_LONG_TESTS=1 python3 -m unittest test_load
"""

import asyncio
import multiprocessing
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path
from collections.abc import Callable

from clients import LIVE, hear
from support import (
    BYTES_A_SECOND,
    LONG,
    RAW,
    Server,
    finals,
    native,
    needs,
    opening,
    pcm,
    starling,
    transcribe,
    until,
)
from wire import exchange, form, frame, post, reset, upgrade, wav_file

PROBE = "dreamland.mp3"
# Seconds of a chunk.
CHUNK = 0.64


def speech(seconds: int) -> bytes:
    """Somebody who does not stop talking."""
    count = seconds * BYTES_A_SECOND
    text = pcm("landscape.flac")
    return (text * (count // len(text) + 1))[:count]


class Watch:
    """The largest value that something has while a `with` runs."""

    def __init__(self, value: Callable[[], float]):
        self.value = value
        self.largest = value()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._is_over.wait(0.1):
            self.largest = max(self.largest, self.value())

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._is_over.set()
        self._thread.join()


class LoadTests(unittest.TestCase):
    def is_well(self, server: Server):
        self.assertEqual(server.open_sessions(), 0)
        self.assertEqual(finals(native(server, pcm(PROBE))), transcribe(pcm(PROBE)))
        self.assertEqual(server.open_sessions(), 0)

    @needs("wyoming")
    def test_clients_that_are_killed(self):
        def talk(server: Server, service: str):
            asyncio.run(hear(server, service, speech(60), 3200, pace=1))

        with Server() as server:
            forked = multiprocessing.get_context("fork")
            clients = [
                forked.Process(target=talk, args=(server, LIVE[index % len(LIVE)]))
                for index in range(16)
            ]
            for client in clients:
                client.start()
            until(lambda: server.metric("starling_sessions_open") >= 16)
            self.assertEqual(server.metric("starling_sessions_open"), 16)
            time.sleep(1)
            for client in clients:
                client.kill()
                client.join()
            self.is_well(server)

    def test_clients_that_never_read(self):
        """Much is said to them; they are given up, and nobody keeps it all."""
        openings = {
            "native": (b"", opening(latency="160ms", n_best=50), bytes),
            "wenet": (upgrade(), frame('{"signal":"start","nbest":50}'), frame),
            "vosk": (upgrade(), frame('{"config":{"sample_rate":16000}}'), frame),
        }
        samples = speech(3000 if LONG else 600)
        for service, (first, start, encode) in openings.items():
            with self.subTest(service), Server("--idle-seconds", "2", "--unread-seconds", "5") as server:
                native(server, speech(20), n_best=50)
                before = server.resident()
                with Watch(server.resident) as memory, server.connect(service, 5) as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                    client.sendall(first)
                    if first:
                        client.recv(1000)
                    try:
                        client.sendall(start)
                        for offset in range(0, len(samples), 3200):
                            client.sendall(encode(samples[offset : offset + 3200]))
                    except OSError:
                        pass  # It is not listened to any more.
                    self.assertEqual(server.open_sessions(), 0)
                self.assertLess(memory.largest, before + 150)
                self.is_well(server)

    def test_senders_that_are_faster_than_the_decoder(self):
        """They wait: no more than some seconds of each are kept."""
        count, seconds = (8, 600) if LONG else (4, 150)
        with Server() as server:
            native(server, speech(20))

            def backlog() -> float:
                chunks = server.metric("starling_batch_streams_sum")
                return server.heard() - CHUNK * chunks

            async def push():
                # What pings would say of a server under load is another matter.
                services = ["native", "wyoming"]
                await asyncio.gather(
                    *(hear(server, services[i % 2], speech(seconds), 16000) for i in range(count))
                )

            before = server.resident()
            with Watch(backlog) as kept, Watch(server.resident) as memory:
                asyncio.run(push())
            if LONG:
                print(f"{kept.largest:.0f} s kept, {before:.0f} to {memory.largest:.0f} MB")
            self.is_well(server)
            # 10 s wait in a queue; a chunk and a look-ahead may be in hand.
            self.assertLess(kept.largest, count * 15)
            self.assertLess(memory.largest, before + 50)

    def test_a_long_file(self):
        samples = speech(300)
        expected = starling("transcribe", *RAW, "-", audio=samples).strip()
        with Server() as server:
            reply = exchange(server, "http", post(form(wav_file(samples))), patience=300)
            self.assertEqual([message["text"] for message in reply.messages], [expected])
            self.is_well(server)

    def test_uploads_that_are_given_up(self):
        upload = post(form(wav_file(speech(180))))
        count = 4
        with Server() as server:
            clients = [server.connect("http") for _ in range(count)]
            for client in clients:
                client.sendall(upload)
            until(lambda: server.metric("starling_sessions_open") >= count)
            for client in clients:
                reset(client)
            self.assertEqual(server.open_sessions(60), 0)
            self.assertLess(server.heard(), count * 180 * 0.9)
            self.is_well(server)

    @needs("sox")
    def test_a_small_file_of_many_hours(self):
        """Refused at once where the file says how long it is: hours of silence are little of FLAC."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.flac"
            form_of = ["-r", "8000", "-c", "1", "-b", "16", path, "trim", "0", str(5 * 3600)]
            subprocess.run(["sox", "-D", "-n", *form_of], check=True)
            file = path.read_bytes()
        with Server() as server:
            reply = exchange(server, "http", post(form(file, "a.flac")), patience=20)
            self.assertEqual(reply.statuses, [413])
            self.is_well(server)


if __name__ == "__main__":
    unittest.main()
