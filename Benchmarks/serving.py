#!/usr/bin/env python3
"""Many streams at 640 ms: `starling serve` against sherpa-onnx on the same weights.

    pip install -r Benchmarks/requirements.txt
    Benchmarks/serving.py                           # 1, 8 and 32 streams
    Benchmarks/serving.py --streams 32 --seconds 60
    Benchmarks/serving.py --saturation              # also: how many streams each server carries

Servers. `starling serve` and sherpa-onnx's `sherpa-onnx-online-websocket-server`, two threads that
decode each, float32 and int8, hear the same utterances of dev-clean, paced as they were spoken, over
sherpa-onnx's protocol from the same load generator (`starling client --load`) on the same machine. One
stream of eight, at least one, is a probe that measures the lag, from when the last sample that a
partial result took was sent to its arrival: with Starling it speaks the native protocol, as sherpa-onnx's
does not tell; with sherpa-onnx see sherpa_probe.py. The cost is processor time of the server's process
per second of audio; a core carries 1 / cost streams.

In this process. sherpa-onnx's recogniser on one thread without its server and any socket, given 320 ms
of every stream and then all of them in one batch: the largest batches there can be, and nothing but
decoding to do.
"""

import argparse
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sherpa_onnx
import soundfile

import common
import sherpa_probe
from common import STARLING_F32, STARLING_INT8

sys.path.insert(0, str(common.ROOT / "training"))

import export_onnx  # noqa: E402
from rivals import prepare  # noqa: E402

STEP = 5120  # samples of 8 encoder frames
CHUNK = LOOK_AHEAD = 0.32  # seconds
SHERPA_F32, SHERPA_INT8 = "sherpa-onnx f32", "sherpa-onnx int8"
SHERPA_SERVER = "sherpa-onnx-online-websocket-server"
# Starling against sherpa-onnx: like against like, and the best of one against the plain other.
PAIRS = [(STARLING_F32, SHERPA_F32), (STARLING_INT8, SHERPA_INT8), (STARLING_INT8, SHERPA_F32)]


