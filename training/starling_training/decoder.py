"""The attention decoder in both directions, tensor for tensor what `AttentionDecoder` in Swift computes.

Pre-norm Transformer (Vaswani et al. 2017) with ReLU; the right-to-left one reads reversed texts (U2++,
Wu et al. 2021). Shapes: b utterances, u tokens with the start, T encoder frames, e width, V classes.
"""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn


@dataclass(frozen=True)
class DecoderConfig:
    """`decoder` of config.json, and the encoder's width."""

    encoder_width: int
    d_model: int
    n_heads: int
    d_feed_forward: int
    left_layers: int
    right_layers: int
    vocabulary: int
    sos_eos: int
    auxiliary_heads: tuple[int, ...] = ()
    position_width: int = 0  # of the sinusoids of a frame's place, which cross-attention reads beside it

    @property
    def fields(self) -> dict[str, object]:
        """`decoder` of config.json."""
        fields = dataclasses.asdict(self) | {"auxiliary_heads": list(self.auxiliary_heads)}
        del fields["encoder_width"]
        return {name: value for name, value in fields.items() if value not in ([], 0)}

    @property
    def memory_width(self) -> int:
        return self.encoder_width + self.position_width

    @staticmethod
    def load(path: Path) -> "DecoderConfig | None":
        fields = json.loads(path.read_text(encoding="utf-8"))
        if "decoder" not in fields:
            return None
        decoder = dict(fields["decoder"])
        decoder["auxiliary_heads"] = tuple(decoder.get("auxiliary_heads", ()))
        return DecoderConfig(encoder_width=fields["encoder"]["d_model"], **decoder)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, memory_width: int):
        super().__init__()
        self.heads = heads
        self.linear_q, self.linear_out = nn.Linear(width, width), nn.Linear(width, width)
        self.linear_k, self.linear_v = nn.Linear(memory_width, width), nn.Linear(memory_width, width)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """x: [b, u, e]; memory: [b, m, ·]; mask [b or 1, 1, u or 1, m], true where seen.

        Returns [b, u, e] and the logarithms of the weights [b, h, u, m]."""
        q, k, v = (
            f(t).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for f, t in ((self.linear_q, x), (self.linear_k, memory), (self.linear_v, memory)))
        scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -torch.inf)
        weights = scores.log_softmax(-1)
        context = (weights.exp().to(v.dtype) @ v).transpose(1, 2).flatten(2)
        return self.linear_out(context), weights


class DecoderFeedForward(nn.Module):
    def __init__(self, width: int, inner: int):
        super().__init__()
        self.w_1, self.w_2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.w_2(F.relu(self.w_1(x)))


class DecoderLayer(nn.Module):
    def __init__(self, config: DecoderConfig):
        super().__init__()
        e = config.d_model
        self.norm1, self.self_attn = nn.LayerNorm(e), Attention(e, config.n_heads, e)
        self.norm2, self.src_attn = nn.LayerNorm(e), Attention(e, config.n_heads, config.memory_width)
        self.norm3, self.feed_forward = nn.LayerNorm(e), DecoderFeedForward(e, config.d_feed_forward)

    def forward(self, x: Tensor, causal: Tensor, memory: Tensor, seen: Tensor, dropout: float) -> tuple[Tensor, Tensor]:
        normed = self.norm1(x)
        x = x + F.dropout(self.self_attn(normed, normed, causal)[0], dropout, self.training)
        context, weights = self.src_attn(self.norm2(x), memory, seen)
        x = x + F.dropout(context, dropout, self.training)
        return x + F.dropout(self.feed_forward(self.norm3(x)), dropout, self.training), weights


class Decoder(nn.Module):
    """One direction."""

    def __init__(self, config: DecoderConfig, layers: int, auxiliary: tuple[int, ...] = ()):
        super().__init__()
        e = config.d_model
        self.width, self.position_width = e, config.position_width
        self.embed = nn.Embedding(config.vocabulary, e)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(layers))
        self.after_norm, self.output_layer = nn.LayerNorm(e), nn.Linear(e, config.vocabulary)
        self.auxiliary = nn.ModuleDict({str(i): nn.Linear(e, config.vocabulary) for i in auxiliary})

    def forward(
        self, tokens: Tensor, memory: Tensor, seen: Tensor, dropout: float = 0.0,
    ) -> tuple[Tensor, dict[int, Tensor], list[Tensor]]:
        """tokens: [b, u], the start first; memory: [b, T, d]; seen: [b, T].

        Returns log-probabilities of what follows each token [b, u, V], those of the auxiliary heads,
        and the logarithms of the cross-attention weights of each layer [b, h, u, T]."""
        u = tokens.shape[1]
        x = self.embed(tokens) * math.sqrt(self.width) + sinusoids(u, self.width).to(memory.device)
        x = F.dropout(x, dropout, self.training)
        causal = torch.ones(u, u, dtype=torch.bool, device=tokens.device).tril()
        weights, heads = [], {}
        if self.position_width:
            places = sinusoids(memory.shape[1], self.position_width).to(memory)
            memory = torch.cat([memory, places.expand(len(memory), -1, -1)], dim=-1)
        for index, layer in enumerate(self.layers):
            x, cross = layer(x, causal, memory, seen[:, None, None], dropout)
            weights.append(cross)
            if str(index) in self.auxiliary:
                heads[index] = self.auxiliary[str(index)](x).float().log_softmax(-1)
        return self.output_layer(self.after_norm(x)).float().log_softmax(-1), heads, weights


