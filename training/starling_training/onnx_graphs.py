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
    full [1]: 1 if the block has all its new and look-ahead frames, else 0; only where the model has
    edge kernels.
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
        self, mel: Tensor, frames: Tensor, *state: Tensor,
    ) -> tuple[Tensor, ...]:
        model, full = self.model, False
        if model.config.edge_taps:
            full, *state = state
        mel_cache, row_cache, pending, *layers = state
        new, moved = model.encoder.pre_encode.step(
            model.normalize(mel), SubsamplingCache(mel_cache, row_cache))
        x = torch.cat([pending, new[:, : frames[0]]], dim=1)
        pending = x[:, self.new_frames :]
        caches = [LayerCache(*layers[i : i + 3]) for i in range(0, len(layers), 3)]
        x, caches = model.encoder.step(x, caches, self.new_frames, self.left_context, full=full)
        flat = [tensor for c in caches for tensor in (c.keys, c.values, c.depthwise)]
        return model.log_probs(x), moved.mel, moved.row, pending, *flat

    def export(self, path: Path) -> None:
        config, cache = self.model.config, self.model.subsampling_cache()
        layer_names = [f"{kind}.{i}" for i in range(config.layers) for kind in CACHES_PER_LAYER]
        state = ["mel_cache", "row_cache", "pending", *layer_names]
        flag = ["full"] if config.edge_taps else []
        layers = []
        for empty in self.model.layer_caches():
            cached = torch.zeros(1, 10, config.width)
            layers += [cached, cached.clone(), empty.depthwise]
        example = (
            torch.zeros(1, 4 * self.new_frames, config.mels), torch.tensor([self.new_frames]),
            *(torch.ones(1) for _ in flag), cache.mel, cache.row, torch.zeros(1, 3, config.width), *layers,
        )
        axes = {"mel": {1: "t"}, "pending": {1: "p"}, "log_probs": {1: "n"}, "next_pending": {1: "q"}}
        for name in layer_names:
            if not name.startswith("depthwise"):
                axes |= {name: {1: "v"}, f"next_{name}": {1: "w"}}
        _export(
            self, example, path, ["mel", "frames", *flag, *state],
            ["log_probs", *(f"next_{name}" for name in state)], axes)
        _describe(path, {"new_frames": self.new_frames, "left_context": self.left_context})


