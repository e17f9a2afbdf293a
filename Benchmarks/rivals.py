#!/usr/bin/env python3
"""Starling against ONNX Runtime and PyTorch on the same weights, pair by pair in one run.

    pip install -r Benchmarks/requirements.txt
    Benchmarks/rivals.py                            # 1 and 2 threads: full, 8/8 and 4/0
    Benchmarks/rivals.py --threads 1 --mode full --rounds 9

Starling is there twice, with its model in float32 and in int8. Utterances of dev-clean, evenly spaced
by length (the samples that come with Starling, where there is no corpus). In every round each system
hears all of them once, in an order that moves on; figures are medians over the rounds, ratios medians
of the rounds' ratios.

What is timed. Rivals: the encoder and the CTC head up to log-probabilities, from log-mel frames that
were computed before. Starling: from WAV files to text, so reading, features and search too: what
hearing all utterances four times in one `starling transcribe` takes longer than once, divided by
three, so that start-up is left out, as it is for the rivals. The rivals' figures are upper bounds of
what a recogniser built on them would reach.

On a machine that others use too, --processor-time counts processor seconds instead of seconds on the
clock, at 1 thread.

With 2 threads "products" lets each matrix product use both, one utterance after the other, and
"utterances" hears two at once, each on one.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import soundfile
import torch

import common
from common import STARLING_F32, STARLING_INT8

sys.path.insert(0, str(common.ROOT / "training"))

import export_onnx  # noqa: E402
from starling_training.config import ModelConfig  # noqa: E402
from starling_training.features import log_mel  # noqa: E402
from starling_training.model import ConformerCTC  # noqa: E402
from starling_training.onnx_model import OnnxStream, session  # noqa: E402
from starling_training.stream import BlockShape, TorchStream, feeds  # noqa: E402

# How often Starling hears everything once more: the more, the less start-up blurs the difference.
COPIES = 3


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
        stream = OnnxStream(chunk, config, shape)
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
    """The command line program with one model."""

    def __init__(self, name: str, binary: Path, model: Path, mode: Mode):
        self.name, self.binary, self.model, self.mode = name, binary, model, mode

    def transcribe(self, *arguments: object) -> str:
        line = [self.binary, "transcribe", "--model", self.model, "--latency", self.mode.name, *arguments]
        return subprocess.run([str(a) for a in line], check=True, stdout=subprocess.PIPE, text=True).stdout

    def measure(self, utterances: list[Utterance], setting: Setting) -> float:
        """Seconds for all utterances."""
        # Longest first where there are several workers, as for the rivals.
        files = [u.wav for u in (sorted(utterances, key=lambda u: -u.seconds) if setting.jobs > 1 else utterances)]
        options = ["--threads", setting.threads, "--jobs", setting.jobs]
        again = [file.parent / str(copy) / file.name for file in files for copy in range(COPIES)]
        once = self.time(setting, *options, *files)
        taken = self.time(setting, *options, *files, *again) - once
        if taken <= 0:
            sys.exit("hearing all again took no time: measure with more --utterances")
        return taken / COPIES

    def time(self, setting: Setting, *arguments: object) -> float:
        start = setting.clock()
        self.transcribe(*arguments)
        return setting.clock() - start

    def texts(self, utterances: list[Utterance]) -> list[str]:
        """Greedy text of each utterance, never cut."""
        output = self.transcribe(
            "--format", "jsonl", "--endpoint-silence", "never", "--longest-utterance", "never",
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
    attention = 2 * rows * d * 3 * keys
    return new_frames * subsampling + config.layers * (linear + attention) + 2 * rows * d * config.vocabulary


def product_graph(size: int) -> onnxruntime.InferenceSession:
    """One product of two matrices of `size` x `size`, by ONNX Runtime."""
    shape = [size, size]
    tensors = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in "abc"]
    product = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["a", "b"], ["c"])], "product", tensors[:2], tensors[2:])
    # Versions that every ONNX Runtime of recent years reads.
    model = onnx.helper.make_model(product, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def machine_rates(setting: Setting) -> dict[str, float]:
    """GFLOP/s of a large product by PyTorch and by ONNX Runtime, and GB/s of a triad (a = b + s c)."""
    torch.set_num_threads(setting.threads)

    def best(body: Callable[[], object]) -> float:
        def timed() -> float:
            start = setting.clock()
            body()
            return setting.clock() - start

        return min(timed() for _ in range(7))

    size = 2048
    a, b = torch.rand(size, size), torch.rand(size, size)
    graph, inputs = product_graph(size), {"a": a.numpy(), "b": b.numpy()}
    x, y, z = (torch.ones(1 << 25) for _ in range(3))
    operations, triad_bytes = 2e-9 * size**3, 12e-9 * (1 << 25)
    return {
        "pytorch_gflops": operations / best(lambda: torch.mm(a, b)),
        "onnxruntime_gflops": operations / best(lambda: graph.run(None, inputs)),
        "triad_gbytes": triad_bytes / best(lambda: torch.add(x, y, alpha=3, out=z)),
    }


def step_cost(config: ModelConfig, utterances: list[Utterance], mode: Mode) -> dict[str, float]:
    """How many steps the utterances take, and the floating-point operations of the mean one."""
    shape = mode.shape
    frames = [(u.mel.shape[1] + 3) // 4 for u in utterances]
    if shape is None:
        every = [operations(config, n, 0, n) for n in frames]
    else:
        every = [
            operations(config, min(shape.rows, n - s), min(s, mode.left), min(shape.new_frames, n - s))
            for n in frames for s in range(0, n, shape.new_frames)]
    return {"steps": len(every), "operations": sum(every) / len(every)}


class Report:
    """Prints each table as it is measured and keeps everything for the file."""

    def __init__(self, utterances: list[Utterance], rounds: int, parameters: int):
        self.utterances, self.seconds = len(utterances), sum(u.seconds for u in utterances)
        lengths = [u.seconds for u in utterances]
        self.results = {
            "machine": common.machine(),
            "versions": {"ONNX Runtime": onnxruntime.__version__, "PyTorch": torch.__version__},
            "audio_seconds": self.seconds, "utterances": len(utterances), "shortest": min(lengths),
            "longest": max(lengths), "rounds": rounds, "parameters": parameters, "tables": [],
        }
        print(
            f"{self.seconds:.0f} s in {len(utterances)} utterances of {min(lengths):.1f} to {max(lengths):.1f} s, "
            f"{rounds} rounds; {common.cpu_name()}; "
            + ", ".join(f"{name} {version}" for name, version in self.results["versions"].items()))

    def add(
        self, mode: Mode, setting: Setting, times: dict[str, list[float]], same: dict[str, int],
        step: dict[str, float], rates: dict[str, float],
    ) -> None:
        rows = []
        for name, taken in times.items():
            over = {starling: ratio(taken, times[starling]) for starling in (STARLING_F32, STARLING_INT8) if starling != name}
            speed = self.seconds / statistics.median(taken)
            rows.append({"system": name, "speed": speed, "seconds": taken, "over": over, "same_text": same[name]})
        table = {"mode": mode.name, "setting": str(setting), **asdict(setting), "step": step, "rates": rates, "systems": rows}
        self.results["tables"].append(table)
        self.show(table)

    def show(self, table: dict) -> None:
        print(f"\n{table['mode']}, {table['setting']}\n")
        print(f"| system | s of audio per s | {STARLING_F32} over it | {STARLING_INT8} over it | same text |\n|---|---|---|---|---|")
        for row in table["systems"]:
            ratios = [
                f"{found['median']:.2f} ({found['least']:.2f}–{found['most']:.2f})"
                if (found := row["over"].get(starling)) else "" for starling in (STARLING_F32, STARLING_INT8)]
            print(f"| {row['system']} | {row['speed']:.1f} | {' | '.join(ratios)} | {row['same_text']} of {self.utterances} |")
        step, rates = table["step"], table["rates"]
        weights = 4 * self.results["parameters"]
        compute = max(rates["pytorch_gflops"], rates["onnxruntime_gflops"])
        print(
            f"\nA step: {step['operations'] / 1e6:.0f} MFLOP, {weights / 2**20:.0f} MiB of float32 weights; "
            f"{step['operations'] / compute / 1e6:.2f} ms at the rate of the large product ({compute:.1f} GFLOP/s), "
            f"{weights / rates['triad_gbytes'] / 1e6:.2f} ms to read the weights from memory ({rates['triad_gbytes']:.1f} GB/s); "
            "ms taken: " + ", ".join(
                f"{row['system']} {1000 * self.seconds / row['speed'] / step['steps']:.2f}" for row in table["systems"]),
            flush=True)


def ratio(taken: list[float], starling: list[float]) -> dict[str, float]:
    """How many times as fast Starling was, round by round."""
    ratios = [t / s for t, s in zip(taken, starling)]
    return {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}


class Comparison:
    """All systems on the same utterances."""

    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.arguments = arguments
        self.config = ModelConfig.load(arguments.model / "config.json")
        chosen = common.choose(arguments.corpus, arguments.utterances)
        self.utterances = [prepare(path, folder, i) for i, path in enumerate(chosen)]
        # One file is not transcribed twice by one command, so it has more names.
        for copy in range(COPIES):
            (folder / str(copy)).mkdir()
            for utterance in self.utterances:
                (folder / str(copy) / utterance.wav.name).symlink_to(utterance.wav)
        self.modes = [Mode(name, self.config.left_frames) for name in arguments.mode]
        self.int8 = arguments.int8_model or common.quantized(arguments.binary, arguments.model, folder)
        self.graphs = arguments.onnx or folder / "onnx"
        if not arguments.onnx:
            chunks = sorted({mode.shape.new_frames for mode in self.modes if mode.shape})
            export_onnx.export(arguments.model, self.graphs, chunks)
        self.torch_model = ConformerCTC.load(arguments.model)
        self.parameters = sum(p.numel() for p in self.torch_model.parameters())
        self.torch_model.fuse(export_onnx.WHOLE_FRAMES)
        tokens = (arguments.model / "tokens.txt").read_text(encoding="utf-8").splitlines()
        self.pieces = [line.split("\t")[0] for line in tokens]

    def settings(self) -> list[Setting]:
        alone = [Setting(1, 1, self.arguments.processor_time)]
        return [s for n in self.arguments.threads for s in (alone if n == 1 else [Setting(n, 1), Setting(1, n)])]

    def run(self) -> dict:
        report = Report(self.utterances, self.arguments.rounds, self.parameters)
        for mode in self.modes:
            starlings = [
                Starling(STARLING_F32, self.arguments.binary, self.arguments.model, mode),
                Starling(STARLING_INT8, self.arguments.binary, self.int8, mode)]
            texts = {starling.name: starling.texts(self.utterances) for starling in starlings}
            for setting in self.settings():
                if setting.jobs > 1 and mode.shape:
                    continue  # One stream has nothing beside it.
                rivals = [
                    onnx_rival("ONNX Runtime f32", self.graphs, ".onnx", mode, setting, self.config),
                    onnx_rival("ONNX Runtime int8", self.graphs, ".int8.onnx", mode, setting, self.config),
                    torch_rival(self.torch_model, mode)]
                # Warms them up, and tells whether they compute the same thing.
                texts |= {rival.name: self.rival_texts(rival) for rival in rivals}
                same = {name: sum(a == b for a, b in zip(found, texts[STARLING_F32])) for name, found in texts.items()}
                times = self.rounds([*starlings, *rivals], setting)
                step = step_cost(self.config, self.utterances, mode)
                report.add(mode, setting, times, same, step, machine_rates(setting))
        return report.results

    def rival_texts(self, rival: Rival) -> list[str]:
        return [greedy_text(rival.hear(u.mel)[0], self.pieces, self.config.blank) for u in self.utterances]

    def rounds(self, systems: list[Starling | Rival], setting: Setting) -> dict[str, list[float]]:
        """Seconds of each system in each round."""
        times: dict[str, list[float]] = {system.name: [] for system in systems}
        for turn in range(self.arguments.rounds):
            for place in range(len(systems)):
                system = systems[(turn + place) % len(systems)]
                times[system.name].append(system.measure(self.utterances, setting))
        return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_arguments(parser)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, action="append", help="repeatable (default: 1 and 2)")
    parser.add_argument("--mode", action="append", help="full or C/R, repeatable (default: full, 8/8, 4/0)")
    parser.add_argument("--processor-time", action="store_true", help="at 1 thread, for a machine that is not idle")
    parser.add_argument("--onnx", type=Path, help="graphs that export_onnx.py wrote (default: writes them anew)")
    arguments = parser.parse_args()
    arguments.threads = arguments.threads or [1, 2]
    arguments.mode = arguments.mode or ["full", "8/8", "4/0"]
    # A folder in memory where there is one: WAV files are not to wait for a disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        common.write_json(arguments.json, Comparison(arguments, Path(folder)).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
