#!/usr/bin/env python3
"""Many streams at 640 ms against sherpa-onnx on the same weights: what a second of speech costs.

    pip install -r Benchmarks/requirements.txt sherpa-onnx
    Benchmarks/serving.py                           # 1, 8 and 32 streams
    Benchmarks/serving.py --streams 32 --seconds 60

Both hear the same utterances of dev-clean in blocks of 8 + 8 frames. The cost is processor time
per second of audio; a core carries 1 / cost streams.

sherpa-onnx: its recogniser in this process on one thread, without its server and any socket, given
320 ms of every stream and then all of them in one batch: the largest batches there can be, and
nothing but decoding to do.
Starling: the whole process of `starling serve` with its sockets and two threads, and paced sessions
whose blocks come when they come, so that its batches are only as large as chance makes them.
Every difference is in sherpa-onnx's favour.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import sherpa_onnx
import soundfile

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "training"), str(ROOT / "Benchmarks")]

import export_onnx  # noqa: E402
import load  # noqa: E402
from rivals import SHARED, choose, prepare  # noqa: E402

STEP = 5120  # samples of 8 encoder frames


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def sherpa_cost(graphs: Path, suffix: str, streams: int, audio: np.ndarray, seconds: float) -> float:
    """Processor seconds per second of audio, of `streams` streams at different places of `audio`."""
    recognizer = sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        tokens=str(graphs / "sherpa-tokens.txt"), model=str(graphs / f"sherpa-8-8{suffix}"), num_threads=1)
    running = [recognizer.create_stream() for _ in range(streams)]
    starts = [len(audio) * i // streams for i in range(streams)]
    # Until the caches are full nothing is counted.
    warm_up, rounds = 10, max(10, int(seconds / 0.32 / streams))
    for turn in range(warm_up + rounds):
        if turn == warm_up:
            began = processor_seconds()
        for stream, start in zip(running, starts):
            place = (start + turn * STEP) % (len(audio) - STEP)
            stream.accept_waveform(16_000, audio[place : place + STEP])
        while ready := [stream for stream in running if recognizer.is_ready(stream)]:
            recognizer.decode_streams(ready)
    return (processor_seconds() - began) / (rounds * streams * STEP / 16_000)


def starling_cost(streams: int, files: list[str], seconds: float) -> tuple[float, float]:
    """Processor seconds per second of audio, and streams in a batch, of a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = load.Server(folder, ["--latency", "640ms"])
        began = process_seconds(server.process.pid)
        command = [load.STARLING, "client", "--server", server.address, "--load", str(streams)]
        command += ["--duration", str(seconds), "--format", "json", *files]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        metrics = server.metrics()
        taken = process_seconds(server.process.pid) - began
        server.stop()
    batch = metrics["starling_batch_streams_sum"] / metrics["starling_batch_streams_count"]
    return taken / metrics["starling_audio_seconds_total"], batch


def process_seconds(process: int) -> float:
    """Processor seconds of a running process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models/starling-en-small")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/starling")
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpora/dev-clean")
    parser.add_argument("--utterances", type=int, default=24)
    parser.add_argument("--streams", type=int, action="append", help="repeatable (default: 1, 8 and 32)")
    parser.add_argument("--seconds", type=float, default=200, help="of audio for sherpa-onnx in each measurement")
    parser.add_argument("--paced", type=float, default=12, help="seconds of starting new files, for Starling")
    parser.add_argument("--onnx", type=Path, help="graphs of export_onnx.py --sherpa 8/8 (default: writes them anew)")
    arguments = parser.parse_args()
    load.STARLING = arguments.binary
    os.environ["STARLING_MODEL"] = str(arguments.model.resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graphs = arguments.onnx or folder / "onnx"
        if not arguments.onnx:
            export_onnx.export(arguments.model, graphs, [8], [(8, 8)])
        utterances = [prepare(p, folder, i) for i, p in enumerate(choose(arguments.corpus, arguments.utterances))]
        audio = np.concatenate([soundfile.read(u.wav, dtype="float32")[0] for u in utterances])
        print("Processor milliseconds per second of audio\n")
        print("| streams | Starling's server (streams a pass) | sherpa-onnx f32 | sherpa-onnx int8 | sherpa-onnx costs |\n|---|---|---|---|---|")
        for streams in arguments.streams or [1, 8, 32]:
            cost, batch = starling_cost(streams, [str(u.wav) for u in utterances], arguments.paced)
            rivals = [sherpa_cost(graphs, suffix, streams, audio, arguments.seconds) for suffix in (".onnx", ".int8.onnx")]
            cells = [f"{1000 * cost:.1f} ({batch:.1f})", *(f"{1000 * rival:.1f}" for rival in rivals)]
            ratios = " and ".join(f"{rival / cost:.2f}" for rival in rivals)
            print(f"| {streams} | {' | '.join(cells)} | {ratios} times as much |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