class SherpaGraph(nn.Module):
    """A block with look-ahead in the form of NeMo's streaming CTC models, which sherpa-onnx reads.

    The caller gives windows of 4 (C + R) mel frames, each 4 C after the one before, to several
    streams at once, and knows nothing of what the caches hold:

    audio_signal [b, mels, 4 (C + R)], length [b]: not used, a window is always whole
    cache_last_channel [b, 2 layers, L, d]: keys and values of each layer, at the end of their rows
    cache_last_time [b, layers + s, kernel // 2, d]: depthwise inputs of each layer; then, in as many
    slots as they need, the last mel frame and the last row of the first subsampling convolution
    cache_last_channel_len [b]: rows of cache_last_channel that hold frames

    Returns logprobs [b, C, V], encoded_lengths [b] and the caches. Frames that are looked ahead to
    are subsampled again with the next window.
    """

    def __init__(self, model: ConformerCTC, new_frames: int, look_ahead: int, left_context: int):
        super().__init__()
        self.model, self.new_frames, self.look_ahead = model, new_frames, look_ahead
        self.left_context = left_context
        config = model.config
        self.side = config.convolution_kernel // 2
        self.row = config.subsampling_channels * config.first_bins
        self.slots = -(-(config.mels + self.row) // (self.side * config.width))

    def forward(
        self, audio_signal: Tensor, length: Tensor, channel: Tensor, time: Tensor, valid: Tensor
    ) -> tuple[Tensor, ...]:
        model, config, c = self.model, self.model.config, self.new_frames
        streams = audio_signal.shape[0]
        mel = model.normalize(audio_signal.transpose(1, 2))
        flat = time[:, config.layers :].reshape(streams, self.slots * self.side * config.width)
        row = flat[:, config.mels : config.mels + self.row]
        cache = SubsamplingCache(
            flat[:, None, : config.mels],
            row.reshape(streams, config.subsampling_channels, 1, config.first_bins))
        subsampling = model.encoder.pre_encode
        # The caches are to stand after the new frames, so these go first and the rest after them.
        new, moved = subsampling.step(mel[:, : 4 * c], cache)
        if self.look_ahead:
            new = torch.cat([new, subsampling.step(mel[:, 4 * c :], moved)[0]], dim=1)

        rows = c + self.look_ahead
        empty = torch.arange(self.left_context)[None] < (self.left_context - valid)[:, None]
        mask = torch.zeros(empty.shape).masked_fill(empty, -torch.inf)
        mask = torch.nn.functional.pad(mask, (0, rows))[:, None, None]
        caches = [
            LayerCache(channel[:, 2 * i], channel[:, 2 * i + 1], time[:, i])
            for i in range(config.layers)
        ]
        # A window is always whole; what is left at the end of the audio is never heard.
        x, caches = model.encoder.step(new, caches, c, self.left_context, mask=mask, full=True)
        channel = torch.stack([t for cache in caches for t in (cache.keys, cache.values)], dim=1)
        rest = torch.cat([moved.mel.flatten(1), moved.row.flatten(1)], dim=1)
        rest = torch.nn.functional.pad(rest, (0, self.slots * self.side * config.width - rest.shape[1]))
        rest = rest.reshape(streams, self.slots, self.side, config.width)
        time = torch.cat([torch.stack([cache.depthwise for cache in caches], dim=1), rest], dim=1)
        lengths = torch.zeros_like(length) + c
        valid = torch.clamp(valid + c, max=self.left_context)
        return model.log_probs(x[:, :c]), lengths, channel, time, valid

    def empty_caches(self, streams: int) -> tuple[Tensor, Tensor, Tensor]:
        config = self.model.config
        return (
            torch.zeros(streams, 2 * config.layers, self.left_context, config.width),
            torch.zeros(streams, config.layers + self.slots, self.side, config.width),
            torch.zeros(streams, dtype=torch.int64),
        )

    def export(self, path: Path) -> None:
        config, window = self.model.config, 4 * (self.new_frames + self.look_ahead)
        # Two streams, so that the number of them is seen to be free.
        channel, time, valid = self.empty_caches(2)
        example = (torch.zeros(2, config.mels, window), torch.tensor([window, window]), channel, time, valid)
        inputs = ["audio_signal", "length", "cache_last_channel", "cache_last_time", "cache_last_channel_len"]
        outputs = ["logprobs", "encoded_lengths", *(f"{name}_next" for name in inputs[2:])]
        _export(self, example, path, inputs, outputs, {name: {0: "b"} for name in inputs + outputs})
        _describe(path, {
            "window_size": window, "chunk_shift": 4 * self.new_frames, "subsampling_factor": 4,
            # Without the blank, as NeMo counts.
            "vocab_size": config.vocabulary - 1, "model_type": "EncDecHybridRNNTCTCBPEModel",
            "normalize_type": "NA",
            **{f"cache_last_channel_dim{i}": channel.shape[i] for i in (1, 2, 3)},
            **{f"cache_last_time_dim{i}": time.shape[i] for i in (1, 2, 3)},
        })


def _export(
    graph: nn.Module, example: tuple[Tensor, ...], path: Path, inputs: list[str],
    outputs: list[str], axes: dict[str, dict[int, str]],
) -> None:
    with warnings.catch_warnings(), torch.inference_mode():
        # The tracing exporter: its slices clamp at run time, so a cache may have any length up to
        # its bound in one graph. The newer one refuses the chunk graph, and its whole graph was no
        # faster. The older one warns of every such slice, and of being the older one.
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
    their range in each call. Convolutions stay float32; in int8 they were not tried."""
    quantize_dynamic(
        str(source), str(target), op_types_to_quantize=["MatMul"], per_channel=True,
        weight_type=QuantType.QInt8)
