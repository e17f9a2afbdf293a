"""Encoders that the engine does not run, to find out what they would bring (docs/training.md).

`SelfConditioning`: intermediate CTC (Lee and Watanabe 2021), whose softmax may be fed back into the layers
after it (Nozaki and Komatsu 2021). Without the feeding back the model's form does not change.

`DepthGates`: modules that are skipped where the input lets them (I3D, Peng et al. 2023). The published gates
look at the whole utterance; these look at a block, which a stream can do.
"""

import torch
from torch import Tensor, nn

from .model import ConformerCTC

MODULES = ("feed_forward1", "self_attn", "conv", "feed_forward2")


class SelfConditioning(nn.Module):
    """After some layers: the CTC head reads the output, and the layers after it hear what it read."""

    def __init__(self, model: ConformerCTC, layers: tuple[int, ...], feeds_back: bool):
        super().__init__()
        self.layers = layers
        self.back = nn.Linear(model.config.vocabulary, model.config.width) if feeds_back else None
        if self.back is not None:
            nn.init.zeros_(self.back.weight)
            nn.init.zeros_(self.back.bias)

    def apply_after(self, index: int, rows: Tensor, ctc: nn.Linear, read: dict[int, Tensor]) -> Tensor:
        """Rows of any shape [..., d]; what was read, as log-probabilities, is put into `read`."""
        if index not in self.layers:
            return rows
        log_probs = ctc(rows).float().log_softmax(-1)
        read[index] = log_probs
        return rows if self.back is None else rows + self.back(log_probs.exp().to(rows.dtype))


class DepthGates(nn.Module):
    """For each module of each layer and each block: whether it is computed.

    The logits start where nearly all are open; in training the choice is drawn (Gumbel softmax, straight
    through), in evaluation it is the likelier one.
    """

    def __init__(self, model: ConformerCTC):
        super().__init__()
        width = model.config.width
        self.predictors = nn.ModuleList(nn.Linear(width, len(MODULES)) for _ in range(model.config.layers))
        for predictor in self.predictors:
            nn.init.zeros_(predictor.weight)
            nn.init.constant_(predictor.bias, 3.0)

    def forward(self, index: int, rows: Tensor) -> Tensor:
        """Blocks [b, s, n, d] to gates [b, s, 1, modules], 1 open, 0 closed."""
        logits = self.predictors[index](rows.mean(dim=2, keepdim=True)).float()
        if not self.training:
            return (logits > 0).to(rows.dtype)
        noise = torch.rand_like(logits).clamp(1e-6, 1 - 1e-6)
        soft = torch.sigmoid(logits + noise.log() - (-noise).log1p())
        return ((soft > 0.5).to(soft.dtype) + soft - soft.detach()).to(rows.dtype)


class Variants(nn.Module):
    """Both, as a recipe has them; what a pass leaves behind is in `read` and `opened`."""

    def __init__(self, model: ConformerCTC, layers: tuple[int, ...], feeds_back: bool, gates: bool):
        super().__init__()
        self.conditioning = SelfConditioning(model, layers, feeds_back) if layers else None
        self.gates = DepthGates(model) if gates else None
        self.read: dict[int, Tensor] = {}
        self.opened: list[Tensor] = []

    @property
    def runs_in_the_engine(self) -> bool:
        return self.gates is None and (self.conditioning is None or self.conditioning.back is None)

    def begin(self) -> None:
        self.read, self.opened = {}, []

    def before(self, index: int, rows: Tensor) -> Tensor | None:
        """The gates of layer `index`, of blocks [b, s, n, d]."""
        if self.gates is None:
            return None
        self.opened.append(self.gates(index, rows))
        return self.opened[-1]

    def after(self, index: int, rows: Tensor, ctc: nn.Linear) -> Tensor:
        return rows if self.conditioning is None else self.conditioning.apply_after(index, rows, ctc, self.read)

    def openness(self) -> Tensor:
        """The mean share of modules that the last pass computed."""
        return torch.stack([gates.float().mean() for gates in self.opened]).mean()
