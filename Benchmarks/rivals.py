#!/usr/bin/env python3
"""Starling against ONNX Runtime and PyTorch on the same weights, pair by pair in one run.

    pip install -r Benchmarks/requirements.txt
    Benchmarks/rivals.py                            # 1 and 2 threads: full, 8/8 and 4/0
    Benchmarks/rivals.py --threads 1 --mode full --rounds 9

Utterances of dev-clean, evenly spaced by length (the samples that come with Starling, where there is
no corpus). In every round each system hears all of them once, in an order that moves on; figures are
medians over the rounds, ratios medians of the rounds' ratios.

What is timed. Rivals: the encoder and the CTC head up to log-probabilities, from log-mel frames that
were computed before. Starling: `starling bench` from samples to text: log-mel features, encoder, CTC
head, search; with 2 threads, where bench has none, what hearing all utterances twice in one
`starling transcribe` takes longer than once, so reading the WAV files and writing the text too. So
the rivals' figures are upper bounds of what a recogniser built on them would reach.

On a machine that others use too, --processor-time counts processor seconds instead of seconds on the
clock, at 1 thread, Starling by `starling transcribe` as with 2 threads.

With 2 threads "products" lets each matrix product use both, one utterance after the other, and
"utterances" hears two at once, each on one.
"""

import argparse
import csv
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "training"))

import export_onnx  # noqa: E402
from starling_training.config import ModelConfig  # noqa: E402
from starling_training.features import log_mel  # noqa: E402
from starling_training.model import ConformerCTC  # noqa: E402
from starling_training.onnx_model import OnnxStream, session  # noqa: E402
from starling_training.stream import BlockShape, TorchStream, feeds  # noqa: E402

SHARED = ROOT.parent / "shared"
STARLING = "Starling"


@dataclass(frozen=True)
class Utterance:
    wav: Path
    seconds: float
    mel: np.ndarray  # [1, t, 80]


@dataclass(frozen=True)
class Mode:
    """`full`, or blocks C/R."""

    name: str
    left: int

    @property
    def shape(self) -> BlockShape | None:
        if self.name == "full":
            return None
        new_frames, look_ahead = map(int, self.name.split("/"))
        return BlockShape(new_frames, look_ahead, self.left)


@dataclass(frozen=True)
class Setting:
    """Threads of one product, and utterances heard at once."""

    threads: int
    jobs: int
    processor_time: bool = False

    def clock(self) -> float:
        """Seconds: of this process and its ended children, or on the clock."""
        if not self.processor_time:
            return time.perf_counter()
        usages = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    def __str__(self) -> str:
        if self.threads == self.jobs == 1:
            return "1 thread, processor time" if self.processor_time else "1 thread"
        return f"{self.threads} threads, products" if self.jobs == 1 else f"{self.jobs} threads, utterances"


