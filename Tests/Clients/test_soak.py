"""Clients that vanish at any point do no harm to those that stay.

The whole length, a thousand of them: STARLING_LONG_TESTS=1 python3 -m unittest test_soak
"""

import asyncio
import random
import time
import unittest

import clients
from clients import LIVE, hear
from support import LONG, SAMPLES, Server, needs, opening, pcm, transcribe
from wire import event, form, frame, post, reset, upgrade, wav_file

STREAMS = 16
ABORTS = 1000 if LONG else 100
SECONDS = 120 if LONG else 9
AUDIO = {"rate": 16000, "width": 2, "channels": 1}


def session(service: str, samples: bytes) -> bytes:
    """All that a client of a protocol sends, in one piece."""
    pieces = [samples[start : start + 8000] for start in range(0, len(samples), 8000)]
    match service:
        case "native":
            return opening(n_best=3) + samples
        case "vosk":
            start = b'{"config":{"sample_rate":16000}}'
            return frame(start.decode()) + b"".join(map(frame, pieces)) + frame('{"eof":1}')
        case "wenet":
            start = '{"signal":"start","continuous_decoding":true}'
            return frame(start) + b"".join(map(frame, pieces)) + frame('{"signal":"end"}')
        case "sherpa" | "sherpa-python":
            return b"".join(frame(clients.floats(piece)) for piece in pieces) + frame("Done")
        case "wyoming":
            chunks = (event("audio-chunk", AUDIO, piece) for piece in pieces)
            return event("audio-start", AUDIO) + b"".join(chunks) + event("audio-stop")
        case "http":
            return post(form(wav_file(samples), stream="true"))
    raise ValueError(service)


class SoakTests(unittest.TestCase):
    @needs("wyoming")
    def test_streams_among_clients_that_vanish(self):
        with Server() as server:
            alone = asyncio.run(self.streams(server))
            # As many streams and as many that vanish: what is new to memory afterwards is a leak,
            # or the allocator's doing, which does not grow from round to round.
            asyncio.run(self.both(server, random.Random(0)))
            after = self.settled(server)
            for round in range(1, 4):
                before = after
                among = asyncio.run(self.both(server, random.Random(round)))
                self.assertEqual(among, alone)
                self.assertEqual(server.open_sessions(), 0)
                after = self.settled(server)
                if LONG:
                    count = server.metric("starling_sessions_total")
                    print(f"{ABORTS}, {count:.0f} in all: {before:.1f} MB, then {after:.1f} MB")
                if after < 1.05 * before:
                    break
            else:
                self.fail(f"memory grows: {before:.1f} MB, then {after:.1f} MB")
            for name in SAMPLES:
                self.assertIn(transcribe(pcm(name)), alone)

    @staticmethod
    def settled(server: Server) -> float:
        """Megabytes, when all that ends has ended."""
        server.open_sessions()
        time.sleep(1)
        return server.resident()

    @staticmethod
    async def streams(server: Server, pace: float = 1, seconds: float = 0) -> list[str]:
        """What streams of every protocol say, again and again for some time."""

        async def stream(index: int) -> list[str]:
            texts: list[str] = []
            deadline = time.monotonic() + seconds
            while not texts or time.monotonic() < deadline:
                samples = pcm(SAMPLES[index % len(SAMPLES)])
                service = LIVE[index % len(LIVE)]
                # Pieces of one size and another.
                texts.append(await hear(server, service, samples, 1600 * (1 + index % 5), pace))
            return texts

        said = await asyncio.gather(*map(stream, range(STREAMS)))
        for texts in said:
            assert len(set(texts)) == 1, texts
        return [texts[0] for texts in said]

    async def both(self, server: Server, chance: random.Random) -> list[str]:
        streams = asyncio.create_task(self.streams(server, seconds=SECONDS))
        started = time.monotonic()
        for turn in range(ABORTS):
            await asyncio.to_thread(self.vanish, server, chance)
            await asyncio.sleep(started + turn * SECONDS / ABORTS - time.monotonic())
        return await streams

    @staticmethod
    def vanish(server: Server, chance: random.Random):
        """One client, up to any byte of what it would say and to any kind of end."""
        service = chance.choice([*LIVE, "http"])
        said = session(service, pcm(chance.choice(SAMPLES)))
        client = server.connect(service)
        if service in ("vosk", "wenet", "sherpa", "sherpa-python"):
            said = upgrade() + said
        # Often within the first bytes, where much is decided.
        count = chance.randrange(chance.choice([300, len(said)]))
        client.sendall(said[:count])
        if chance.random() < 0.3:
            client.settimeout(0.05)
            try:
                client.recv(1000)
            except TimeoutError:
                pass
        if chance.random() < 0.5:
            reset(client)
        else:
            client.close()


if __name__ == "__main__":
    unittest.main()
