"""The encoder in blocks with look-ahead, all blocks of a batch at once: the form to train in.

A block's caches are rows of the blocks before it at the same layer, so every layer can compute all
blocks side by side. What comes out is what `Encoder.step` gives step by step.

Shapes: b utterances, T frames (padded), s blocks of n = C + R rows, L frames of left context,
m = L + n keys, d width.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .model import BlockSize, ConformerCTC, ConformerLayer, ConvolutionModule, Subsampling, edge_sums
from .stream import BlockShape
from .variants import Variants

# Outputs of the depthwise convolution per product of a banded matrix. The band wastes least where
# this is about the kernel's length.
_WINDOW = 32


class _Windows(torch.autograd.Function):
    """`Tensor.unfold` with a gradient that is whole slices added up, several times as fast as its own."""

    @staticmethod
    def forward(context, x: Tensor, length: int, step: int) -> Tensor:
        context.sizes = x.shape[1], length, step
        return x.unfold(1, length, step).transpose(2, 3).contiguous()

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None, None]:
        frames, length, step = context.sizes
        b, windows, _, d = gradient.shape
        parts = -(-length // step)
        total = gradient.new_zeros(b, windows - 1 + parts, step, d)
        for part in range(parts):
            width = min(step, length - part * step)
            total[:, part : part + windows, :width] += gradient[:, :, part * step : part * step + width]
        total = total.flatten(1, 2)
        missing = frames - total.shape[1]
        return F.pad(total, (0, 0, 0, missing)) if missing > 0 else total[:, :frames], None, None


def windows(x: Tensor, length: int, step: int) -> Tensor:
    """Windows of `length` rows, each `step` after the one before: [b, t, d] to [b, s, length, d]."""
    return _Windows.apply(x, length, step)


@dataclass(frozen=True)
class BlockLayout:
    """How a batch lies in blocks, and what of it is real."""

    shape: BlockShape
    blocks: int  # s
    side: int  # rows that the convolution sees to the left
    rows: Tensor  # [b, s, n, 1], 1 where the row is within its utterance, else 0
    mask: Tensor  # [b s, 1, 1, m], -inf where there is no key
    full: Tensor  # [b, s], 1 where the block has all its C + R rows

    @staticmethod
    def of(lengths: Tensor, frames: int, shape: BlockShape, side: int) -> "BlockLayout":
        """For utterances of `lengths` [b] encoder frames, padded to `frames`."""
        c, n, left = shape.new_frames, shape.rows, shape.left_context
        blocks = -(-frames // c)
        device = lengths.device
        starts = torch.arange(blocks, device=device) * c
        frame = starts[:, None] + torch.arange(n, device=device)
        inside = frame < lengths[:, None, None]  # [b, s, n]
        # A row outside still has to see something, or its softmax has no sum.
        own = inside | ~inside.any(-1, keepdim=True)
        before = starts[:, None] - left + torch.arange(left, device=device) >= 0  # [s, L]
        seen = torch.cat([before.expand(len(lengths), -1, -1), own], dim=-1)
        mask = torch.zeros(seen.shape, device=device).masked_fill(~seen, -torch.inf)
        return BlockLayout(
            shape, blocks, side, inside.unsqueeze(-1).float(), mask.flatten(0, 1)[:, None, None],
            (starts + n <= lengths[:, None]).float())

    def cut(self, x: Tensor) -> Tensor:
        """Frames [b, T, d] to blocks [b, s, n, d]."""
        c, n = self.shape.new_frames, self.shape.rows
        padded = F.pad(x, (0, 0, 0, (self.blocks - 1) * c + n - x.shape[1]))
        return windows(padded, n, c)

    def final(self, rows: Tensor) -> Tensor:
        """The final frames [b, s C, d] of blocks [b, s, n, d]."""
        return rows[:, :, : self.shape.new_frames].flatten(1, 2)

    def with_left(self, rows: Tensor, left: int) -> Tensor:
        """Blocks [b, s, n, d] with the `left` final frames before them, zeros before the first.
        [b, s, left + n, d]"""
        if left == 0:
            return rows
        c = self.shape.new_frames
        # The last block's own frames are nobody's left context.
        before = F.pad(self.final(rows), (0, 0, left, -c))
        return torch.cat([windows(before, left, c), rows], dim=2)


def banded(weight: Tensor, outputs: int) -> Tensor:
    """The matrices that convolve: weight [d, k] to [d, outputs, outputs + k - 1]."""
    kernel, device = weight.shape[1], weight.device
    tap = torch.arange(outputs + kernel - 1, device=device) - torch.arange(outputs, device=device)[:, None]
    inside = (tap >= 0) & (tap < kernel)
    return weight[:, tap.clamp(0, kernel - 1)] * inside


def convolve(module: ConvolutionModule, x: Tensor, layout: BlockLayout) -> Tensor:
    """`ConvolutionModule.step` of all blocks: [b, s, n, d] to [b, s, n, d].

    Depthwise, as products of one banded matrix a channel with the rows of all blocks at once: on a
    CPU several times as fast as a grouped convolution.
    """
    weight, bias, edge = module.folded()
    side = module.side
    gated = module.gate(x) * layout.rows.to(x.dtype)
    inputs = layout.with_left(gated, side).flatten(0, 1)  # [b s, side + n, d]
    streams, n = inputs.shape[0], x.shape[2]
    window = min(n, _WINDOW)
    parts = -(-n // window)
    padded = F.pad(inputs, (0, 0, 0, parts * window + side - n))
    pieces = windows(padded, window + 2 * side, window)  # [b s, parts, window + 2 side, d]
    columns = pieces.permute(3, 2, 0, 1).flatten(2)
    summed = banded(weight, window).to(columns.dtype) @ columns  # [d, window, b s parts]
    convolved = summed.unflatten(2, (streams, parts)).permute(2, 3, 1, 0).flatten(1, 2)[:, :n] + bias
    if edge is not None:
        added = edge_sums(inputs, edge[:n].to(inputs.dtype)) * layout.full.flatten()[:, None, None]
        convolved = convolved + F.pad(added, (0, 0, n - added.shape[1], 0))
    return module.finish(convolved).unflatten(0, x.shape[:2])


def layer_in_blocks(
    layer: ConformerLayer, x: Tensor, layout: BlockLayout, gates: Tensor | None = None, dropout: float = 0.0,
) -> Tensor:
    """`ConformerLayer.step` of all blocks: [b, s, n, d] to [b, s, n, d]. `gates`: see `DepthGates`;
    `dropout` is of what each module adds."""

    def dropped(rows: Tensor) -> Tensor:
        return F.dropout(rows, dropout) if dropout else rows

    first, attended, convolved, second = (1, 1, 1, 1) if gates is None else gates.split(1, dim=-1)
    x = x + 0.5 * first * dropped(layer.feed_forward1(layer.norm_feed_forward1(x)))
    attention, left = layer.self_attn, layout.shape.left_context
    q, k, v = attention.project(layer.norm_self_att(x))
    size = BlockSize(x.shape[0] * x.shape[1], x.shape[2], left, layout.mask)
    keys, values = (layout.with_left(rows, left).flatten(0, 1) for rows in (k, v))
    context = attention.attend(q.flatten(0, 1), keys, values, size)
    x = x + attended * dropped(context.unflatten(0, x.shape[:2]))
    x = x + convolved * dropped(convolve(layer.conv, layer.norm_conv(x), layout))
    x = x + 0.5 * second * dropped(layer.feed_forward2(layer.norm_feed_forward2(x)))
    return layer.norm_out(x)


def encode_in_blocks(
    model: ConformerCTC, x: Tensor, lengths: Tensor, shape: BlockShape | None, keep: tuple[int, ...] = (),
    variants: Variants | None = None, dropout: float = 0.0,
) -> tuple[Tensor, dict[int, Tensor]]:
    """Subsampled frames [b, T, d] of utterances of `lengths` frames through the encoder in blocks,
    or in full context where `shape` is None.

    Returns the final frames [b, T, d], and those of the layers in `keep`. Frames beyond an
    utterance's length mean nothing.
    """
    frames = x.shape[1]
    # One frame more than there are: the block is not full, which would mean that more may come.
    shape = shape or BlockShape(frames + 1, 0, 0)
    encoder, side = model.encoder, model.config.convolution_kernel // 2
    layout = BlockLayout.of(lengths, frames, shape, side)
    rows, kept = layout.cut(x), {}
    if variants is not None:
        variants.begin()
    for index, layer in enumerate(encoder.layers):
        if variants is None:
            rows = layer_in_blocks(layer, rows, layout, dropout=dropout)
        else:
            rows = layer_in_blocks(layer, rows, layout, variants.before(index, rows), dropout)
            rows = variants.after(index, rows, model.ctc)
        if index in keep:
            kept[index] = layout.final(rows)[:, :frames]
    return layout.final(rows)[:, :frames], kept


def subsample(module: Subsampling, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """`Subsampling.step` of whole utterances: normalised mel frames [b, t, mels] of `lengths` [b]
    mel frames to [b, T, d] and their lengths. What is beyond an utterance's end is as zeros."""

    def convolved(x: Tensor, convolution: torch.nn.Conv2d) -> Tensor:
        # Channels last and padding within the convolution: three times as fast on a CPU.
        weight = convolution.weight.contiguous(memory_format=torch.channels_last)
        return F.relu(F.conv2d(x, weight, convolution.bias, stride=2, padding=1), inplace=True)

    def cut(x: Tensor, lengths: Tensor) -> Tensor:
        inside = torch.arange(x.shape[2], device=lengths.device) < lengths[:, None]
        return x * inside[:, None, :, None].to(x.dtype)

    # [b, channels, time, frequency]
    x = features.unsqueeze(1).contiguous(memory_format=torch.channels_last)
    rows = convolved(cut(x, lengths), module.conv["0"])
    maps = convolved(cut(rows, (lengths + 1) // 2), module.conv["2"])
    return module.out(maps.transpose(1, 2).flatten(2)) * module.scale, (lengths + 3) // 4


def frames_of(
    model: ConformerCTC, log_mel: Tensor, shape: BlockShape | None, lengths: Tensor | None = None,
    keep: tuple[int, ...] = (), mask=None, variants: Variants | None = None, dropout: float = 0.0,
) -> tuple[Tensor, Tensor, dict[int, Tensor]]:
    """Log-mel frames [b, t, mels] of `lengths` [b] (all, if None) to the encoder's output [b, T, d],
    its lengths, and the outputs of the layers in `keep`. `mask` may change the normalised features,
    [b, t, mels], in place."""
    if lengths is None:
        lengths = torch.full((log_mel.shape[0],), log_mel.shape[1], device=log_mel.device)
    features = model.normalize(log_mel)
    if mask is not None:
        mask(features)
    x, lengths = subsample(model.encoder.pre_encode, features, lengths)
    hidden, kept = encode_in_blocks(model, x, lengths, shape, keep, variants, dropout)
    return hidden, lengths, kept
