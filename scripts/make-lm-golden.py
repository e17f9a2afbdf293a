#!/usr/bin/env python3
"""Writes Tests/LanguageModelsTests/Fixtures/tiny-lm: a Transformer language model with random
weights, and beside it golden.json, the log-probabilities that PyTorch's own Transformer layers give
some token sequences in double precision.

  pip install torch safetensors
  scripts/make-lm-golden.py
"""

import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file

D_MODEL, HEADS, FEED_FORWARD, LAYERS = 8, 2, 12, 2
# The blank, which has no piece, is the last class, and starts and ends sequences.
PIECES = ["<unk>", "▁the", "▁a", "s", "t", "e", "▁of", "ing", "n"]
VOCABULARY, SOS_EOS = len(PIECES) + 1, len(PIECES)

torch.manual_seed(1)
embed = torch.nn.Embedding(VOCABULARY, D_MODEL)
encoder = torch.nn.TransformerEncoder(
    torch.nn.TransformerEncoderLayer(
        D_MODEL, HEADS, FEED_FORWARD, dropout=0, activation="relu", batch_first=True,
        norm_first=True,
    ),
    LAYERS, norm=torch.nn.LayerNorm(D_MODEL), enable_nested_tensor=False,
)
output = torch.nn.Linear(D_MODEL, VOCABULARY)
for module in (embed, encoder, output):
    for name, tensor in module.named_parameters():
        # Large enough for attention to be sharp.
        centre = 1 if "norm" in name and name.endswith("weight") else 0
        torch.nn.init.normal_(tensor, centre, 0.2 if tensor.dim() == 1 else 0.6)


def folder_weights():
    """The weights under the names of docs/model-format.md."""
    weights = {"embed.weight": embed.weight}
    for n, layer in enumerate(encoder.layers):
        attention = layer.self_attn
        for kind in ("weight", "bias"):
            parts = getattr(attention, "in_proj_" + kind).chunk(3)
            for name, part in zip("qkv", parts):
                weights[f"layers.{n}.self_attn.linear_{name}.{kind}"] = part
            for name, module in {
                "self_attn.linear_out": attention.out_proj,
                "feed_forward.w_1": layer.linear1,
                "feed_forward.w_2": layer.linear2,
                "norm1": layer.norm1,
                "norm2": layer.norm2,
            }.items():
                weights[f"layers.{n}.{name}.{kind}"] = getattr(module, kind)
    for kind in ("weight", "bias"):
        weights["after_norm." + kind] = getattr(encoder.norm, kind)
        weights["output_layer." + kind] = getattr(output, kind)
    return {name: tensor.detach().float().contiguous() for name, tensor in weights.items()}


folder = Path(__file__).resolve().parent.parent / "Tests/LanguageModelsTests/Fixtures/tiny-lm"
folder.mkdir(parents=True, exist_ok=True)
save_file(
    folder_weights(), folder / "model.safetensors",
    metadata={"made_by": f"torch {torch.__version__}"},
)
(folder / "tokens.txt").write_text("".join(piece + "\n" for piece in PIECES))
config = {
    "format": "starling-lm-1", "model": "tiny-lm", "d_model": D_MODEL, "n_heads": HEADS,
    "d_feed_forward": FEED_FORWARD, "layers": LAYERS, "vocabulary": VOCABULARY, "sos_eos": SOS_EOS,
}
(folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")

for module in (embed, encoder, output):
    module.double().eval()


@torch.no_grad()
def log_probs(tokens):
    """Of every token and of the end. [len(tokens) + 1]"""
    read, targets = torch.tensor([SOS_EOS] + tokens), torch.tensor(tokens + [SOS_EOS])
    position = torch.arange(len(read), dtype=torch.float64)[:, None]
    angle = position * 10000 ** (-torch.arange(0, D_MODEL, 2, dtype=torch.float64) / D_MODEL)
    encoding = torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)
    x = embed(read) * math.sqrt(D_MODEL) + encoding
    mask = torch.nn.Transformer.generate_square_subsequent_mask(len(read), dtype=torch.float64)
    rows = output(encoder(x[None], mask=mask)[0]).log_softmax(-1)
    return rows[torch.arange(len(targets)), targets].tolist()


def random_tokens(count):
    return torch.randint(0, SOS_EOS, (count,)).tolist()


first = random_tokens(12)
sequences = [first, first[:7] + random_tokens(4), [], [3], first[:5], first[:7] + random_tokens(4)]
# More positions than Starling keeps in its table.
sequences.append(random_tokens(270))
golden = [
    {"tokens": tokens, "log_probs": [round(value, 6) for value in log_probs(tokens)]}
    for tokens in sequences
]
(folder / "golden.json").write_text(
    "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in golden) + "\n]\n"
)
