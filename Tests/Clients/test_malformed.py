"""What no client should send leaves the protocol's own error and a healthy server."""

import json
import os
import unittest

from malformed_cases import ALL, Case, Closed, Refused, Status, Taken
from support import Server, finals, native, opening, pcm, transcribe
from wire import Reply, exchange, receive, upgrade

WEB_SOCKETS = ["vosk", "wenet", "sherpa", "sherpa-python"]
PROBE = "dreamland.mp3"


def fault(case: Case, reply: Reply) -> str | None:
    """What is wrong with a reply; nil if it is as expected."""
    if not reply.ended:
        return "the server does not end the connection"
    last = reply.messages[-1] if reply.messages else {}
    if last.get("text") == "[DONE]":
        last = reply.messages[-2]
    text = json.dumps(last, ensure_ascii=False)
    match case.expected:
        case Taken(says=says):
            is_right = says in text and not is_error(last)
        case Closed(code=code):
            is_right = reply.close == code
            is_right &= any(map(is_error, reply.messages)) == (code != 1000)
        case Status(code=code):
            is_right = reply.statuses == [code] and not reply.messages
        case Refused(code=code, says=says):
            found = last.get("code") or error_object(last).get("code", "")
            is_right = is_error(last) and says in text and found == code
            # Of a WebSocket, the close frame says that something was wrong too.
            closes = (1009,) if "at most" in says else (1008,)
            is_right &= case.service not in WEB_SOCKETS or bool(code) or reply.close in closes
    return None if is_right else f"expected {case.expected}, found {reply}"


def error_object(message: dict) -> dict:
    """OpenAI's envelope."""
    error = message.get("error")
    return error if isinstance(error, dict) else {}


def is_error(message: dict) -> bool:
    kinds = (message.get("type"), message.get("status"))
    return "error" in message or "error" in kinds or "failed" in kinds


class MalformedTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server("--handshake-seconds", "1.5"))

    def test_table(self):
        self.assertGreaterEqual(len(ALL), 60)
        for case in ALL:
            with self.subTest(case.name):
                self.check(case)
        # What the table costs once, it costs once. Memory moves up and down with what threads happen to
        # do at once, and a heap of a thread's own may be new; a leak grows with every three passes.
        levels = [self.three_passes(), self.three_passes()]
        if levels[1] >= 1.05 * levels[0]:
            levels.append(self.three_passes())
        self.assertLess(levels[-1], 1.05 * levels[-2], levels)
        self.assertFalse(os.path.exists("/tmp/starling-evil.wav"))

    def three_passes(self) -> float:
        """The least megabytes after all cases once more, of three times."""
        resident = []
        for _ in range(3):
            for case in ALL:
                self.talk(case)
            resident.append(self.server.resident())
        return min(resident)

    def talk(self, case: Case) -> Reply:
        return exchange(self.server, case.service, case.sent, case.first, case.half_close, 20)

    def check(self, case: Case):
        self.assertIsNone(fault(case, self.talk(case)))
        self.assertEqual(self.server.open_sessions(), 0)
        self.assertEqual(finals(native(self.server, pcm(PROBE))), transcribe(pcm(PROBE)))

    def test_a_byte_a_second_opens_no_session(self):
        openings = {
            "native": opening(),
            "wyoming": b'{"type":"audio-start"',
            "http": b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\n",
        } | {service: upgrade() for service in WEB_SOCKETS}
        with Server("--handshake-seconds", "2", "--idle-seconds", "60") as server:
            clients = {}
            for service in openings:
                clients[service] = server.connect(service, timeout=1)
            for turn in range(12):
                for service, client in list(clients.items()):
                    try:
                        client.sendall(openings[service][turn : turn + 1])
                        is_over = receive(client)[1]
                    except OSError:
                        is_over = True
                    if is_over:
                        clients.pop(service).close()
            self.assertEqual(list(clients), [], "still open after 12 bytes and more seconds")
            self.assertEqual(server.open_sessions(), 0)
            self.assertEqual(finals(native(server, pcm(PROBE))), transcribe(pcm(PROBE)))


if __name__ == "__main__":
    unittest.main()
