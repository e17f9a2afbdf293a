"""What the speed benchmarks share: paths, audio, the machine, `starling serve` and its load generator."""

import argparse
import csv
import json
import os
import platform
import re
import subprocess
import sys
import time
import urllib.request
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
BINARY = ROOT / ".build/release/starling"
MODEL = ROOT / "models/starling-en-small"
CORPUS = SHARED / "corpora/dev-clean"
# The two forms of Starling's model, as they are called in tables and results.
STARLING_F32, STARLING_INT8 = "Starling f32", "Starling int8"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that more than one benchmark has."""
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--int8-model", type=Path, help="what `starling model quantize` made (default: makes it anew)")
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--utterances", type=int, default=24)
    parser.add_argument("--json", type=Path, help="also writes every figure to a file")


def samples() -> list[Path]:
    """The recordings that come with Starling."""
    return sorted(p for p in (ROOT / "audio-samples").iterdir() if p.suffix in (".flac", ".opus", ".mp3", ".wav"))


def choose(corpus: Path, count: int) -> list[Path]:
    """`count` files, evenly spaced by length; the samples that come with Starling without a corpus."""
    manifest = corpus / "manifest.tsv"
    if not manifest.exists():
        print(f"no {manifest}: the samples that come with Starling instead", file=sys.stderr)
        return samples()
    with open(manifest, encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows.sort(key=lambda row: (float(row["seconds"]), row["path"]))
    return [corpus / rows[int((i + 0.5) * len(rows) / count)]["path"] for i in range(count)]


def quantized(binary: Path, model: Path, folder: Path) -> Path:
    """The int8 form of a model, made in `folder`."""
    output = folder / "int8-model"
    command = [binary, "model", "quantize", "--model", model, "--output", output]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    return output


def write_json(path: Path | None, results: dict) -> None:
    if path:
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# The machine


def machine() -> dict:
    """What the figures were measured on and how busy it was just before."""
    return {
        "processor": cpu_name(),
        "cores": os.cpu_count(),
        "date": date.today().isoformat(),
        "busy": busy_share(1),
    }


def cpu_name() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        return found[1] if found else platform.processor()
    except OSError:
        return platform.processor()


def busy_share(seconds: float) -> float:
    """Share of the processors' time, 0 to 1, that anything but idling takes during so many seconds."""

    def ticks() -> tuple[int, int]:
        # user, nice, system, idle, waiting for disks, interrupts …
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
        return fields[3] + fields[4], sum(fields)

    before = ticks()
    time.sleep(seconds)
    idle, total = (after - then for after, then in zip(ticks(), before))
    return 1 - idle / total


def processor_seconds(process: int) -> float:
    """Processor seconds, user and system, that a running process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mebibytes(process: int) -> float:
    """MiB of memory that a running process holds."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024


# Live streams


def milliseconds(spread: dict[str, float] | None) -> str:
    """p50 / p95 / p99 in ms, of seconds in the form of the load generator's report."""
    return " / ".join(f"{1000 * spread[rank]:.0f}" for rank in ("p50", "p95", "p99")) if spread else "–"


class Server:
    """`starling serve` on a Unix socket, with its metrics; `addresses` by service, sherpa on request."""

    def __init__(self, binary: Path, folder: Path | str, options: list[str], services: tuple[str, ...] = ()):
        self.addresses = {"native": f"unix:{folder}/native.sock"}
        command = [str(binary), "serve", "--log-level", "warning", "--listen", f"native={self.addresses['native']}"]
        for service in ("http", *services):
            command += ["--listen", f"{service}=127.0.0.1:0"]
        self.process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            self.addresses |= re.findall(r"(\S+)=(127\.0\.0\.1:\d+)", line)
            if line.rstrip().endswith("ready"):
                return
        sys.exit("starling serve did not start")

    def metrics(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://{self.addresses['http']}/metrics") as response:
            lines = response.read().decode().splitlines()
        return {name: float(value) for name, value in (line.split(" ") for line in lines if line[0] != "#")}

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def load_process(
    binary: Path, address: str, protocol: str, streams: int, files: list[str], *options: str
) -> subprocess.Popen:
    """`starling client --load`, begun; `load_report` waits for it."""
    command = [str(binary), "client", "--server", address, "--protocol", protocol, "--load", str(streams)]
    return subprocess.Popen([*command, "--format", "json", *options, *files], stdout=subprocess.PIPE)


def load_report(process: subprocess.Popen) -> dict:
    """What the load generator says at its end; times in seconds. Sessions that failed are counted in it."""
    said = process.communicate()[0]
    if not said:
        sys.exit(f"starling client --load ended with {process.returncode} and no report")
    return json.loads(said)
