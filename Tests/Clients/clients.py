"""A client of every live protocol, which sends one recording and gives back what it was told.

`hear` says the text alone, for tests that are about something else.
"""

import array
import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import websockets
from support import BYTES_A_SECOND, Server, opening


class Audio:
    """16-bit samples at 16 kHz, and how they are sent."""

    def __init__(self, samples: bytes, piece: int = 8000, pace: float = 0, ends: bool = True):
        """`pace`: how many times as fast as it was spoken; 0 as fast as it is taken.

        `ends`: whether the end is said; else the client waits for what the server has to say.
        """
        self.samples = samples
        self.piece = piece
        self.pace = pace
        self.ends = ends

    async def pieces(self) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop()
        started = clock.time()
        for start in range(0, len(self.samples), self.piece):
            piece = self.samples[start : start + self.piece]
            if self.pace:
                spoken = (start + len(piece)) / BYTES_A_SECOND / self.pace
                await asyncio.sleep(started + spoken - clock.time())
            yield piece


async def native(server: Server, audio: Audio, **options) -> list[dict]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port["native"])

    async def send():
        writer.write(opening(**options))
        async for piece in audio.pieces():
            writer.write(piece)
            await writer.drain()
        if audio.ends:
            writer.write_eof()

    async def receive():
        return [json.loads(line) async for line in reader]

    return await _both(send(), receive(), writer.close)


async def vosk(server: Server, audio: Audio) -> list[dict]:
    """One reply for each piece, and the last."""
    async with websockets.connect(server.url("vosk")) as client:
        await client.send(json.dumps({"config": {"sample_rate": 16000, "words": True}}))
        replies = []
        async for piece in audio.pieces():
            await client.send(piece)
            replies.append(json.loads(await client.recv()))
        if audio.ends:
            await client.send('{"eof" : 1}')
        return replies + [json.loads(await client.recv())]


async def wenet(server: Server, audio: Audio) -> list[dict]:
    start = json.dumps({"signal": "start", "nbest": 1, "continuous_decoding": True})
    return await _websocket(server, "wenet", audio, start, '{"signal": "end"}')


async def sherpa(server: Server, audio: Audio) -> list[dict]:
    """Without the `Done!` behind the last result."""
    return await _websocket(server, "sherpa", audio, None, "Done", floats)


async def sherpa_python(server: Server, audio: Audio) -> list[dict]:
    return await _websocket(server, "sherpa-python", audio, None, "Done", floats)


async def wyoming(server: Server, audio: Audio) -> list[dict]:
    from wyoming.asr import Transcribe
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.client import AsyncTcpClient

    async with AsyncTcpClient("127.0.0.1", server.port["wyoming"]) as client:

        async def send():
            await client.write_event(Transcribe(language="en").event())
            await client.write_event(AudioStart(16000, 2, 1).event())
            async for piece in audio.pieces():
                await client.write_event(AudioChunk(16000, 2, 1, piece).event())
            if audio.ends:
                await client.write_event(AudioStop().event())

        async def receive():
            events = []
            while event := await client.read_event():
                events.append({"type": event.type} | event.data)
                if event.type in ("transcript-stop", "error"):
                    break
            return events

        return await _both(send(), receive())


async def _websocket(
    server: Server,
    service: str,
    audio: Audio,
    first: str | None,
    last: str,
    encode: Callable[[bytes], bytes] = bytes,
) -> list[dict]:
    async with websockets.connect(server.url(service)) as client:

        async def send():
            if first:
                await client.send(first)
            async for piece in audio.pieces():
                await client.send(encode(piece))
            if audio.ends:
                await client.send(last)

        async def receive():
            return [json.loads(message) async for message in client if message != "Done!"]

        return await _both(send(), receive())


async def _both(
    send: Awaitable, receive: Awaitable[list[dict]], close: Callable = lambda: None
) -> list[dict]:
    """What was received while all was sent; a server that has said its last may stop listening."""
    sending = asyncio.ensure_future(send)
    try:
        messages = await receive
        await asyncio.gather(sending, return_exceptions=True)
        return messages
    finally:
        sending.cancel()
        close()


def floats(samples: bytes) -> bytes:
    """16-bit samples as 32-bit floats, as sherpa-onnx wants them."""
    return array.array("f", (value / 32768 for value in array.array("h", samples))).tobytes()


def _native_text(events: list[dict]) -> str:
    return _joined(event["text"] for event in events if event["type"] == "final")


def _vosk_text(replies: list[dict]) -> str:
    return _joined(reply.get("text") for reply in replies)


def _wenet_text(messages: list[dict]) -> str:
    results = [message for message in messages if message.get("type") == "final_result"]
    return _joined(json.loads(result["nbest"])[0]["sentence"] for result in results)


def _sherpa_text(messages: list[dict]) -> str:
    segments = {message["segment"]: message["text"] for message in messages}
    return _joined(segments[segment] for segment in sorted(segments))


def _wyoming_text(events: list[dict]) -> str:
    return _joined(event["text"] for event in events if event["type"] == "transcript")


def _joined(texts) -> str:
    return " ".join(text for text in texts if text)


_PROTOCOLS = {
    "native": (native, _native_text),
    "vosk": (vosk, _vosk_text),
    "wenet": (wenet, _wenet_text),
    "sherpa": (sherpa, _sherpa_text),
    "sherpa-python": (sherpa_python, _sherpa_text),
    "wyoming": (wyoming, _wyoming_text),
}
LIVE = list(_PROTOCOLS)


async def hear(
    server: Server,
    service: str,
    samples: bytes,
    piece: int = 8000,
    pace: float = 0,
    ends: bool = True,
) -> str:
    """What a server says over one of the `LIVE` protocols."""
    talk, text = _PROTOCOLS[service]
    return text(await talk(server, Audio(samples, piece, pace, ends)))