class BidirectionalDecoder(nn.Module):
    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.config = config
        self.left = Decoder(config, config.left_layers, config.auxiliary_heads)
        self.right = Decoder(config, config.right_layers) if config.right_layers else None

    @staticmethod
    def load(folder: Path, position_width: int | None = None) -> "BidirectionalDecoder | None":
        """The decoder of a model folder in evaluation mode, float32; None if it has none.

        With a `position_width`, a decoder that reads no places reads so many, for nothing yet."""
        config = DecoderConfig.load(folder / "config.json")
        if config is None:
            return None
        new = position_width if position_width and not config.position_width else 0
        decoder = BidirectionalDecoder(dataclasses.replace(config, position_width=config.position_width or new))
        tensors = load_file(folder / "model.safetensors")
        state = {n.removeprefix("decoder."): t.float() for n, t in tensors.items() if n.startswith("decoder.")}
        for name in state:
            if new and name.endswith(("src_attn.linear_k.weight", "src_attn.linear_v.weight")):
                state[name] = F.pad(state[name], (0, new))
        decoder.load_state_dict(state)
        return decoder.eval()

    def narrowed(self, left_layers: int, right_layers: int, inner: int) -> "BidirectionalDecoder":
        """A smaller one to train on: the last layers of each direction, and of each feed-forward module the
        `inner` units with the greatest weights, the norm of what a unit reads times that of what it says. Auxiliary
        heads are left out."""
        old = self.config
        config = dataclasses.replace(
            old, left_layers=left_layers, right_layers=right_layers, d_feed_forward=inner, auxiliary_heads=())
        if not (1 <= left_layers <= old.left_layers and 0 <= right_layers <= old.right_layers and 1 <= inner <= old.d_feed_forward):
            raise ValueError(
                f"the decoder has {old.left_layers} and {old.right_layers} layers and {old.d_feed_forward} units in each, "
                f"expected no more than that, found {left_layers}, {right_layers} and {inner}")
        small, state = BidirectionalDecoder(config), {}
        for name, tensor in self.state_dict().items():
            direction, kind, *rest = name.split(".", 3)
            if kind == "layers":
                layers, all_layers = (getattr(c, f"{direction}_layers") for c in (config, old))
                name = f"{direction}.layers.{int(rest[0]) - all_layers + layers}.{rest[1]}"
            if name in small.state_dict():
                state[name] = tensor
        for name in [name for name in state if name.endswith("w_1.weight")]:
            bias, second = name.replace("weight", "bias"), name.replace("w_1", "w_2")
            kept = (state[name].norm(dim=1) * state[second].norm(dim=0)).topk(inner).indices.sort().values
            state[name], state[bias], state[second] = state[name][kept], state[bias][kept], state[second][:, kept]
        small.load_state_dict(state)
        return small.eval()

    def directions(self) -> list[tuple[Decoder, bool]]:
        """Each with whether it reads from right to left."""
        return [(self.left, False)] + ([(self.right, True)] if self.right is not None else [])


def teacher_forced(targets: list[list[int]], sos_eos: int, backwards: bool) -> tuple[Tensor, Tensor]:
    """Inputs [b, u], the start first, and what follows each [b, u], the end last; -1 beyond a text."""
    texts = [text[::-1] if backwards else text for text in targets]
    u = max(map(len, texts)) + 1
    inputs = torch.full((len(texts), u), sos_eos)
    outputs = torch.full((len(texts), u), -1)
    for row, text in enumerate(texts):
        inputs[row, 1 : len(text) + 1] = torch.tensor(text, dtype=torch.long)
        outputs[row, : len(text) + 1] = torch.tensor([*text, sos_eos])
    return inputs, outputs


def sinusoids(positions: int, width: int) -> Tensor:
    """Sine and cosine interleaved, base 10000. [positions, width]"""
    angle = torch.arange(positions, dtype=torch.float64)[:, None] * torch.exp(
        -torch.arange(0, width, 2, dtype=torch.float64) * math.log(10_000) / width)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :width].float()
