"""First values of edge kernels: linear prediction of what a convolution does not see.

The missing part of a depthwise output with r visible rows to its right is Σ_m w[side + r + m] g[τ + m],
m = 1 … side - r, where τ is the last visible row. Predicting g[τ + m] by least squares from
g[τ], …, g[τ - K + 1] needs no more than each channel's autocorrelation in full context.
"""

import torch
from torch import Tensor

from .blocks import frames_of
from .model import ConformerCTC


@torch.no_grad()
def fit_edge_kernels(model: ConformerCTC, utterances: list[Tensor], ridge: float = 1e-3) -> None:
    """Sets the edge kernels of `model` from log-mels [t, mels] of utterances."""
    convolutions = [layer.conv for layer in model.encoder.layers]
    side, taps, width = convolutions[0].edge_kernels.shape
    reach = side + taps  # lags 0 … reach - 1
    correlation = [torch.zeros(reach, width, dtype=torch.float64) for _ in convolutions]
    count = torch.zeros(reach, dtype=torch.float64)
    seen: list[Tensor] = []
    hooks = [
        layer.norm_conv.register_forward_hook(lambda _, __, out, c=layer.conv: seen.append(c.gate(out)))
        for layer in model.encoder.layers
    ]
    for mel in utterances:
        seen.clear()
        frames_of(model, mel[None], None)
        frames = seen[0].flatten(0, -2).shape[0] - 1  # full context has a row too many
        lags = min(reach, frames)
        count[:lags] += torch.arange(frames, frames - lags, -1)
        for sums, gated in zip(correlation, seen):
            g = gated.flatten(0, -2)[:frames].double()
            for lag in range(lags):
                sums[lag] += (g[lag:] * g[: frames - lag]).sum(0)
    for hook in hooks:
        hook.remove()
    distance = (torch.arange(taps)[:, None] - torch.arange(taps)).abs()
    ahead = torch.arange(1, side + 1)[:, None] + torch.arange(taps)
    for conv, sums in zip(convolutions, correlation):
        r = (sums / count[:, None].clamp(min=1)).T  # [d, reach]
        past = r[:, distance] + ridge * r[:, :1, None] * torch.eye(taps)  # [d, K, K]
        future = r[:, ahead]  # [d, side, K]
        predictor = torch.linalg.solve(past, future.mT).mT  # [d, side, K]
        weight = conv.depthwise_conv.weight[:, 0].double()  # [d, kernel]
        for visible in range(side):
            missing = weight[:, side + visible + 1 :]  # [d, side - visible]
            conv.edge_kernels[visible] = torch.einsum("dm,dmk->kd", missing, predictor[:, : side - visible]).float()
