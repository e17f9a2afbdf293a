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
import json
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARLING = ROOT / ".build/release/starling"
STREAMS = [1, 8, 16, 32, 40, 48, 64, 80, 96]
# New frames of 40 ms in a step.
CHUNK = {"160ms": 0.08, "320ms": 0.16, "640ms": 0.32, "960ms": 0.64, "1280ms": 0.64}


class Server:
    """`starling serve` on a Unix socket, with its metrics."""

    def __init__(self, folder: str, options: list[str]):
        self.address = f"unix:{folder}/native.sock"
        listeners = ["--listen", f"native={self.address}", "--listen", "http=127.0.0.1:0"]
        command = [STARLING, "serve", "--log-level", "warning", *listeners, *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"http=(127.0.0.1:\d+)", line):
                self.http = found[1]
            if line.rstrip().endswith("ready"):
                return
        sys.exit("the server did not start")

    def metrics(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://{self.http}/metrics") as response:
            lines = response.read().decode().splitlines()
        return {name: float(value) for name, value in (l.split(" ") for l in lines if l[0] != "#")}

    def stop(self):
        self.process.terminate()
        self.process.wait()


def measure(
    streams: int, options: list[str], seconds: float, files: list[str], uploads: int
) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder, options)
        is_over = threading.Event()
        uploaded = str(ROOT / "audio-samples/chapter.opus")
        for _ in range(uploads):
            threading.Thread(target=upload, args=(server, uploaded, is_over)).start()
        command = [STARLING, "client", "--server", server.address, "--load", str(streams)]
        command += ["--duration", str(seconds), "--format", "json", *files]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        is_over.set()
        said, metrics = json.loads(run.stdout), server.metrics()
        server.stop()
    busy = metrics["starling_decoding_seconds_total"] + metrics["starling_final_pass_seconds_total"]
    batches = metrics["starling_batch_streams_count"]
    return said | {
        "cost": busy / metrics["starling_audio_seconds_total"],
        "batch": metrics["starling_batch_streams_sum"] / batches,
        "mebibytes": metrics["starling_resident_bytes"] / 2**20,
    }


def upload(server: Server, path: str, is_over: threading.Event):
    """Has one file after the other transcribed, as OpenAI's clients do."""
    url = f"http://{server.http}/v1/audio/transcriptions"
    while not is_over.is_set():
        command = ["curl", "-sf", url, "-F", "model=starling", "-F", f"file=@{path}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def row(streams: int, run: dict) -> str:
    def of(what: str, *ranks: str) -> list[str]:
        return [f"{1000 * run[what][rank]:.0f}" for rank in ranks]

    cells = [str(streams), f"{run['batch']:.1f}", f"{1000 * run['cost']:.1f}"]
    cells.append(" / ".join(of("result_lag", "p50", "p95", "p99")))
    cells.append(" / ".join(of("first_partial", "p50", "p95", "p99")))
    cells.append(" / ".join(of("final_after_end", "p50", "p95", "p99")))
    cells.append(f"{run['mebibytes']:.0f}")
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, action="append")
    parser.add_argument("--latency", default="640ms", choices=CHUNK)
    parser.add_argument("--final-pass", default="none")
    parser.add_argument("--seconds", type=float, default=30, help="of starting new files")
    parser.add_argument("--uploads", type=int, default=0, help="clients that send whole files")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    files = options.files or sorted(
        str(path)
        for path in (ROOT / "audio-samples").iterdir()
        if path.suffix in (".flac", ".mp3", ".wav")
    )
    serve = ["--latency", options.latency, "--final-pass", options.final_pass]
    print("| streams | streams a pass | cost | lag | first partial | final after end | MiB |")
    print("|---|---|---|---|---|---|---|")
    largest = 0
    for streams in options.streams or STREAMS:
        run = measure(streams, serve, options.seconds, files, options.uploads)
        print(row(streams, run), flush=True)
        if run["failures"] or run["differing"]:
            sys.exit(f"failures: {run['failures']}, differing texts: {run['differing']}")
        if run["result_lag"]["p99"] < CHUNK[options.latency]:
            largest = max(largest, streams)
    chunk = round(1000 * CHUNK[options.latency])
    print(f"\np99 lag under one chunk ({chunk} ms): up to {largest} streams")


if __name__ == "__main__":
    main()
