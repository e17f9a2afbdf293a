"""Sessions with a sherpa-onnx server that measure what `starling client --load` cannot there: the lag.

sherpa-onnx's results say no more of time than when their tokens were spoken, and behind how many blank
frames. Together these are the frames that a result covers, and with the look-ahead the audio that it
took. So the lag is what it is of Starling's native protocol: from when that audio was sent, where the
text is new, to the result's arrival.
"""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import websockets

RATE = 16_000
# Samples sent at once, as `starling client` sends them.
PORTION = RATE // 10
FRAME = 0.04  # seconds
# Seconds after which a server that has not said all is given up.
PATIENCE = 60.0


@dataclass
class Hearing:
    """One file heard in one session; times in seconds."""

    look_ahead: float
    # When each portion was sent, and the audio in all by then.
    sent: list[tuple[float, float]] = field(default_factory=list)
    ended: float = 0
    first_partial: float | None = None
    final_after_end: float | None = None
    lags: list[float] = field(default_factory=list)
    segments: dict[int, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return " ".join(text for _, text in sorted(self.segments.items()) if text)

    def note(self, result: dict, instant: float) -> None:
        text, segment = result["text"].strip(), result["segment"]
        is_new = text != self.segments.get(segment, "")
        self.segments[segment] = text
        if not text or not is_new:
            return
        began = self.sent[0][1] if self.sent else instant
        self.first_partial = self.first_partial or instant - began
        last = result["start_time"] + result["timestamps"][-1]
        covered = last + FRAME * (1 + result["num_trailing_blanks"]) + self.look_ahead
        # Tokens' times are rounded to hundredths.
        due = [sent for seconds, sent in self.sent if seconds >= covered - FRAME / 2]
        # Where none is due the end of the audio was padded, and the result is a final one.
        if due:
            self.lags.append(instant - due[0])


async def hear(address: str, samples: np.ndarray, look_ahead: float) -> Hearing:
    """Has a server hear `samples`, 16 kHz mono, at the speed of speech."""
    hearing = Hearing(look_ahead)
    async with websockets.connect(f"ws://{address}", compression=None, ping_interval=None) as socket:

        async def send() -> None:
            start = time.monotonic()
            for begin in range(0, len(samples), PORTION):
                portion = samples[begin : begin + PORTION]
                seconds = (begin + len(portion)) / RATE
                await asyncio.sleep(start + seconds - time.monotonic())
                hearing.sent.append((seconds, time.monotonic()))
                await socket.send(portion.astype("<f4").tobytes())
            hearing.ended = time.monotonic()
            await socket.send("Done")

        sender = asyncio.create_task(send())
        async with asyncio.timeout(len(samples) / RATE + PATIENCE):
            async for message in socket:
                if message == "Done!":
                    break
                hearing.note(json.loads(message), time.monotonic())
        await sender
        hearing.final_after_end = time.monotonic() - hearing.ended
    return hearing


async def _sessions(
    address: str, count: int, audio: dict[str, np.ndarray], seconds: float, look_ahead: float
) -> tuple[list[tuple[str, Hearing]], Counter]:
    heard, failures = [], Counter()
    start, names = time.monotonic(), list(audio)

    async def session(number: int) -> None:
        turn = 0
        while time.monotonic() < start + seconds:
            name = names[(number + turn) % len(names)]
            turn += 1
            try:
                heard.append((name, await hear(address, audio[name], look_ahead)))
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                failures[type(error).__name__] += 1
                # A server that refuses is not asked again at once.
                await asyncio.sleep(1)

    await asyncio.gather(*(session(number) for number in range(count)))
    return heard, failures


def spread(values: list[float]) -> dict[str, float] | None:
    """By nearest rank, in the form of the load generator's report."""
    if not values:
        return None
    ranked = sorted(values)
    ranks = {f"p{percent}": ranked[(percent * len(ranked) + 99) // 100 - 1] for percent in (50, 95, 99)}
    return {"count": len(ranked)} | ranks | {"max": ranked[-1]}


def run(address: str, count: int, audio: dict[str, np.ndarray], seconds: float, look_ahead: float) -> dict:
    """So many sessions at once, in the form of the load generator's report; `audio` by file.

    seconds: after which no file is begun. look_ahead: seconds of audio behind a block that it needs.
    """
    began = time.process_time()
    heard, failures = asyncio.run(_sessions(address, count, audio, seconds, look_ahead))
    texts = {name: Counter(h.text for n, h in heard if n == name) for name in dict(heard)}
    common = {name: found.most_common(1)[0] for name, found in texts.items()}
    return {
        "hearings": len(heard) + failures.total(),
        "audio_seconds": sum(hearing.sent[-1][0] for _, hearing in heard),
        "processor_seconds": time.process_time() - began,
        "failures": dict(failures),
        "first_partial": spread([h.first_partial for _, h in heard if h.first_partial is not None]),
        "final_after_end": spread([h.final_after_end for _, h in heard if h.final_after_end is not None]),
        "result_lag": spread([lag for _, hearing in heard for lag in hearing.lags]),
        "differing": sum(texts[name].total() - same for name, (_, same) in common.items()),
        "files": [{"file": name, "text": text} for name, (text, _) in common.items()],
    }