def choose(corpus: Path, count: int) -> list[Path]:
    """`count` files, evenly spaced by length; the samples that come with Starling without a corpus."""
    manifest = corpus / "manifest.tsv"
    if not manifest.exists():
        print(f"no {manifest}: the samples that come with Starling instead", file=sys.stderr)
        return sorted(p for p in (ROOT / "audio-samples").iterdir() if p.suffix in (".flac", ".opus", ".mp3", ".wav"))
    with open(manifest, encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows.sort(key=lambda row: (float(row["seconds"]), row["path"]))
    places = (np.arange(count) + 0.5) * len(rows) / count
    return [corpus / rows[int(place)]["path"] for place in places]


def prepare(path: Path, folder: Path, index: int) -> Utterance:
    """16 kHz mono WAV of a file for Starling, and its features for the rivals."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if rate != 16_000:
        # Good enough to be timed by; all systems hear the same.
        times = np.arange(int(len(mono) * 16_000 / rate)) * rate / 16_000
        mono = np.interp(times, np.arange(len(mono)), mono)
    wav = folder / f"{index:03}.wav"
    soundfile.write(wav, mono, 16_000, subtype="PCM_16")
    samples, _ = soundfile.read(wav, dtype="float32")
    return Utterance(wav, len(samples) / 16_000, log_mel(samples)[None])


class Rival:
    """A system whose `hear` takes features [1, t, 80] to log-probabilities [1, n, V]."""

    def __init__(self, name: str, hear: Callable[[np.ndarray], np.ndarray]):
        self.name, self.hear = name, hear

    def measure(self, utterances: list[Utterance], setting: Setting) -> float:
        """Seconds for all utterances."""
        torch.set_num_threads(setting.threads)
        start = setting.clock()
        if setting.jobs == 1:
            for utterance in utterances:
                self.hear(utterance.mel)
        else:
            # Longest first, so that the workers end at nearly the same time.
            queue = sorted(utterances, key=lambda u: -u.seconds)
            with ThreadPoolExecutor(setting.jobs) as pool:
                list(pool.map(lambda u: self.hear(u.mel), queue))
        return setting.clock() - start


def onnx_rival(name: str, graphs: Path, suffix: str, mode: Mode, setting: Setting, config: ModelConfig) -> Rival:
    shape = mode.shape
    if shape is None:
        whole = session(graphs / f"whole{suffix}", setting.threads)
        return Rival(name, lambda mel: whole.run(None, {"log_mel": mel})[0])
    chunk = session(graphs / f"chunk-{shape.new_frames}{suffix}", setting.threads)

    def hear(mel: np.ndarray) -> np.ndarray:
        stream = OnnxStream(chunk, config)
        return np.concatenate([stream.step(mel[:, f.mel])[:, : f.final] for f in feeds(mel.shape[1], shape)], 1)

    return Rival(name, hear)


def torch_rival(model: ConformerCTC, mode: Mode) -> Rival:
    shape = mode.shape

    @torch.inference_mode()
    def hear(mel: np.ndarray) -> np.ndarray:
        log_mel = torch.from_numpy(mel)
        if shape is None:
            return model(log_mel).numpy()
        stream = TorchStream(model, shape)
        return torch.cat([stream.step(log_mel[:, f.mel])[:, : f.final] for f in feeds(mel.shape[1], shape)], 1).numpy()

    return Rival("PyTorch eager", hear)


class Starling:
    """The command line program."""

    name = STARLING

    def __init__(self, binary: Path, model: Path, mode: Mode):
        self.binary, self.model, self.mode = binary, model, mode
        self.sgemm: list[float] = []  # GFLOP/s by OpenBLAS, in every run of bench
        self.kernels = ""

    def run(self, command: str, *arguments: object) -> str:
        line = [self.binary, command, "--model", self.model, "--latency", self.mode.name, *arguments]
        return subprocess.run([str(a) for a in line], check=True, stdout=subprocess.PIPE, text=True).stdout

    def measure(self, utterances: list[Utterance], setting: Setting) -> float:
        files = [u.wav for u in utterances]
        if setting.threads == setting.jobs == 1 and not setting.processor_time:
            return self.bench(files, sum(u.seconds for u in utterances))
        if setting.jobs > 1:
            files = [u.wav for u in sorted(utterances, key=lambda u: -u.seconds)]
        again = [file.parent / "again" / file.name for file in files]
        options = ["--threads", setting.threads, "--jobs", setting.jobs]
        once = self.time(setting, *options, *files)
        taken = self.time(setting, *options, *files, *again) - once
        if taken <= 0:
            sys.exit("hearing all twice took no longer than once: measure with more --utterances")
        return taken

    def time(self, setting: Setting, *arguments: object) -> float:
        start = setting.clock()
        self.run("transcribe", *arguments)
        return setting.clock() - start

    def bench(self, files: list[Path], seconds: float) -> float:
        output = self.run("bench", "--repeats", 1, *files)
        factor = re.search(r"real-time factor ([\d.]+)", output)
        rate = re.search(r"^sgemm\s+([\d.]+) GFLOP/s", output, re.MULTILINE)
        kernels = re.search(r"^kernels\s+(.*), one thread", output, re.MULTILINE)
        if not (factor and rate and kernels):
            sys.exit(f"starling bench says something new:\n{output}")
        self.sgemm.append(float(rate[1]))
        self.kernels = kernels[1]
        return float(factor[1]) * seconds

    def texts(self, utterances: list[Utterance]) -> list[str]:
        """Greedy text of each utterance, never cut."""
        output = self.run(
            "transcribe", "--format", "jsonl", "--endpoint-silence", "never", "--longest-utterance", "never",
            *(u.wav for u in utterances))
        found = {result["file"]: result["text"] for result in map(json.loads, output.splitlines())}
        return [found[str(u.wav)] for u in utterances]


def greedy_text(log_probs: np.ndarray, pieces: list[str], blank: int) -> str:
    """[n, V]"""
    best = log_probs.argmax(axis=-1)
    kept = [c for c, before in zip(best, [blank, *best[:-1]]) if c != before and c != blank]
    return "".join(pieces[c] for c in kept).replace("▁", " ").strip()


def operations(config: ModelConfig, rows: int, cached: int, new_frames: int) -> float:
    """Floating-point operations of the matrix products of one step (`OperationCount.swift`): the
    subsampling of `new_frames` frames, all layers and the CTC head over `rows` frames."""
    d, f, c = config.width, config.feed_forward_width, config.subsampling_channels
    subsampling = 2 * (2 * config.first_bins * 9 * c + config.second_bins * c * (9 * c + d))
    keys = rows + cached
    linear = 2 * rows * (4 * d * f + 7 * d * d)
    attention = 2 * rows * d * (keys + (keys + min(rows, 64) - 1) + keys)
    return new_frames * subsampling + config.layers * (linear + attention) + 2 * rows * d * config.vocabulary


def machine_rates(setting: Setting) -> tuple[float, float]:
    """GFLOP/s of a large product and GB/s of a triad (a = b + s c), by PyTorch."""
    torch.set_num_threads(setting.threads)

    def timed(body: Callable[[], object]) -> float:
        start = setting.clock()
        body()
        return setting.clock() - start

    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    product = min(timed(lambda: torch.mm(a, b)) for _ in range(7))
    x, y, z = (torch.ones(1 << 25) for _ in range(3))
    triad = min(timed(lambda: torch.add(x, y, alpha=3, out=z)) for _ in range(7))
    return 2 * 2048**3 / product / 1e9, 12 * (1 << 25) / triad / 1e9


def roofline(config: ModelConfig, weights: int, utterances: list[Utterance], mode: Mode, rates: tuple[float, float], seconds: dict[str, float]) -> str:
    """What one step costs, what the machine's rates allow, and what share of it each system reaches."""
    shape = mode.shape
    if shape is None:
        # The mean utterance.
        steps = len(utterances)
        total = sum(operations(config, n, 0, n) for n in ((u.mel.shape[1] + 3) // 4 for u in utterances))
    else:
        every = [operations(config, min(shape.rows, n - s), min(s, mode.left), min(shape.new_frames, n - s))
                 for n in ((u.mel.shape[1] + 3) // 4 for u in utterances) for s in range(0, n, shape.new_frames)]
        steps, total = len(every), sum(every)
    compute, memory = total / steps / rates[0] / 1e6, weights * 4 / rates[1] / 1e6  # ms
    reached = ", ".join(f"{name} {1000 * s / steps:.2f}" for name, s in seconds.items())
    return (
        f"{mode.name}: {total / steps / 1e6:.0f} MFLOP and {weights * 4 / 2**20:.0f} MiB of float32 weights a step; "
        f"{compute:.2f} ms at the large-product rate, {memory:.2f} ms to read the weights from memory; ms taken: {reached}")


def measure(arguments: argparse.Namespace, folder: Path) -> dict:
    config = ModelConfig.load(arguments.model / "config.json")
    (folder / "again").mkdir()
    utterances = [prepare(path, folder, i) for i, path in enumerate(choose(arguments.corpus, arguments.utterances))]
    for utterance in utterances:
        (folder / "again" / utterance.wav.name).symlink_to(utterance.wav)
    seconds = sum(u.seconds for u in utterances)
    modes = [Mode(name, config.left_frames) for name in arguments.mode]
    if arguments.onnx:
        graphs = arguments.onnx
    else:
        graphs = folder / "onnx"
        export_onnx.export(arguments.model, graphs, sorted({m.shape.new_frames for m in modes if m.shape}) or [8])
    model = ConformerCTC.load(arguments.model)
    weights = sum(p.numel() for p in model.parameters())
    model.fuse(export_onnx.WHOLE_FRAMES)
    pieces = [line.split("\t")[0] for line in (arguments.model / "tokens.txt").read_text(encoding="utf-8").splitlines()]

    settings = []
    for threads in arguments.threads:
        alone = [Setting(1, 1, arguments.processor_time)]
        settings += alone if threads == 1 else [Setting(threads, 1), Setting(1, threads)]
    results = {"audio_seconds": seconds, "utterances": len(utterances), "rounds": arguments.rounds, "rows": []}
    print(
        f"{seconds:.0f} s in {len(utterances)} utterances of {utterances[0].seconds:.1f} to {max(u.seconds for u in utterances):.1f} s, "
        f"{arguments.rounds} rounds; {cpu_name()}; ONNX Runtime {onnxruntime.__version__}, PyTorch {torch.__version__}")
    for mode in modes:
        starling = Starling(arguments.binary, arguments.model, mode)
        expected = starling.texts(utterances)
        for setting in settings:
            if setting.jobs > 1 and mode.shape:
                continue  # One stream has nothing beside it.
            systems = [
                starling,
                onnx_rival("ONNX Runtime f32", graphs, ".onnx", mode, setting, config),
                onnx_rival("ONNX Runtime int8", graphs, ".int8.onnx", mode, setting, config),
                torch_rival(model, mode),
            ]
            # Warms them up, and tells whether they compute the same thing.
            same = {}
            for rival in systems[1:]:
                found = [greedy_text(rival.hear(u.mel)[0], pieces, config.blank) for u in utterances]
                same[rival.name] = sum(a == b for a, b in zip(found, expected))
            times: dict[str, list[float]] = {system.name: [] for system in systems}
            for turn in range(arguments.rounds):
                for place in range(len(systems)):
                    system = systems[(turn + place) % len(systems)]
                    times[system.name].append(system.measure(utterances, setting))
            report(results, mode, setting, seconds, times, same, len(utterances))
            if setting.jobs == 1:
                medians = {name: statistics.median(t) for name, t in times.items()}
                print(roofline(config, weights, utterances, mode, machine_rates(setting), medians), flush=True)
        if starling.sgemm:
            print(f"Starling's kernels {starling.kernels}; its OpenBLAS reached {statistics.median(starling.sgemm):.1f} GFLOP/s")
    for setting in (s for s in settings if s.jobs == 1):
        product, triad = machine_rates(setting)
        print(f"{setting}: {product:.1f} GFLOP/s in a product of 2048 x 2048 x 2048, {triad:.1f} GB/s in a triad (PyTorch)")
        results[f"rates, {setting}"] = {"gflops": product, "gbytes": triad}
    return results


def report(results: dict, mode: Mode, setting: Setting, seconds: float, times: dict[str, list[float]], same: dict[str, int], count: int) -> None:
    """Prints a table and keeps its rows."""
    print(f"\n{mode.name}, {setting}\n\n| system | s of audio per s | Starling is | ratios in the rounds | same text |\n|---|---|---|---|---|")
    for name, taken in times.items():
        ratios = [t / s for t, s in zip(taken, times[STARLING])]
        speed, ratio = seconds / statistics.median(taken), statistics.median(ratios)
        span = "" if name == STARLING else f"{min(ratios):.2f}–{max(ratios):.2f}"
        text = "" if name == STARLING else f"{same[name]} of {count}"
        print(f"| {name} | {speed:.1f} | {'' if name == STARLING else f'{ratio:.2f} times as fast'} | {span} | {text} |", flush=True)
        results["rows"].append({"mode": mode.name, "setting": str(setting), "system": name, "speed": speed, "ratio": ratio, "seconds": taken})


def cpu_name() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        return found[1] if found else platform.processor()
    except OSError:
        return platform.processor()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models/starling-en-small")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/starling")
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpora/dev-clean")
    parser.add_argument("--utterances", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, action="append", help="repeatable (default: 1 and 2)")
    parser.add_argument("--mode", action="append", help="full or C/R, repeatable (default: full, 8/8, 4/0)")
    parser.add_argument("--processor-time", action="store_true", help="at 1 thread, for a machine that is not idle")
    parser.add_argument("--onnx", type=Path, help="graphs that export_onnx.py wrote (default: writes them anew)")
    parser.add_argument("--json", type=Path, help="also writes every figure to a file")
    arguments = parser.parse_args()
    arguments.threads = arguments.threads or [1, 2]
    arguments.mode = arguments.mode or ["full", "8/8", "4/0"]
    # A folder in memory where there is one: WAV files are not to wait for a disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        results = measure(arguments, Path(folder))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
