"""Sessions of the native protocol that go on over another connection."""

import json
import random
import socket
import struct
import time
import unittest

from support import BYTES_A_SECOND, Server, finals, native, opening, pcm, transcribe


class Link:
    """One connection of a session with length framing."""

    def __init__(self, server: Server, **options):
        self.socket = server.connect()
        self.lines = self.socket.makefile("rb")
        self.socket.sendall(opening(framing="length", partials=True, **options))
        self.first = self.read()

    def read(self) -> dict:
        line = self.lines.readline()
        return json.loads(line) if line else {"type": "closed"}

    def send(self, audio: bytes):
        self.socket.sendall(struct.pack("<I", len(audio)) + audio)

    def rest(self) -> list[dict]:
        events = []
        while (event := self.read())["type"] != "closed":
            events.append(event)
        return events

    def close(self):
        self.lines.close()
        self.socket.close()

    def reset(self):
        """As a network that is gone, or a client that is killed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


def resume(server: Server, first: dict, next_utterance: int, **options) -> Link:
    return Link(server, resume=first["resume_token"], next_utterance=next_utterance, **options)


class ResumeTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Utterances of three seconds: a recording has several.
        cls.options = ["--longest-utterance", "3"]
        cls.server = Server("--resume-seconds", "3", *cls.options)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def test_nothing_is_lost_or_doubled(self):
        """Cut at random points, several times, with results on their way; also after the end."""
        random.seed(7)
        audio = pcm("telephone-8khz.wav")
        expected = native(self.server, audio, partials=False)
        for _ in range(6):
            said: list[dict] = []
            link = Link(self.server, resumable=True)
            sent = 0
            for cut in [*sorted(random.sample(range(2, len(audio), 2), 3)), len(audio)]:
                while sent < cut:
                    piece = audio[sent : min(sent + 6400, cut)]
                    link.send(piece)
                    sent += len(piece)
                if cut == len(audio) and random.random() < 0.5:
                    link.send(b"")
                # What was read before the cut is known; the rest comes again.
                link.socket.settimeout(random.choice([0.01, 0.4]))
                try:
                    while (event := link.read())["type"] not in ("closed", "end"):
                        said += [event] if event["type"] == "final" else []
                except TimeoutError:
                    pass
                first = link.first
                link.reset()
                link = resume(self.server, first, len(said))
                self.assertEqual(link.first["type"], "ready", link.first)
                self.assertEqual(link.first["session"], first["session"])
                self.assertLessEqual(link.first["received_bytes"], sent)
                sent = link.first["received_bytes"]
            link.send(audio[sent:]) if sent < len(audio) else None
            link.send(b"")
            events = link.rest()
            link.close()
            said += [event for event in events if event["type"] == "final"]
            self.assertEqual(said, [event for event in expected if event["type"] == "final"])
            self.assertEqual(events[-1], expected[-1])

    def test_a_connection_that_only_seems_alive_is_replaced(self):
        audio = pcm("dreamland.mp3")
        old = Link(self.server, resumable=True)
        old.send(audio[:32000])
        new = resume(self.server, old.first, 0)
        new.send(audio[new.first["received_bytes"] :])
        new.send(b"")
        self.assertEqual(finals(new.rest()), finals(native(self.server, audio)))
        old.close()
        new.close()

    def test_tokens(self):
        heard = self.server.heard()
        link = Link(self.server, resumable=True)
        first = link.first
        link.send(bytes(6400))
        self.server.wait_to_hear(heard + 0.2)
        link.reset()
        # The first answer may get lost too, so the first token counts until audio comes.
        resume(self.server, first, 0).reset()
        again = resume(self.server, first, 0)
        self.assertEqual((again.first["type"], again.first["received_bytes"]), ("ready", 6400))
        self.assertNotEqual(again.first["resume_token"], first["resume_token"])
        again.send(bytes(6400))
        self.server.wait_to_hear(heard + 0.4)
        # From then on it is a replayed one.
        replayed = resume(self.server, first, 0)
        self.assertEqual(replayed.first["code"], "not_found")
        again.send(bytes(6400))
        again.send(b"")
        last = again.rest()[-1]
        self.assertEqual((last["type"], last["seconds"]), ("end", 0.6))
        files = self.server.open_files()
        for link in (again, replayed):
            link.close()
        self.server.wait_to_close(files - 2)
        # The client has closed behind the last event: the session is over.
        over = resume(self.server, again.first, 0)
        self.assertEqual(over.first["code"], "not_found")
        over.close()

    def test_bad_requests(self):
        for options, code in [
            ({"resume": "no such token", "next_utterance": 0}, "not_found"),
            ({"resume": "no such token"}, "missing_field"),
            ({"resume": 7, "next_utterance": 0}, "invalid_value"),
            ({"resumable": "yes"}, "invalid_value"),
            ({"resume": "x" * 300, "next_utterance": 0}, "too_large"),
        ]:
            link = Link(self.server, **options)
            self.assertEqual(link.first.get("code"), code, options)
            link.close()

    def test_a_session_that_nobody_comes_back_to_ends(self):
        link = Link(self.server, resumable=True)
        link.send(pcm("dreamland.mp3"))
        link.reset()
        self.assertEqual(self.server.metric("starling_sessions_open"), 1)
        self.assertEqual(self.server.open_sessions(20), 0)
        late = resume(self.server, link.first, 0)
        self.assertEqual(late.first["code"], "not_found")
        late.close()


class LongWaitTests(unittest.TestCase):
    """Nobody has the patience to see a session end that waits for its client."""

    def test_a_session_that_is_not_resumable_ends_at_once(self):
        with Server("--resume-seconds", "600") as server:
            link = Link(server)
            self.assertIsNone(link.first.get("resume_token"))
            link.send(pcm("dreamland.mp3"))
            link.reset()
            self.assertEqual(server.open_sessions(), 0)

    def test_a_server_that_ends_does_not_wait_for_lost_clients(self):
        server = Server("--resume-seconds", "600")
        link = Link(server, resumable=True)
        audio = pcm("dreamland.mp3")
        link.send(audio)
        server.wait_to_hear(len(audio) / BYTES_A_SECOND)
        link.reset()
        open_link = Link(server, resumable=True)
        open_link.send(audio)
        server.wait_to_hear(2 * len(audio) / BYTES_A_SECOND)
        began = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(finals(open_link.rest()), transcribe(audio))
        open_link.close()


if __name__ == "__main__":
    unittest.main()
