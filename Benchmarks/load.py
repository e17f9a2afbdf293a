#!/usr/bin/env python3
"""How many live streams a server carries: delays and cost per stream, by the number of streams.

    Benchmarks/load.py                                  # the samples that come with Starling
    Benchmarks/load.py --streams 1 --streams 40 --final-pass full-context
    Benchmarks/load.py --streams 16 --uploads 2         # beside files sent over HTTP
    Benchmarks/load.py --seconds 20 AUDIO...

For each number of streams a fresh `starling serve` hears that many sessions of `starling client
--load` over a Unix socket, each paced as it was spoken, on the same machine: what the client costs
is taken from the same cores. Prints a table for Benchmarks/README.md and the largest number whose
p99 lag is under one chunk.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import common

STREAMS = [1, 8, 16, 32, 40, 48, 64, 80, 96]
# Seconds of new audio in a step.
CHUNK = {"160ms": 0.08, "320ms": 0.16, "640ms": 0.32, "960ms": 0.64, "1280ms": 0.64}


def measure(
    binary: Path, streams: int, options: list[str], seconds: float, files: list[str], uploads: int
) -> dict:
    """What the load generator says of so many streams, and the server of itself.

    cost: processor seconds of the decoder per second of audio; process_cost: of the whole server.
    """
    with tempfile.TemporaryDirectory() as folder:
        server = common.Server(binary, folder, options)
        process = server.process.pid
        before = common.processor_seconds(process)
        is_over = threading.Event()
        uploaded = str(common.ROOT / "audio-samples/chapter.opus")
        for _ in range(uploads):
            threading.Thread(target=upload, args=(server, uploaded, is_over)).start()
        address = server.addresses["native"]
        said = common.load_report(
            common.load_process(binary, address, "native", streams, files, "--duration", str(seconds))
        )
        is_over.set()
        taken = common.processor_seconds(process) - before
        metrics = server.metrics()
        server.stop()
    busy = metrics["starling_decoding_seconds_total"] + metrics["starling_final_pass_seconds_total"]
    batches = metrics["starling_batch_streams_count"]
    return said | {
        "cost": busy / metrics["starling_audio_seconds_total"],
        "process_cost": taken / metrics["starling_audio_seconds_total"],
        "batch": metrics["starling_batch_streams_sum"] / batches,
        "mebibytes": metrics["starling_resident_bytes"] / 2**20,
    }


def upload(server: common.Server, path: str, is_over: threading.Event) -> None:
    """Has one file after the other transcribed, as OpenAI's clients do."""
    url = f"http://{server.addresses['http']}/v1/audio/transcriptions"
    while not is_over.is_set():
        command = ["curl", "-sf", url, "-F", "model=starling", "-F", f"file=@{path}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def row(streams: int, run: dict) -> str:
    cells = [str(streams), f"{run['batch']:.1f}", f"{1000 * run['cost']:.1f}"]
    cells += [
        common.milliseconds(run[what])
        for what in ("result_lag", "first_partial", "final_after_end")
    ]
    cells.append(f"{run['mebibytes']:.0f}")
    return "| " + " | ".join(cells) + " |"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=common.MODEL)
    parser.add_argument("--binary", type=Path, default=common.BINARY)
    parser.add_argument("--streams", type=int, action="append")
    parser.add_argument("--latency", default="640ms", choices=CHUNK)
    parser.add_argument("--final-pass", default="none")
    parser.add_argument("--seconds", type=float, default=30, help="of starting new files")
    parser.add_argument("--uploads", type=int, default=0, help="clients that send whole files")
    parser.add_argument("--json", type=Path, help="also writes every figure to a file")
    parser.add_argument("files", nargs="*")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    # The samples that are cut to an utterance or two.
    files = options.files or [str(path) for path in common.samples() if path.suffix != ".opus"]
    serve = ["--model", str(options.model.resolve())]
    serve += ["--latency", options.latency, "--final-pass", options.final_pass]
    results = {"machine": common.machine(), "latency": options.latency, "rows": []}
    print("| streams | streams a pass | cost | lag | first partial | final after end | MiB |")
    print("|---|---|---|---|---|---|---|")
    largest = 0
    for streams in options.streams or STREAMS:
        run = measure(options.binary, streams, serve, options.seconds, files, options.uploads)
        print(row(streams, run), flush=True)
        if run["failures"] or run["differing"]:
            sys.exit(f"failures: {run['failures']}, differing texts: {run['differing']}")
        if run["result_lag"]["p99"] < CHUNK[options.latency]:
            largest = max(largest, streams)
        results["rows"].append({"streams": streams} | run)
    chunk = round(1000 * CHUNK[options.latency])
    print(f"\np99 lag under one chunk ({chunk} ms): up to {largest} streams")
    common.write_json(options.json, results)


if __name__ == "__main__":
    main()
