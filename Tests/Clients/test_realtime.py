"""OpenAI's Realtime interface: turns of speech over one WebSocket, by their own client."""

import asyncio
import base64
import json
import unittest

import websockets
from support import RAW, SAMPLES, Server, needs, sox, starling

PATH = "/v1/realtime"
SILENCE = bytes(2 * 24000)


def pcm24(name: str) -> bytes:
    """16-bit samples at 24 kHz, the only rate of the interface."""
    return sox(name, "-e", "signed-integer", "-r", "24000", "-t", "raw")


def heard(audio: bytes) -> str:
    """What the command line says of 24 kHz samples."""
    raw = [*RAW[:2], "--sample-rate", "24000"]
    return starling("transcribe", "--latency", "640ms", *raw, "-", audio=audio).strip()


def session(**audio_input) -> dict:
    return {"type": "transcription", "audio": {"input": audio_input}}


class Client:
    """A raw client, which keeps every event."""

    def __init__(self, socket: websockets.ClientConnection):
        self.socket = socket
        self.events: list[dict] = []

    async def send(self, type: str, **fields):
        await self.socket.send(json.dumps({"type": type} | fields))

    async def append(self, audio: bytes):
        text = base64.b64encode(audio).decode()
        await self.send("input_audio_buffer.append", audio=text)

    async def until(self, *types: str) -> dict:
        async with asyncio.timeout(60):
            while True:
                event = json.loads(await self.socket.recv())
                self.events.append(event)
                if event["type"].endswith(types):
                    return event


def connect(server: Server, query: str = "") -> websockets.connect:
    return websockets.connect(server.url("http").replace("http", "ws") + PATH + query)


class RealtimeTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    @needs("openai")
    def test_openai_client_commits_its_turns(self):
        from openai import AsyncOpenAI

        async def talk():
            client = AsyncOpenAI(base_url=self.server.url("http") + "/v1", api_key="none")
            query = {"intent": "transcription"}
            async with client.realtime.connect(extra_query=query) as realtime:
                self.assertEqual((await realtime.recv()).type, "session.created")
                await realtime.session.update(session=session(turn_detection=None))
                self.assertEqual((await realtime.recv()).type, "session.updated")
                previous = None
                for name in SAMPLES:
                    audio = pcm24(name)
                    for start in range(0, len(audio), 9600):
                        piece = base64.b64encode(audio[start : start + 9600]).decode()
                        await realtime.input_audio_buffer.append(audio=piece)
                    await realtime.input_audio_buffer.commit()
                    deltas, types = "", []
                    async for event in realtime:
                        types.append(event.type.split(".", 1)[-1])
                        if event.type.endswith("transcription.delta"):
                            deltas += event.delta
                        if event.type == "input_audio_buffer.committed":
                            self.assertEqual(event.previous_item_id, previous)
                            previous = event.item_id
                        if event.type.endswith("transcription.completed"):
                            self.assertEqual(event.item_id, previous)
                            self.assertEqual(event.transcript, heard(audio))
                            self.assertAlmostEqual(
                                event.usage.seconds, len(audio) / 48000, delta=2)
                            break
                    self.assertEqual(deltas, heard(audio))
                    self.assertEqual(types.count("committed"), 1)

        asyncio.run(talk())

    def test_the_server_detects_turns(self):
        async def talk():
            async with connect(self.server) as socket:
                client = Client(socket)
                await client.until("session.created")
                turns = {"type": "server_vad", "silence_duration_ms": 600}
                await client.send("session.update", session=session(turn_detection=turns))
                for name in ("telephone-8khz.wav", "book-22khz.flac"):
                    audio = pcm24(name) + 2 * SILENCE
                    for start in range(0, len(audio), 4800):
                        await client.append(audio[start : start + 4800])
                await client.send("input_audio_buffer.commit")
                while True:
                    last = await client.until("transcription.completed")
                    if last["transcript"] == "" or last["transcript"].endswith("easier to read"):
                        return client.events

        events = asyncio.run(talk())
        completed = [e for e in events if e["type"].endswith("completed") and e["transcript"]]
        self.assertGreater(len(completed), 1)
        started = [e for e in events if e["type"].endswith("speech_started")]
        stopped = [e for e in events if e["type"].endswith("speech_stopped")]
        self.assertEqual([e["item_id"] for e in started], [e["item_id"] for e in completed])
        for first, last in zip(started, stopped, strict=True):
            self.assertLess(first["audio_start_ms"], last["audio_end_ms"])
        for event in completed:
            said = [e["delta"] for e in events if e.get("item_id") == event["item_id"] and "delta" in e]
            self.assertEqual("".join(said), event["transcript"])
        text = " ".join(event["transcript"] for event in completed)
        self.assertIn("the covering earth fall noisily", text)
        self.assertTrue(text.endswith("easier to read"), text)

    def test_telephone_formats_and_clearing(self):
        ulaw = sox("telephone-8khz.wav", "-e", "mu-law", "-b", "8", "-r", "8000", "-t", "raw")

        async def talk():
            async with connect(self.server) as socket:
                client = Client(socket)
                form = {"type": "audio/pcmu"}
                await client.send(
                    "session.update", session=session(format=form, turn_detection=None))
                await client.append(ulaw)
                await client.send("input_audio_buffer.clear")
                await client.until("input_audio_buffer.cleared")
                await client.append(ulaw)
                # Not within a turn.
                await client.send(
                    "session.update", event_id="e1", session=session(format={"type": "audio/pcm"}))
                refused = await client.until("error")
                self.assertEqual(refused["error"].get("event_id"), "e1", refused)
                await client.send("input_audio_buffer.commit")
                return (await client.until("transcription.completed"))["transcript"]

        said = starling(
            "transcribe", "--latency", "640ms", "--encoding", "mulaw", "--sample-rate", "8000",
            "-", audio=ulaw)
        self.assertEqual(asyncio.run(talk()), said.strip())

    def test_a_commit_without_speech(self):
        async def talk(turns):
            async with connect(self.server) as socket:
                client = Client(socket)
                await client.send("session.update", session=session(turn_detection=turns))
                await client.append(SILENCE)
                await client.send("input_audio_buffer.commit")
                return await client.until("transcription.completed", "error")

        for turns in (None, {"type": "server_vad"}):
            self.assertEqual(asyncio.run(talk(turns))["transcript"], "")

    def test_bad_messages_leave_the_session_open(self):
        messages = [
            ("{", "malformed"),
            ("[]", "invalid_value"),
            (b"\0\1\2", "unexpected_message"),
            ("{}", "missing_field"),
            ('{"type": 7}', "invalid_value"),
            ('{"type": "response.create"}', "unsupported"),
            ('{"type": "input_audio_buffer.append"}', "missing_field"),
            ('{"type": "input_audio_buffer.append", "audio": "not base64!"}', "malformed"),
            ('{"type": "input_audio_buffer.append", "audio": 5}', "invalid_value"),
            ('{"type": "input_audio_buffer.commit"}', "unexpected_message"),
            ('{"type": "session.update"}', "missing_field"),
            ('{"type": "session.update", "session": {"type": "realtime"}}', "unsupported"),
            (json.dumps({"type": "session.update", "session": session(format={"type": "audio/mp3"})}), "invalid_value"),
            (json.dumps({"type": "session.update", "session": session(format={"type": "audio/pcm", "rate": 16000})}), "invalid_value"),
            (json.dumps({"type": "session.update", "session": session(turn_detection={"type": "semantic_vad"})}), "unsupported"),
        ]

        async def talk():
            async with connect(self.server) as socket:
                client = Client(socket)
                for message, code in messages:
                    await socket.send(message)
                    error = await client.until("error")
                    self.assertEqual(error["error"]["code"], code, message)
                await client.send("session.update", session=session(turn_detection=None))
                audio = pcm24("dreamland.mp3")
                await client.append(audio)
                await client.send("input_audio_buffer.commit")
                done = await client.until("transcription.completed")
                self.assertEqual(done["transcript"], heard(audio))

        asyncio.run(talk())

    def test_where_there_is_no_web_socket(self):
        async def refused(path: str, **options) -> int:
            url = self.server.url("http").replace("http", "ws") + path
            with self.assertRaises(websockets.InvalidStatus) as caught:
                await websockets.connect(url, **options)
            return caught.exception.response.status_code

        self.assertEqual(asyncio.run(refused("/v1/other")), 404)
        self.assertEqual(asyncio.run(refused(PATH, origin="https://example.org")), 403)

    def test_a_lost_connection_is_resumed(self):
        """Whatever the moment at which it is lost, nothing is lost or doubled."""
        audio = pcm24("book-22khz.flac")

        async def talk(cut: int) -> tuple[str, str]:
            events: dict[int, dict] = {}
            query, sent, is_done = "?resumable=true", 0, False

            async def receive(client: Client):
                nonlocal is_done
                while not is_done:
                    event = await client.until("")
                    number = int(event["event_id"].split("_")[1])
                    if number:
                        self.assertNotIn(number, events)
                        events[number] = event
                    is_done = event["type"].endswith("transcription.completed")

            for last in (False, True):
                async with connect(self.server, query) as socket:
                    client = Client(socket)
                    created = await client.until("session.created")
                    if not last:
                        await client.send("session.update", session=session(turn_detection=None))
                    receiving = asyncio.ensure_future(receive(client))
                    start = created["received_bytes"]
                    self.assertLessEqual(start, sent)
                    end = len(audio) if last else cut
                    for first in range(start, end, 4800):
                        await client.append(audio[first : min(first + 4800, end)])
                        sent = min(first + 4800, end)
                        await asyncio.sleep(0.002)
                    if last:
                        await client.send("input_audio_buffer.commit")
                        await receiving
                    else:
                        receiving.cancel()
                        await asyncio.gather(receiving, return_exceptions=True)
                        socket.transport.abort()
                        token, seen = created["resume_token"], max(events, default=0)
                        query = f"?resume={token}&last_event={seen}"
            numbers = sorted(events)
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
            deltas = "".join(events[n].get("delta", "") for n in numbers)
            return deltas, events[numbers[-1]]["transcript"]

        for cut in (4800, len(audio) // 3, len(audio) - 4800):
            deltas, text = asyncio.run(talk(cut))
            self.assertEqual(text, heard(audio))
            self.assertEqual(deltas, text)


if __name__ == "__main__":
    unittest.main()
