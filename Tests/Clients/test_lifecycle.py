"""How a server starts, whom it lets in, and how it ends."""

import asyncio
import json
import random
import subprocess
import tempfile
import time
import unittest

import websockets
from support import (
    BYTES_A_SECOND,
    STARLING,
    Server,
    finals,
    native,
    opening,
    pcm,
    transcribe,
)


class LifecycleTests(unittest.TestCase):
    def test_termination_loses_no_accepted_audio(self):
        server = Server()
        samples = pcm("telephone-8khz.wav")
        clients = []
        for _ in range(8):
            client = server.connect()
            client.sendall(opening(partials=False) + samples)
            clients.append(client)
        for client in clients:
            client.makefile("rb").readline()
        time.sleep(1)
        self.assertEqual(server.stop(), 0)
        for client in clients:
            with client:
                events = [json.loads(line) for line in client.makefile("rb")]
            self.assertEqual(finals(events[-2:]), transcribe(samples))
            seconds = len(samples) / BYTES_A_SECOND
            self.assertAlmostEqual(events[-1]["seconds"], seconds, places=2)

    def test_admission_idleness_and_tokens(self):
        token = "a token of enough letters"
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(token + "\n")
            file.flush()
            server = Server(
                "--token-file", file.name, "--max-sessions", "2", "--idle-seconds", "1"
            )
        samples = pcm("dreamland.mp3")
        with server:
            for wrong in ({}, {"token": "another token"}):
                self.assertEqual(native(server, samples, **wrong)[0]["code"], "unauthorized")
            self.assertTrue(finals(native(server, samples, token=token)))
            opened = []
            for _ in range(2):
                client = server.connect()
                client.sendall(opening(token=token))
                self.assertEqual(json.loads(client.makefile("rb").readline())["type"], "ready")
                opened.append(client)
            self.assertEqual(native(server, samples, token=token)[0]["code"], "busy")
            # Those two say nothing for a second, and make room.
            for client in opened:
                last = client.makefile("rb").readlines()[-1]
                self.assertEqual(json.loads(last)["code"], "timeout")
                client.close()
            self.assertTrue(finals(native(server, samples, token=token)))

    def test_bad_listeners_are_refused(self):
        for listener, saying in [
            ("native", "SERVICE=ADDRESS"),
            ("magic=127.0.0.1:1", "native"),
            ("native=127.0.0.1", "HOST:PORT"),
            ("native=0.0.0.0:0", "--token-file"),
            ("native=unix:", "PATH"),
            ("native=unix:/nowhere/socket", "cannot be opened"),
        ]:
            command = [STARLING, "serve", "--listen", listener]
            run = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=30)
            self.assertEqual(run.returncode, 1, listener)
            self.assertIn(saying, run.stderr)
            self.assertEqual(run.stderr.count("\n"), 1, run.stderr)

    def test_clients_that_leave_at_any_time(self):
        async def leave(service: str, samples: bytes):
            client = await websockets.connect(server.url(service))
            if service == "wenet":
                await client.send('{"signal": "start"}')
            for start in range(0, len(samples), 4000):
                await client.send(samples[start : start + 4000])
            client.transport.abort()

        samples = pcm("book-22khz.flac")
        with Server() as server:
            for turn in range(40):
                # As floats the samples would be refused.
                service = ["vosk", "wenet", "sherpa"][turn % 3]
                sent = bytes(len(samples)) if service == "sherpa" else samples
                asyncio.run(leave(service, sent[: 4000 * random.randrange(30)]))
            self.assertEqual(finals(native(server, samples)), transcribe(samples))
            self.assertEqual(server.open_sessions(), 0)


if __name__ == "__main__":
    unittest.main()
