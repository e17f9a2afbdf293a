"""The Conformer CTC model of Starling: subsampling, encoder in blocks with look-ahead, CTC head.

Shapes: b streams, t mel frames (10 ms), n encoder frames (40 ms) of a block, v cached frames,
d model width, h heads, V classes. The same `step` serves blocks with look-ahead, plain chunks and,
with one block over everything, the full context. Modules carry the names of the tensors in
`model.safetensors`, so a file loads as a state dict.
"""

import dataclasses
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from .config import ModelConfig


@dataclass
class LayerCache:
    """What one layer remembers of the final frames."""

    keys: Tensor  # [b, v, d]
    values: Tensor  # [b, v, d]
    depthwise: Tensor  # [b, kernel // 2, d], inputs of the depthwise convolution


@dataclass
class SubsamplingCache:
    """The last row of each subsampling convolution's input; zeros before the first frame."""

    mel: Tensor  # [b, 1, mels]
    row: Tensor  # [b, channels, 1, first bins]


@dataclass(frozen=True)
class BlockSize:
    """The sizes of a step, read off its tensors once: in an exported graph every reading is work."""

    streams: int  # b
    rows: int  # n, queries
    cached: int  # v
    # [b, 1, 1, m], added to the scores: -inf where a row of the cache holds no frame yet.
    mask: Tensor | None = None
    # The block has all its new and look-ahead rows, so what is right of it is not yet known. In an
    # exported graph a tensor of one number, 1 or 0.
    full: bool | Tensor = False

    @property
    def keys(self) -> int:
        """m = v + n"""
        return self.cached + self.rows


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def relative_positions(reach: int, width: int) -> Tensor:
    """Sinusoids of the positions reach - 1, …, -reach. [2 reach, d]"""
    position = torch.arange(reach - 1, -reach - 1, -1, dtype=torch.float64)[:, None]
    index = torch.arange(0, width, 2, dtype=torch.float64)
    angle = position * torch.exp(-index * math.log(10_000) / width)
    encoding = torch.zeros(2 * reach, width, dtype=torch.float64)
    encoding[:, 0::2] = torch.sin(angle)
    encoding[:, 1::2] = torch.cos(angle)[:, : width // 2]
    return encoding.float()


class Subsampling(nn.Module):
    """Two 3×3 convolutions of stride 2 and a linear layer: 4 mel frames make one encoder frame."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        c = config.subsampling_channels
        # Named by their places in NeMo's Sequential: 1 and 3 are ReLUs.
        self.conv = nn.ModuleDict(
            {"0": nn.Conv2d(1, c, 3, stride=2), "2": nn.Conv2d(c, c, 3, stride=2)}
        )
        self.out = nn.Linear(c * config.second_bins, config.width)
        self.scale = math.sqrt(config.width) if config.scales_input else 1.0

    def fuse(self) -> None:
        """Folds √d into the linear layer."""
        self.out.weight.data *= self.scale
        self.out.bias.data *= self.scale
        self.scale = 1.0

    def step(self, mel: Tensor, cache: SubsamplingCache) -> tuple[Tensor, SubsamplingCache]:
        """mel: [b, t, mels], t a multiple of 4 unless the signal ends here.

        Returns [b, ⌈t / 4⌉, d]. A zero row below stands for what is beyond the end; where t is a
        multiple of 4 no window reaches it.
        """
        x = torch.cat([cache.mel, mel], dim=1)
        rows = self.rows(x)
        hidden = self.frames(torch.cat([cache.row, rows], dim=2))
        return hidden, SubsamplingCache(x[:, -1:], rows[:, :, -1:])

    def rows(self, mel: Tensor) -> Tensor:
        """Mel frames with the one before them [b, 1 + t, mels] to [b, c, ⌈t / 2⌉, first bins]."""
        return F.relu(self.conv["0"](F.pad(mel, (1, 1, 0, 1)).unsqueeze(1)))

    def frames(self, rows: Tensor) -> Tensor:
        """Rows with the one before them [b, c, 1 + t / 2, first bins] to [b, ⌈t / 4⌉, d]."""
        maps = F.relu(self.conv["2"](F.pad(rows, (1, 1, 0, 1))))  # [b, c, n, bins]
        hidden = self.out(maps.transpose(1, 2).flatten(2))
        return hidden * self.scale if self.scale != 1.0 else hidden


class FeedForward(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.linear1 = nn.Linear(config.width, config.feed_forward_width)
        self.linear2 = nn.Linear(config.feed_forward_width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear2(F.silu(self.linear1(x)))


class RelPositionAttention(nn.Module):
    """score_ij = [(q_i + u)·k_j + (q_i + v)·W_p PE(i - j)] / √d_k (Dai et al. 2019)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        d, self.heads = config.width, config.heads
        self.width, self.depth = d, d // config.heads
        self.linear_q, self.linear_k = nn.Linear(d, d), nn.Linear(d, d)
        self.linear_v, self.linear_out = nn.Linear(d, d), nn.Linear(d, d)
        self.linear_pos = nn.Linear(d, d, bias=False)
        self.pos_bias_u = nn.Parameter(torch.zeros(self.heads, d // self.heads))
        self.pos_bias_v = nn.Parameter(torch.zeros(self.heads, d // self.heads))
        self.scale = (d // self.heads) ** -0.5
        self.query_key_value: nn.Linear | None = None
        self.reach = 0

    def project_positions(self, encodings: Tensor) -> Tensor:
        """[2 reach, d] to [h, d_k, 2 reach]."""
        return self.linear_pos(encodings).unflatten(-1, (self.heads, -1)).permute(1, 2, 0)

    @torch.no_grad()
    def fuse(self, reach: int) -> None:
        """One product for queries, keys and values, the scale within it; positions projected
        once, for blocks of at most `reach` keys."""
        d = self.linear_q.in_features
        self.query_key_value = nn.Linear(d, 3 * d)
        self.query_key_value.weight.data = torch.cat(
            [self.linear_q.weight * self.scale, self.linear_k.weight, self.linear_v.weight])
        self.query_key_value.bias.data = torch.cat(
            [self.linear_q.bias * self.scale, self.linear_k.bias, self.linear_v.bias])
        self.pos_bias_u.data *= self.scale
        self.pos_bias_v.data *= self.scale
        table = self.project_positions(relative_positions(reach, d)).contiguous()
        self.register_buffer("positions", table, persistent=False)
        self.reach = reach
        del self.linear_q, self.linear_k, self.linear_v, self.linear_pos

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self.query_key_value is not None:
            return torch.split(self.query_key_value(x), [self.width] * 3, dim=-1)
        return self.linear_q(x) * self.scale, self.linear_k(x), self.linear_v(x)

    def _positions(self, keys: int, queries: int) -> Tensor:
        """Projected positions keys - 1, …, -queries. [h, d_k, keys + queries]"""
        if self.reach:
            return self.positions[:, :, self.reach - keys : self.reach + queries]
        # At most `keys` queries, so a table of that reach holds them all.
        encodings = relative_positions(keys, self.linear_out.in_features)
        table = self.project_positions(encodings.to(self.linear_pos.weight.device))
        return table[:, :, : keys + queries]

    def step(self, x: Tensor, cache: LayerCache, size: BlockSize) -> tuple[Tensor, Tensor, Tensor]:
        """x: [b, n, d]. Returns the context [b, n, d] and keys and values [b, m, d]."""
        q, k, v = self.project(x)
        keys = torch.cat([cache.keys, k], dim=1)
        values = torch.cat([cache.values, v], dim=1)
        return self.attend(q, keys, values, size), keys, values

    def attend(self, q: Tensor, keys: Tensor, values: Tensor, size: BlockSize) -> Tensor:
        """Queries [b, n, d], which are the last n of keys and values [b, m, d], to [b, n, d]."""
        b, n, m = size.streams, size.rows, size.keys
        bias_scale = 1.0 if self.query_key_value is not None else self.scale

        q = q.reshape(b, n, self.heads, self.depth).transpose(1, 2)  # [b, h, n, d_k]
        with_u = q + (self.pos_bias_u * bias_scale)[:, None]
        with_v = q + (self.pos_bias_v * bias_scale)[:, None]
        content = with_u @ keys.reshape(b, m, self.heads, self.depth).permute(0, 2, 3, 1)
        # Column c of row i is for position m - 1 - c; key j of query i is at position
        # m - n + i - j, hence in column n - 1 - i + j. Reading the rows as if they were one
        # element shorter, from element n - 1 on, lines them up.
        by_position = (with_v @ self._positions(m, n)).reshape(b, self.heads, n * (m + n))
        lined_up = by_position[:, :, n - 1 : n - 1 + n * (m + n - 1)]
        position = lined_up.reshape(b, self.heads, n, m + n - 1)[:, :, :, :m]
        scores = content + position
        if size.mask is not None:
            scores = scores + size.mask
        weights = torch.softmax(scores, dim=-1)
        context = weights @ values.reshape(b, m, self.heads, self.depth).transpose(1, 2)
        return self.linear_out(context.transpose(1, 2).reshape(b, n, self.width))


class ConvolutionModule(nn.Module):
    """Pointwise, GLU, depthwise, batch norm, swish, pointwise (Gulati et al. 2020)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        d, kernel = config.width, config.convolution_kernel
        self.side = kernel // 2
        self.pointwise_conv1 = nn.Conv1d(d, 2 * d, 1)
        self.depthwise_conv = nn.Conv1d(d, d, kernel, groups=d)
        self.batch_norm: nn.Module = nn.BatchNorm1d(d)
        self.pointwise_conv2 = nn.Conv1d(d, d, 1)
        # [side, K, d]: what the unseen frames would have given to a row with r rows to its right,
        # guessed from the block's last K rows, the last one first (docs/model-format.md).
        self.edge_kernels: nn.Parameter | None = None
        if config.edge_taps:
            self.edge_kernels = nn.Parameter(torch.zeros(self.side, config.edge_taps, d))

    def folded(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Depthwise weights [d, kernel], bias [d] and edge kernels with the batch norm's running
        statistics in them: BN(w ∗ x + b) = (w γ/σ) ∗ x + (b - μ) γ/σ + β."""
        norm, conv = self.batch_norm, self.depthwise_conv
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        bias = (conv.bias - norm.running_mean) * scale + norm.bias
        edge = None if self.edge_kernels is None else self.edge_kernels * scale
        return conv.weight[:, 0] * scale[:, None], bias, edge

    @torch.no_grad()
    def fuse(self) -> None:
        """Puts the batch norm into the depthwise convolution."""
        weight, self.depthwise_conv.bias.data, edge = self.folded()
        self.depthwise_conv.weight.data = weight[:, None]
        if edge is not None:
            self.edge_kernels.data = edge
        self.batch_norm = nn.Identity()

    def gate(self, x: Tensor) -> Tensor:
        """[b, n, d] to the depthwise convolution's input [b, n, d]."""
        return F.glu(F.linear(x, self.pointwise_conv1.weight.squeeze(-1), self.pointwise_conv1.bias))

    def finish(self, convolved: Tensor) -> Tensor:
        """The batch norm's output [b, n, d] to the module's [b, n, d]."""
        weight = self.pointwise_conv2.weight.squeeze(-1)
        return F.linear(F.silu(convolved), weight, self.pointwise_conv2.bias)

    def step(self, x: Tensor, cached: Tensor, full: bool | Tensor = False) -> tuple[Tensor, Tensor]:
        """x: [b, n, d]; cached: [b, side, d]; `full`: see `BlockSize`.

        Returns the output [b, n, d] and the depthwise inputs with the cached ones [b, side + n, d].
        Beyond the block's right edge the depthwise input is zero, or what the edge kernels guess.
        """
        inputs = torch.cat([cached, self.gate(x)], dim=1)
        convolved = self.depthwise_conv(F.pad(inputs, (0, 0, 0, self.side)).transpose(1, 2))
        if self.edge_kernels is not None and (isinstance(full, Tensor) or full):
            edge = edge_sums(inputs, self.edge_kernels[: x.shape[1]])
            edge = edge * full if isinstance(full, Tensor) else edge
            convolved = convolved + F.pad(edge, (0, 0, x.shape[1] - edge.shape[1], 0)).transpose(1, 2)
        return self.finish(self.batch_norm(convolved).transpose(1, 2)), inputs


def edge_sums(inputs: Tensor, kernels: Tensor) -> Tensor:
    """What edge kernels [r, K, d] add to the last r rows of a block, of which inputs [b, ≥ K, d] are
    the last rows. [b, r, d]"""
    last = inputs[:, -kernels.shape[1] :].flip(1)
    return torch.einsum("bkd,rkd->brd", last, kernels).flip(1)


class ConformerLayer(nn.Module):
    """x += ½FF₁; x += MHA; x += Conv; x += ½FF₂; x = LN(x), layer norms before each."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        d = config.width
        self.norm_feed_forward1, self.feed_forward1 = nn.LayerNorm(d), FeedForward(config)
        self.norm_self_att, self.self_attn = nn.LayerNorm(d), RelPositionAttention(config)
        self.norm_conv, self.conv = nn.LayerNorm(d), ConvolutionModule(config)
        self.norm_feed_forward2, self.feed_forward2 = nn.LayerNorm(d), FeedForward(config)
        self.norm_out = nn.LayerNorm(d)

    def step(
        self, x: Tensor, cache: LayerCache, size: BlockSize, new_frames: int | None,
        left_context: int | None,
    ) -> tuple[Tensor, LayerCache]:
        """x: [b, n, d]; the first `new_frames` of them are final (all if None or if n is less)."""
        x = x + 0.5 * self.feed_forward1(self.norm_feed_forward1(x))
        context, keys, values = self.self_attn.step(self.norm_self_att(x), cache, size)
        x = x + context
        convolved, inputs = self.conv.step(self.norm_conv(x), cache.depthwise, size.full)
        x = x + convolved
        x = x + 0.5 * self.feed_forward2(self.norm_feed_forward2(x))

        if new_frames is not None:
            keys = keys[:, : size.cached + new_frames]
            values = values[:, : size.cached + new_frames]
            inputs = inputs[:, : self.conv.side + new_frames]
        if left_context is not None:
            kept = slice(-left_context, None) if left_context else slice(0, 0)
            keys, values = keys[:, kept], values[:, kept]
        inputs = inputs[:, -self.conv.side :] if self.conv.side else inputs[:, :0]
        return self.norm_out(x), LayerCache(keys, values, inputs)


class Encoder(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.pre_encode = Subsampling(config)
        self.layers = nn.ModuleList(ConformerLayer(config) for _ in range(config.layers))

    def step(
        self,
        x: Tensor,
        caches: list[LayerCache],
        new_frames: int | None,
        left_context: int | None,
        after_layer: list[Tensor] | None = None,
        mask: Tensor | None = None,
        full: bool | Tensor = False,
    ) -> tuple[Tensor, list[LayerCache]]:
        """One block of subsampled frames [b, n, d] through all layers; see `ConformerLayer.step`.

        `after_layer`, if given, takes the output of each layer; `mask` and `full` are `BlockSize`'s.
        """
        size = BlockSize(x.shape[0], x.shape[1], caches[0].keys.shape[1], mask, full)
        moved = []
        for layer, cache in zip(self.layers, caches):
            x, cache = layer.step(x, cache, size, new_frames, left_context)
            moved.append(cache)
            if after_layer is not None:
                after_layer.append(x)
        return x, moved


class ConformerCTC(nn.Module):
    """Log-mel frames to CTC log-probabilities."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.ctc = nn.Linear(config.width, config.vocabulary)
        self.register_buffer("cmvn_mean", torch.zeros(config.mels))
        self.register_buffer("cmvn_istd", torch.ones(config.mels))

    @staticmethod
    def load(folder: Path, edge_taps: int | None = None) -> "ConformerCTC":
        """The encoder and CTC head of a model folder, in evaluation mode, float32.

        `edge_taps` gives a model that has no edge kernels some of zeros."""
        config = ModelConfig.load(folder / "config.json")
        new_kernels = bool(edge_taps) and not config.edge_taps
        if new_kernels:
            config = dataclasses.replace(config, edge_taps=edge_taps)
        model = ConformerCTC(config)
        tensors = load_file(folder / "model.safetensors")
        state = {name: tensor.float() for name, tensor in tensors.items() if not name.startswith("decoder.")}
        for name in ("mean", "istd"):
            if f"cmvn.{name}" in state:
                state[f"cmvn_{name}"] = state.pop(f"cmvn.{name}")
            elif config.normalize == "global_cmvn":
                raise ValueError(f"{folder}: no tensor cmvn.{name}")
            else:
                state[f"cmvn_{name}"] = getattr(model, f"cmvn_{name}")
        missing, unexpected = model.load_state_dict(state, strict=False)
        missing = [
            name for name in missing
            if not name.endswith("num_batches_tracked") and not (new_kernels and name.endswith("edge_kernels"))
        ]
        if missing or unexpected:
            raise ValueError(f"{folder}: tensors missing: {missing}; unknown: {unexpected}")
        return model.eval()

    def fuse(self, reach: int = 1100) -> "ConformerCTC":
        """Folds everything that does not depend on the input, in place, for inference only.

        `reach` bounds the keys of a block: cached frames and the block's own.
        """
        self.encoder.pre_encode.fuse()
        for layer in self.encoder.layers:
            layer.self_attn.fuse(reach)
            layer.conv.fuse()
        return self

    def normalize(self, log_mel: Tensor) -> Tensor:
        """[b, t, mels], per mel bin."""
        if self.config.normalize == "per_feature":
            mean = log_mel.mean(dim=1, keepdim=True)
            return (log_mel - mean) / (log_mel.std(dim=1, keepdim=True) + 1e-5)
        return (log_mel - self.cmvn_mean) * self.cmvn_istd

    def subsampling_cache(self, streams: int = 1) -> SubsamplingCache:
        c = self.config
        return SubsamplingCache(
            torch.zeros(streams, 1, c.mels),
            torch.zeros(streams, c.subsampling_channels, 1, c.first_bins),
        )

    def layer_caches(self, streams: int = 1) -> list[LayerCache]:
        """The state before the first frame."""
        d, side = self.config.width, self.config.convolution_kernel // 2
        nothing, zeros = torch.zeros(streams, 0, d), torch.zeros(streams, side, d)
        return [LayerCache(nothing, nothing, zeros) for _ in self.encoder.layers]

    def log_probs(self, hidden: Tensor) -> Tensor:
        """[b, n, d] to [b, n, V]."""
        return torch.log_softmax(self.ctc(hidden), dim=-1)

    def encode(self, log_mel: Tensor) -> Tensor:
        """Full context: log-mel frames [b, t, mels] to [b, ⌈t / 4⌉, d]."""
        streams = log_mel.shape[0]
        x, _ = self.encoder.pre_encode.step(self.normalize(log_mel), self.subsampling_cache(streams))
        return self.encoder.step(x, self.layer_caches(streams), None, 0)[0]

    def forward(self, log_mel: Tensor) -> Tensor:
        """Full context: log-mel frames [b, t, mels] to log-probabilities [b, ⌈t / 4⌉, V]."""
        return self.log_probs(self.encode(log_mel))
