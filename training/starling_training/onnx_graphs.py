"""The graphs that `export_onnx.py` writes, and their export.

`WholeGraph`: log-mel of an utterance in, log-probabilities out.
`ChunkGraph`: one block with look-ahead, every cache an input and an output.
"""

import warnings
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from .model import ConformerCTC, LayerCache, SubsamplingCache

OPSET = 17
CACHES_PER_LAYER = ("keys", "values", "depthwise")


class WholeGraph(nn.Module):
    """log_mel [1, t, mels] to log_probs [1, ⌈t / 4⌉, V]."""

    def __init__(self, model: ConformerCTC):
        super().__init__()
        self.model = model

    def forward(self, log_mel: Tensor) -> Tensor:
        return self.model(log_mel)

    def export(self, path: Path) -> None:
        mel = torch.zeros(1, 40, self.model.config.mels)
        _export(self, (mel,), path, ["log_mel"], ["log_probs"], {"log_mel": {1: "t"}, "log_probs": {1: "n"}})


class ChunkGraph(nn.Module):
    """One step of a stream: `TorchStream.step` with the state outside.

    mel [1, t, mels]: new log-mel frames. The graph cannot take none: at the end of a signal, when
    only frames are left that were looked ahead to, it takes four of any value and `frames` 0, and
    what it says of `mel_cache` and `row_cache` is not used any more.
    frames [1]: how many of the ⌈t / 4⌉ new encoder frames count.
    pending [1, p, d]: encoder frames that were looked ahead to.
    keys.i, values.i [1, v, d], depthwise.i [1, kernel // 2, d]: caches of layer i, v = 0 at first.

    Returns log_probs [1, n, V] of the block's n = p + frames rows, of which the first
    min(n, new_frames) are final, and every cache, moved on. The look-ahead is what the caller makes
    of it; new frames and left context are the graph's.
    """

    def __init__(self, model: ConformerCTC, new_frames: int, left_context: int):
        super().__init__()
        self.model, self.new_frames, self.left_context = model, new_frames, left_context

    def forward(
        self, mel: Tensor, frames: Tensor, mel_cache: Tensor, row_cache: Tensor, pending: Tensor,
        *layers: Tensor,
    ) -> tuple[Tensor, ...]:
        model = self.model
        new, moved = model.encoder.pre_encode.step(
            model.normalize(mel), SubsamplingCache(mel_cache, row_cache))
        x = torch.cat([pending, new[:, : frames[0]]], dim=1)
        pending = x[:, self.new_frames :]
        caches = [LayerCache(*layers[i : i + 3]) for i in range(0, len(layers), 3)]
        x, caches = model.encoder.step(x, caches, self.new_frames, self.left_context)
        flat = [tensor for c in caches for tensor in (c.keys, c.values, c.depthwise)]
        return model.log_probs(x), moved.mel, moved.row, pending, *flat

    def export(self, path: Path) -> None:
        config, cache = self.model.config, self.model.subsampling_cache()
        layer_names = [f"{kind}.{i}" for i in range(config.layers) for kind in CACHES_PER_LAYER]
        state = ["mel_cache", "row_cache", "pending", *layer_names]
        layers = []
        for empty in self.model.layer_caches():
            cached = torch.zeros(1, 10, config.width)
            layers += [cached, cached.clone(), empty.depthwise]
        example = (
            torch.zeros(1, 4 * self.new_frames, config.mels), torch.tensor([self.new_frames]),
            cache.mel, cache.row, torch.zeros(1, 3, config.width), *layers,
        )
        axes = {"mel": {1: "t"}, "pending": {1: "p"}, "log_probs": {1: "n"}, "next_pending": {1: "q"}}
        for name in layer_names:
            if not name.startswith("depthwise"):
                axes |= {name: {1: "v"}, f"next_{name}": {1: "w"}}
        _export(
            self, example, path, ["mel", "frames", *state],
            ["log_probs", *(f"next_{name}" for name in state)], axes)
        _describe(path, {"new_frames": self.new_frames, "left_context": self.left_context})


def _export(
    graph: nn.Module, example: tuple[Tensor, ...], path: Path, inputs: list[str],
    outputs: list[str], axes: dict[str, dict[int, str]],
) -> None:
    with warnings.catch_warnings(), torch.inference_mode():
        # The tracing exporter: its slices clamp at run time, so a cache may have any length up to
        # its bound in one graph. The newer one makes a graph that is no faster, in seven times the
        # time. It warns of every such slice, and of being the older one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph, example, str(path), dynamo=False, opset_version=OPSET, input_names=inputs,
            output_names=outputs, dynamic_axes=axes)
    onnx.checker.check_model(str(path))


def _describe(path: Path, properties: dict[str, object]) -> None:
    """Writes metadata into a graph."""
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, {name: str(value) for name, value in properties.items()})
    onnx.save(graph, path)


def quantize(source: Path, target: Path) -> None:
    """Dynamic int8 as ONNX Runtime makes it: per-channel weights of the products, activations by
    their range in each call. Convolutions stay float32, as its own examples for Conformers leave
    them: in int8 it has no fast kernel for them."""
    quantize_dynamic(
        str(source), str(target), op_types_to_quantize=["MatMul"], per_channel=True,
        weight_type=QuantType.QInt8)
