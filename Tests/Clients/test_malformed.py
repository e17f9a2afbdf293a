"""What no client should send leaves the protocol's own error and a healthy server."""

import asyncio
import json
import socket
import unittest

import websockets
from support import Server, native

WRONG_OPTIONS = [
    ({"latency": "soon"}, "latency"),
    ({"final_pass": "magic"}, "final_pass"),
    ({"sample_rate": 1}, "sample_rate"),
    ({"colour": "red"}, "colour"),
    ({"hot_words": [{"phrase": "naïve7"}]}, "hot_words"),
    ({"lm_weight": 1}, "lm_weight"),
]

BAD_LINES = [
    b"\n",
    b"{\n",
    b"[]\n",
    b"\xff\xfe\n",
    b'{"protocol": "other"}\n',
    b"GET / HTTP/1.1\r\n\r\n",
]

BAD_MESSAGES: list[tuple[str, str | bytes]] = [
    ("vosk", "{"),
    ("vosk", '{"config": 7}'),
    ("vosk", "[]"),
    ("vosk", b"odd"),
    ("vosk", '{"config": {"sample_rate": 1e9}}'),
    ("wenet", "{"),
    ("wenet", b"\0\0"),
    ("wenet", '{"signal": "stop"}'),
    ("wenet", '{"signal": "start", "nbest": -1}'),
    ("sherpa", "done"),
    ("sherpa", b"\0\0\0"),
    ("sherpa", b"\0\0\xc0\x7f"),
    ("sherpa-python", "{}"),
]


class MalformedTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def test_native_options(self):
        for wrong, field in WRONG_OPTIONS:
            events = native(self.server, b"", **wrong)
            self.assertEqual([event["type"] for event in events], ["error"], wrong)
            self.assertIn(field, json.dumps(events[0]))

    def test_native_lines(self):
        for line in BAD_LINES:
            with self.server.connect() as client:
                client.sendall(line)
                client.shutdown(socket.SHUT_WR)
                event = json.loads(client.makefile("rb").readline())
                self.assertEqual(event["type"], "error", line)
        self.assertEqual(self.server.get("/readyz"), "ready\n")

    def test_web_socket_messages(self):
        async def reply(service: str, message: str | bytes) -> str:
            async with websockets.connect(self.server.url(service)) as client:
                await client.send(message)
                return await asyncio.wait_for(client.recv(), 20)

        for service, message in BAD_MESSAGES:
            said = json.loads(asyncio.run(reply(service, message)))
            self.assertTrue("error" in said or said.get("status") == "failed", said)
        self.assertEqual(self.server.get("/readyz"), "ready\n")


if __name__ == "__main__":
    unittest.main()