class SherpaServer:
    """sherpa-onnx's server on a free port of this machine."""

    def __init__(self, binary: str, graph: Path, tokens: Path, threads: int, batch: int, folder: str):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.addresses = {"sherpa": f"127.0.0.1:{port}"}
        command = [binary, f"--nemo-ctc-model={graph}", f"--tokens={tokens}", f"--port={port}"]
        command += [f"--num-work-threads={threads}", f"--max-batch-size={batch}", f"--log-file={folder}/log"]
        # Silence at the end: for the last block to be full and looked ahead from, no more (its default
        # of 0.8 s would cost it more).
        command.append(f"--end-tail-padding={CHUNK + LOOK_AHEAD + 0.02}")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.1)
        self.stop()
        sys.exit(f"{SHERPA_SERVER} did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@dataclass(frozen=True)
class Bench:
    """What all measurements of a run share."""

    arguments: argparse.Namespace
    files: list[str]  # 16 kHz WAV
    audio: dict[str, np.ndarray]  # by file
    models: dict[str, Path]  # Starling's, by system
    graphs: dict[str, Path]  # sherpa-onnx's, by system

    def start(self, system: str, streams: int, folder: str) -> common.Server | SherpaServer:
        threads = self.arguments.threads
        if system in self.models:
            options = ["--model", self.models[system], "--latency", "640ms", "--decoder-threads", threads]
            options += ["--max-sessions", 10_000, "--max-connections", 10_000]
            return common.Server(self.arguments.binary, folder, [str(o) for o in options], ("sherpa",))
        graph = self.graphs[system]
        # The larger its batches may be the less it costs.
        batch = self.arguments.sherpa_batch or max(5, streams)
        return SherpaServer(
            self.arguments.sherpa_server, graph, graph.parent / "sherpa-tokens.txt", threads, batch, folder)

    def probe(self, server: common.Server | SherpaServer, count: int) -> dict:
        seconds = self.arguments.seconds
        if native := server.addresses.get("native"):
            return common.load_report(
                common.load_process(self.arguments.binary, native, "native", count, self.files, "--duration", str(seconds)))
        return sherpa_probe.run(server.addresses["sherpa"], count, self.audio, seconds, LOOK_AHEAD)

    def measure(self, system: str, streams: int) -> dict:
        """One server under so many streams; times in seconds."""
        probes = max(1, streams // 8)
        with tempfile.TemporaryDirectory() as folder:
            server = self.start(system, streams, folder)
            load = ["sherpa", streams - probes, self.files, "--duration", str(self.arguments.seconds)]
            address, process = server.addresses["sherpa"], server.process.pid
            warm_up = common.load_process(self.arguments.binary, address, "sherpa", 1, self.files[:2], "--fast")
            common.load_report(warm_up)
            began = common.processor_seconds(process)
            others = common.load_process(self.arguments.binary, address, *load) if streams > probes else None
            probe = self.probe(server, probes)
            reports = [probe, *([common.load_report(others)] if others else [])]
            taken = common.processor_seconds(process) - began
            memory = common.resident_mebibytes(process)
            server.stop()
        return {"system": system, "streams": streams, "mebibytes": memory} | summary(reports, taken)


def summary(reports: list[dict], taken: float) -> dict:
    """The probes' report and, behind it, that of the other streams, as one."""
    seconds = sum(report["audio_seconds"] for report in reports)
    texts = {file["file"]: file["text"] for report in reports for file in report["files"] if file["text"]}
    return {
        "cost": taken / seconds,
        "audio_seconds": seconds,
        "client_processor_seconds": sum(report["processor_seconds"] for report in reports),
        "failures": dict(sum((Counter(report["failures"]) for report in reports), Counter())),
        "differing": sum(report["differing"] for report in reports),
        "result_lag": reports[0]["result_lag"],
        "first_partial": reports[-1]["first_partial"],
        "final_after_end": reports[-1]["final_after_end"],
        "texts": {Path(name).name: text for name, text in texts.items()},
    }


def compare(bench: Bench, streams: int) -> list[dict]:
    """Every system with so many streams: the run of the median cost, and the costs of all."""
    systems = [*bench.models, *bench.graphs]
    runs: dict[str, list[dict]] = {system: [] for system in systems}
    for turn in range(bench.arguments.rounds):
        for place in range(len(systems)):
            system = systems[(turn + place) % len(systems)]
            runs[system].append(bench.measure(system, streams))
    rows = []
    for found in runs.values():
        middle = sorted(found, key=lambda run: run["cost"])[(len(found) - 1) // 2]
        rows.append(middle | {"costs": [run["cost"] for run in found]})
    expected = rows[0]["texts"]
    for row in rows:
        row["same_text"] = sum(row["texts"].get(name) == text for name, text in expected.items())
        row["of_texts"] = len(expected)
    return rows


def show(rows: list[dict]) -> None:
    streams = rows[0]["streams"]
    print(f"\n{streams} stream{'s' if streams > 1 else ''}; times in ms, p50 / p95 / p99\n")
    print("| system | ms per s of audio | streams per core | lag | first partial | final after end | MiB | same text |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        times = [common.milliseconds(row[name]) for name in ("result_lag", "first_partial", "final_after_end")]
        cells = [row["system"], f"{1000 * row['cost']:.1f}", f"{1 / row['cost']:.0f}", *times, f"{row['mebibytes']:.0f}"]
        print(f"| {' | '.join(cells)} | {row['same_text']} of {row['of_texts']} |")
        if row["failures"] or row["differing"]:
            print(f"{row['system']}: failures {row['failures']}, {row['differing']} texts unlike other sessions'", file=sys.stderr)
    ratios = (f"{ours} over {theirs} {value:.2f}" for (ours, theirs), value in over(rows).items())
    print(f"\nStreams per core: {', '.join(ratios)}", flush=True)


def over(rows: list[dict]) -> dict[tuple[str, str], float]:
    """Starling's streams per core over sherpa-onnx's: the medians of the rounds' ratios."""
    costs = {row["system"]: row["costs"] for row in rows}
    return {
        (ours, theirs): statistics.median(b / a for a, b in zip(costs[ours], costs[theirs])) for ours, theirs in PAIRS}


def saturation(carries: Callable[[int], bool], first: int, cap: int, precision: int) -> int:
    """The most streams that are carried, to `precision`, at most `cap`; 0 if `first` are too many."""
    most, too_many = 0, first
    while carries(too_many):
        most = too_many
        if most == cap:
            return cap
        too_many = min(2 * most, cap)
    while most and too_many - most > precision:
        middle = (most + too_many) // 2
        most, too_many = (middle, too_many) if carries(middle) else (most, middle)
    return most


def find_saturation(bench: Bench, system: str) -> dict:
    trials = []

    def carries(streams: int) -> bool:
        run = bench.measure(system, streams)
        lag = run["result_lag"]["p99"] if run["result_lag"] else None
        trials.append({"streams": streams, "lag_p99": lag, "cost": run["cost"], "failures": run["failures"]})
        return not run["failures"] and lag is not None and lag < CHUNK

    arguments = bench.arguments
    most = saturation(carries, arguments.first, arguments.cap, arguments.precision)
    tried = ", ".join(f"{trial['streams']}: {1000 * (trial['lag_p99'] or 0):.0f} ms" for trial in trials)
    print(f"| {system} | {most} | {tried} |", flush=True)
    return {"system": system, "streams": most, "trials": trials}


def in_process_cost(graph: Path, streams: int, audio: np.ndarray, seconds: float) -> float:
    """Processor seconds per second of audio, of `streams` streams at different places of `audio`."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    recognizer = sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        tokens=str(graph.parent / "sherpa-tokens.txt"), model=str(graph), num_threads=1)
    running = [recognizer.create_stream() for _ in range(streams)]
    starts = [len(audio) * i // streams for i in range(streams)]
    # Until the caches are full nothing is counted.
    warm_up, rounds = 10, max(10, int(seconds / CHUNK / streams))
    for turn in range(warm_up + rounds):
        if turn == warm_up:
            began = used()
        for stream, start in zip(running, starts):
            place = (start + turn * STEP) % (len(audio) - STEP)
            stream.accept_waveform(16_000, audio[place : place + STEP])
        while ready := [stream for stream in running if recognizer.is_ready(stream)]:
            recognizer.decode_streams(ready)
    return (used() - began) / (rounds * streams * STEP / 16_000)


def compare_in_process(bench: Bench, rows: list[dict]) -> list[dict]:
    """sherpa-onnx without its server against Starling's servers in `rows`."""
    audio = np.concatenate(list(bench.audio.values()))
    print("\nsherpa-onnx in this process, one thread; ms of processor time per s of audio\n")
    print(f"| streams | system | ms | {STARLING_F32}'s server over it | {STARLING_INT8}'s |\n|---|---|---|---|---|")
    costs = {(row["streams"], row["system"]): row["cost"] for row in rows}
    found = []
    for streams in bench.arguments.streams:
        for system, graph in bench.graphs.items():
            cost = in_process_cost(graph, streams, audio, bench.arguments.in_process)
            found.append({"streams": streams, "system": system, "cost": cost})
            ratios = [f"{cost / costs[streams, starling]:.2f}" for starling in bench.models]
            print(f"| {streams} | {system} | {1000 * cost:.1f} | {' | '.join(ratios)} |", flush=True)
    return found


def prepared(arguments: argparse.Namespace, folder: Path) -> Bench:
    """Everything that has to be made before anything is measured."""
    graphs = arguments.onnx or folder / "onnx"
    if not arguments.onnx:
        export_onnx.export(arguments.model, graphs, [8], [(8, 8)])
    int8 = arguments.int8_model or common.quantized(arguments.binary, arguments.model, folder)
    chosen = common.choose(arguments.corpus, arguments.utterances)
    files = [str(prepare(path, folder, i).wav) for i, path in enumerate(chosen)]
    return Bench(
        arguments, files, {file: soundfile.read(file, dtype="float32")[0] for file in files},
        {STARLING_F32: arguments.model.resolve(), STARLING_INT8: int8},
        {SHERPA_F32: graphs / "sherpa-8-8.onnx", SHERPA_INT8: graphs / "sherpa-8-8.int8.onnx"})


def measure(bench: Bench) -> dict:
    arguments = bench.arguments
    results = {
        "machine": common.machine(), "versions": {"sherpa-onnx": sherpa_onnx.__version__},
        "threads": arguments.threads, "seconds": arguments.seconds, "rows": [], "ratios": []}
    for streams in arguments.streams:
        rows = compare(bench, streams)
        show(rows)
        results["rows"] += rows
        for (ours, theirs), value in over(rows).items():
            results["ratios"].append({"streams": streams, "starling": ours, "rival": theirs, "ratio": value})
    if arguments.in_process:
        results["in_process"] = compare_in_process(bench, results["rows"])
    if arguments.saturation:
        print(f"\nMost streams with p99 lag under one chunk, {1000 * CHUNK:.0f} ms\n")
        print("| system | streams | p99 lag in the trials |\n|---|---|---|")
        results["saturation"] = [find_saturation(bench, system) for system in (*bench.models, *bench.graphs)]
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_arguments(parser)
    parser.add_argument("--streams", type=int, action="append", help="repeatable (default: 1, 8 and 32)")
    parser.add_argument("--seconds", type=float, default=30, help="of starting new files in each measurement")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2, help="that decode, in each server")
    parser.add_argument("--sherpa-server", help=f"program (default: {SHERPA_SERVER} beside this Python or in PATH)")
    parser.add_argument("--sherpa-batch", type=int, help="its most streams in a batch (default: all, at least 5)")
    parser.add_argument("--in-process", type=float, default=200, help="s of audio without servers; 0 for none")
    parser.add_argument("--saturation", action="store_true", help="also find how many streams each server carries")
    parser.add_argument("--first", type=int, default=32, help="streams that the search for it begins with")
    parser.add_argument("--cap", type=int, default=256, help="and that it ends with")
    parser.add_argument("--precision", type=int, default=8, help="streams that the answer may be too few")
    parser.add_argument("--onnx", type=Path, help="graphs of export_onnx.py --sherpa 8/8 (default: writes them anew)")
    arguments = parser.parse_args()
    arguments.streams = arguments.streams or [1, 8, 32]
    beside = shutil.which(SHERPA_SERVER, path=str(Path(sys.executable).parent))
    arguments.sherpa_server = arguments.sherpa_server or beside or shutil.which(SHERPA_SERVER)
    if not arguments.sherpa_server:
        sys.exit(f"no {SHERPA_SERVER}: pip install sherpa-onnx-bin, or name it by --sherpa-server")
    with tempfile.TemporaryDirectory() as folder:
        common.write_json(arguments.json, measure(prepared(arguments, Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
