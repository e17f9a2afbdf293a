"""A Transformer language model over a model's pieces: for rescoring (`--rescoring-lm`), and as a teacher
of what words follow each other. Tensor for tensor `CausalTransformer` in Swift."""

import json
import math
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .checkpoint import half
from .decoder import Attention, DecoderFeedForward, sinusoids, teacher_forced
from .losses import cross_entropy
from .pieces import Pieces, spoken

FORMAT = "starling-lm-1"


@dataclass(frozen=True)
class LanguageModelConfig:
    """`config.json` of a language model's folder."""

    vocabulary: int
    sos_eos: int
    model: str = "starling-lm"
    d_model: int = 176
    n_heads: int = 4
    d_feed_forward: int = 704
    layers: int = 4


class LanguageLayer(nn.Module):
    def __init__(self, config: LanguageModelConfig):
        super().__init__()
        e = config.d_model
        self.norm1, self.self_attn = nn.LayerNorm(e), Attention(e, config.n_heads, e)
        self.norm2, self.feed_forward = nn.LayerNorm(e), DecoderFeedForward(e, config.d_feed_forward)

    def forward(self, x: Tensor, causal: Tensor, dropout: float) -> Tensor:
        normed = self.norm1(x)
        x = x + F.dropout(self.self_attn(normed, normed, causal)[0], dropout, self.training)
        return x + F.dropout(self.feed_forward(self.norm2(x)), dropout, self.training)


class LanguageModel(nn.Module):
    def __init__(self, config: LanguageModelConfig):
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocabulary, config.d_model)
        self.layers = nn.ModuleList(LanguageLayer(config) for _ in range(config.layers))
        self.after_norm = nn.LayerNorm(config.d_model)
        self.output_layer = nn.Linear(config.d_model, config.vocabulary)

    def forward(self, tokens: Tensor, dropout: float = 0.0) -> Tensor:
        """tokens [b, u], the start first, to log-probabilities of what follows each [b, u, V]."""
        u, width = tokens.shape[1], self.config.d_model
        x = self.embed(tokens) * math.sqrt(width) + sinusoids(u, width).to(tokens.device)
        x = F.dropout(x, dropout, self.training)
        causal = torch.ones(u, u, dtype=torch.bool, device=tokens.device).tril()
        for layer in self.layers:
            x = layer(x, causal, dropout)
        return self.output_layer(self.after_norm(x)).float().log_softmax(-1)

    @staticmethod
    def load(folder: Path) -> "LanguageModel":
        fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if fields.pop("format", None) != FORMAT:
            raise ValueError(f"{folder / 'config.json'}: expected 'format' {FORMAT!r}")
        model = LanguageModel(LanguageModelConfig(**fields))
        model.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
        return model.eval()

    def save(self, folder: Path, tokens: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: half(name, tensor).contiguous() for name, tensor in self.state_dict().items()}, folder / "model.safetensors")
        fields = {"format": FORMAT, **asdict(self.config)}
        (folder / "config.json").write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
        shutil.copy(tokens, folder / "tokens.txt")


def train(
    texts: list[str], pieces: Pieces, blank: int, epochs: int = 12, rate: float = 1.5e-3, dropout: float = 0.2,
    tokens_per_batch: int = 2000, seed: int = 1, report=print,
) -> LanguageModel:
    """On texts, a twentieth of which only measures: the weights of the epoch that was best there."""
    encoded = [classes for classes in (pieces.encode(spoken(text)) for text in texts) if classes]
    torch.manual_seed(seed)
    order = torch.randperm(len(encoded)).tolist()
    held = max(1, len(encoded) // 20)
    held_out, learnt = ([encoded[i] for i in part] for part in (order[:held], order[held:]))
    model = LanguageModel(LanguageModelConfig(len(pieces.pieces) + 1, blank))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    batches = _batches(learnt, tokens_per_batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs * len(batches), pct_start=0.1)
    best, kept = math.inf, model.state_dict()
    for epoch in range(epochs):
        model.train()
        for i in torch.randperm(len(batches)).tolist():
            inputs, outputs = teacher_forced(batches[i], blank, False)
            loss = cross_entropy(model(inputs, dropout), outputs, 0.0)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        measured = perplexity(model, held_out)
        report(f"epoch {epoch + 1}: held-out perplexity {measured:.1f} a piece")
        if measured < best:
            best, kept = measured, {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(kept)
    return model.eval()


@torch.inference_mode()
def perplexity(model: LanguageModel, texts: list[list[int]]) -> float:
    """exp of the mean negative log-probability of a class, ends included."""
    model.eval()
    total, count = 0.0, 0
    for batch in _batches(texts, 2000):
        inputs, outputs = teacher_forced(batch, model.config.sos_eos, False)
        real = outputs >= 0
        total -= model(inputs)[real].gather(1, outputs[real][:, None]).sum().item()
        count += int(real.sum())
    return math.exp(total / count)


def _batches(texts: list[list[int]], tokens: int) -> list[list[list[int]]]:
    """Of like lengths."""
    batches: list[list[list[int]]] = [[]]
    for text in sorted(texts, key=len):
        if batches[-1] and len(text) * (len(batches[-1]) + 1) > tokens:
            batches.append([])
        batches[-1].append(text)
    return batches
