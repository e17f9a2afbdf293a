"""How a server starts, whom it lets in, and how it ends."""

import asyncio
import json
import resource
import signal
import subprocess
import tempfile
import time
import unittest

from clients import LIVE, hear
from support import (
    BYTES_A_SECOND,
    STARLING,
    Server,
    finals,
    native,
    needs,
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
        seconds = len(samples) / BYTES_A_SECOND
        server.wait_to_hear(8 * seconds)
        self.assertEqual(server.stop(), 0)
        for client in clients:
            with client:
                events = [json.loads(line) for line in client.makefile("rb")]
            self.assertEqual(finals(events[-2:]), transcribe(samples))
            self.assertAlmostEqual(events[-1]["seconds"], seconds, places=2)

    @needs("wyoming")
    def test_termination_loses_nothing_of_any_protocol(self):
        """Sixteen clients have each sent something, and not the end of it."""
        samples = pcm("telephone-8khz.wav")

        async def clients(server: Server) -> list[str]:
            streams = []
            seconds = 0
            for index in range(16):
                sent = samples[: 32000 * (3 + index % 5)]
                seconds += len(sent) / BYTES_A_SECOND
                streams.append(hear(server, LIVE[index % len(LIVE)], sent, 3200, 2, ends=False))
            waiting = asyncio.gather(*streams)
            await asyncio.to_thread(server.wait_to_hear, seconds)
            server.process.send_signal(signal.SIGTERM)
            return await asyncio.wait_for(waiting, 60)

        with Server() as server:
            said = asyncio.run(clients(server))
            self.assertEqual(server.process.wait(30), 0)
        for index, text in enumerate(said):
            expected = transcribe(samples[: 32000 * (3 + index % 5)])
            self.assertEqual(text, expected, LIVE[index % len(LIVE)])

    def test_termination_does_not_wait_for_those_who_say_nothing(self):
        with Server() as server:
            clients = [server.connect(service) for service in ("vosk", "http")]
            clients[1].sendall(b"GET / HT")
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(10), 0)
            for client in clients:
                client.close()

    def test_more_connections_than_files_may_be_open(self):
        with Server() as server:
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (64, 64))
            # The kernel takes what the server cannot.
            clients = [server.connect() for _ in range(120)]
            server.wait_for("too few file descriptors")
            # The server's own needs are met: libdispatch opens a file every second, or ends the process.
            for _ in range(15):
                self.assertLess(server.open_files(), 60)
                time.sleep(0.1)
            for client in clients:
                client.close()
            samples = pcm("dreamland.mp3")
            self.assertEqual(finals(native(server, samples)), transcribe(samples))
            self.assertEqual(server.open_sessions(), 0)
            self.assertLess(server.open_files(), 64)

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


if __name__ == "__main__":
    unittest.main()
