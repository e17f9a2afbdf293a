#!/usr/bin/env python3
"""Writes a model's encoder and CTC head as ONNX graphs, and checks them against PyTorch.

    training/export_onnx.py --output /tmp/onnx
    training/export_onnx.py --model FOLDER --chunk 16 --output /tmp/onnx

whole.onnx          log_mel [1, t, 80] to log_probs [1, ⌈t / 4⌉, V]: the full context
chunk-C.onnx        one block of C new frames with every cache an input and an output; the caller
                    chooses the look-ahead: C + R frames of 40 ms at first, C in each step after it
sherpa-C-R.onnx     with --sherpa C/R: blocks in the form that sherpa-onnx reads as a streaming NeMo CTC
                    model, and sherpa-tokens.txt for it
*.int8.onnx         the same with int8 weights, per channel, and dynamic int8 activations

Front end outside, normalisation inside. Ends with an error if a graph's log-probabilities are not
PyTorch's to 1e-3. Needs: pip install -e 'training[onnx]'.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "training"))

from starling_training.features import synthetic_log_mel  # noqa: E402
from starling_training.model import ConformerCTC  # noqa: E402
from starling_training.onnx_graphs import ChunkGraph, SherpaGraph, WholeGraph, quantize  # noqa: E402
from starling_training.onnx_model import OnnxStream, session  # noqa: E402
from starling_training.stream import BlockShape, TorchStream, feeds  # noqa: E402

TOLERANCE = 1e-3
# Keys of the longest utterance of a whole graph (60 s), and the most look-ahead of a chunk graph:
# they bound the tables of projected positions.
WHOLE_FRAMES, MOST_LOOK_AHEAD = 1500, 64


def chunk_name(new_frames: int) -> str:
    return f"chunk-{new_frames}.onnx"


@torch.inference_mode()
def whole_difference(path: Path, model: ConformerCTC, lengths: list[int]) -> float:
    """The largest difference to PyTorch in log-probability over signals of such lengths."""
    graph, worst = session(path), 0.0
    for frames in lengths:
        mel = synthetic_log_mel(frames, model.config.mels, seed=frames)
        found = graph.run(None, {"log_mel": mel})[0]
        worst = max(worst, np.abs(found - model(torch.from_numpy(mel)).numpy()).max())
    return float(worst)


@torch.inference_mode()
def chunk_difference(path: Path, model: ConformerCTC, shape: BlockShape, lengths: list[int]) -> float:
    """The same over all blocks, look-ahead included."""
    graph, worst = session(path), 0.0
    for frames in lengths:
        mel = synthetic_log_mel(frames, model.config.mels, seed=frames)
        streams = OnnxStream(graph, model.config, shape), TorchStream(model, shape)
        for feed in feeds(frames, shape):
            found = streams[0].step(mel[:, feed.mel])
            expected = streams[1].step(torch.from_numpy(mel[:, feed.mel])).numpy()
            if found.shape != expected.shape:
                raise AssertionError(f"{path}: {found.shape} for {expected.shape}")
            worst = max(worst, np.abs(found - expected).max())
    return float(worst)


@torch.inference_mode()
def sherpa_difference(path: Path, graph: SherpaGraph, model: ConformerCTC) -> float:
    """The same for two streams of which one began three windows before the other, so that their
    caches hold different numbers of frames."""
    shape = BlockShape(graph.new_frames, graph.look_ahead, graph.left_context)
    began, windows, width = [0, 3], 12, 4 * shape.rows
    mels = [synthetic_log_mel(4 * shape.new_frames * windows + width, model.config.mels, seed=i) for i in (0, 1)]
    streams = [TorchStream(model, shape) for _ in mels]
    steps = [feeds(mel.shape[1], shape) for mel in mels]
    states = [[t.numpy() for t in graph.empty_caches(1)] for _ in mels]
    running, worst = session(path), 0.0
    names = [tensor.name for tensor in running.get_inputs()]
    for turn in range(windows):
        active = [i for i in (0, 1) if turn >= began[i]]
        starts = [4 * shape.new_frames * (turn - began[i]) for i in active]
        batch = np.concatenate([mels[i][:, s : s + width].transpose(0, 2, 1) for i, s in zip(active, starts)])
        stacked = [np.concatenate([states[i][n] for i in active]) for n in range(3)]
        found, _, *caches = running.run(None, dict(zip(names, [batch, np.full(len(active), width), *stacked])))
        for row, i in enumerate(active):
            states[i] = [cache[row : row + 1] for cache in caches]
            expected = streams[i].step(torch.from_numpy(mels[i][:, next(steps[i]).mel])).numpy()
            worst = max(worst, np.abs(found[row] - expected[0, : shape.new_frames]).max())
    return float(worst)


def sherpa_tokens(folder: Path, path: Path, blank: int) -> None:
    """tokens.txt as sherpa-onnx reads it: a piece and its number in each line, the blank by name."""
    pieces = [line.split("\t")[0] for line in (folder / "tokens.txt").read_text(encoding="utf-8").splitlines()]
    pieces.insert(blank, "<blk>")
    path.write_text("".join(f"{piece} {i}\n" for i, piece in enumerate(pieces)), encoding="utf-8")


def export(
    folder: Path, output: Path, chunks: list[int], sherpa: list[tuple[int, int]] | None = None
) -> dict[str, float]:
    """Writes all graphs; the float32 ones' largest differences to PyTorch."""
    output.mkdir(parents=True, exist_ok=True)
    # The reference is the plain model; the graphs come of one with all that can be folded folded.
    reference = ConformerCTC.load(folder)
    left = reference.config.left_frames
    differences = {}

    path = output / "whole.onnx"
    WholeGraph(ConformerCTC.load(folder).fuse(WHOLE_FRAMES)).export(path)
    differences[path.name] = whole_difference(path, reference, [1, 2, 6, 101, 1200])
    for new_frames in chunks:
        path = output / chunk_name(new_frames)
        model = ConformerCTC.load(folder).fuse(left + new_frames + MOST_LOOK_AHEAD)
        ChunkGraph(model, new_frames, left).export(path)
        differences[path.name] = max(
            chunk_difference(path, reference, BlockShape(new_frames, look_ahead, left), [3, 71, 602])
            for look_ahead in (0, new_frames, MOST_LOOK_AHEAD))
    for new_frames, look_ahead in sherpa or []:
        path = output / f"sherpa-{new_frames}-{look_ahead}.onnx"
        model = ConformerCTC.load(folder).fuse(left + new_frames + look_ahead)
        graph = SherpaGraph(model, new_frames, look_ahead, left)
        graph.export(path)
        differences[path.name] = sherpa_difference(path, graph, reference)
        sherpa_tokens(folder, output / "sherpa-tokens.txt", reference.config.blank)
    for name in differences:
        quantize(output / name, (output / name).with_suffix(".int8.onnx"))
    return differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models/starling-en-small")
    parser.add_argument("--output", type=Path, required=True, help="folder; made if need be")
    parser.add_argument("--chunk", type=int, action="append", help="new frames per block, repeatable (default: 8 and 4)")
    parser.add_argument("--sherpa", action="append", default=[], metavar="C/R", help="repeatable")
    arguments = parser.parse_args()
    # Steps are small, and on a busy machine two threads wait for each other longer than they work.
    torch.set_num_threads(1)
    shapes = [tuple(map(int, shape.split("/"))) for shape in arguments.sherpa]
    differences = export(arguments.model, arguments.output, arguments.chunk or [8, 4], shapes)
    for path in sorted(arguments.output.glob("*.onnx")):
        print(f"{path.name:20} {path.stat().st_size / 2**20:6.1f} MiB", end="")
        print(f"  differs from PyTorch by {differences[path.name]:.1e} at most" if path.name in differences else "")
    far = [name for name, difference in differences.items() if not difference <= TOLERANCE]
    if far:
        print(f"further from PyTorch than {TOLERANCE}: {', '.join(far)}", file=sys.stderr)
    return 1 if far else 0


if __name__ == "__main__":
    sys.exit(main())
