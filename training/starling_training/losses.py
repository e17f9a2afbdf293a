"""What the student is pulled towards. All are means over the real frames of a batch.

Shapes: b utterances, T frames, V classes, d width; `inside` [b, T] is true in an utterance.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def frames_inside(lengths: Tensor, frames: int) -> Tensor:
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


def distillation(student: Tensor, teacher: Tensor, inside: Tensor, reach: int = 0) -> Tensor:
    """KL(teacher ‖ student) of log-probabilities [b, T, V], in nats a frame (Hinton et al. 2015).

    With a `reach`, of both after each frame is made the mean of those up to so many frames away: what is
    said must agree, and when only roughly. A student that sees little to its right is not sure of the
    frame; held to the very frame it splits a spike between two and greedy search finds neither."""
    if reach:
        student, teacher = blurred(student, inside, reach), blurred(teacher, inside, reach)
    divergence = F.kl_div(student[inside], teacher[inside], reduction="sum", log_target=True)
    return divergence / inside.sum()


def blurred(log_probs: Tensor, inside: Tensor, reach: int) -> Tensor:
    """Logarithms of the mean probabilities over the frames of an utterance within `reach`."""
    real = inside[:, :, None].to(log_probs.dtype)
    padded, counts = (F.pad(t, (0, 0, reach, reach)) for t in (log_probs.exp() * real, real))
    frames = log_probs.shape[1]
    total = sum(padded[:, shift : shift + frames] for shift in range(2 * reach + 1))
    count = sum(counts[:, shift : shift + frames] for shift in range(2 * reach + 1))
    return (total / count.clamp(min=1)).clamp(min=1e-10).log()


def layers(student: dict[int, Tensor], teacher: dict[int, Tensor], inside: Tensor) -> Tensor:
    """Squared distances of layers' outputs [b, T, d], each as a share of the teacher's variance."""
    total = torch.zeros((), device=inside.device)
    for index, target in teacher.items():
        wanted = target[inside].float()
        variance = wanted.var(dim=0).mean()
        total = total + F.mse_loss(student[index][inside].float(), wanted) / variance
    return total / max(len(teacher), 1)


def ctc(log_probs: Tensor, lengths: Tensor, targets: list[list[int] | None], blank: int) -> Tensor:
    """CTC (Graves et al. 2006) in nats a frame, of the utterances that have a text which fits."""
    usable = [i for i, classes in enumerate(targets) if classes and fits(classes, int(lengths[i]))]
    if not usable:
        return torch.zeros((), device=log_probs.device)
    classes = [targets[i] for i in usable]
    flat = torch.tensor([c for row in classes for c in row])
    loss = F.ctc_loss(
        log_probs[usable].transpose(0, 1).float(), flat.to(log_probs.device), lengths[usable].cpu(),
        torch.tensor([len(row) for row in classes]), blank=blank, reduction="sum")
    return loss / lengths[usable].sum()


def fits(classes: list[int], frames: int) -> bool:
    """Whether CTC has a path: a frame a class, and a blank between two that are the same."""
    return len(classes) + sum(a == b for a, b in zip(classes, classes[1:])) <= frames


def cross_entropy(log_probs: Tensor, outputs: Tensor, smoothing: float) -> Tensor:
    """Of a decoder's log-probabilities [b, u, V] for what follows [b, u] (-1: nothing), in nats a
    class, with label smoothing (Szegedy et al. 2016)."""
    real = outputs >= 0
    chosen = log_probs[real]
    right = chosen.gather(1, outputs[real][:, None]).mean()
    return -(1 - smoothing) * right - smoothing * chosen.mean()


def guide(weights: list[Tensor], spikes: Tensor, reach: int = 2) -> Tensor:
    """How little of the cross-attention of each layer's first half of heads lies within `reach` frames
    of the CTC spike of the class that is to come: the mean of -log of the share.

    weights: logarithms [b, h, u, T]; spikes: [b, u], -1 where there is none (the end, padding)."""
    frames = torch.arange(weights[0].shape[-1], device=spikes.device)
    near = (frames - spikes[:, :, None]).abs() <= reach  # [b, u, T]
    real = spikes >= 0
    total = torch.zeros((), device=spikes.device)
    for layer in weights:
        heads = layer[:, : layer.shape[1] // 2].float().masked_fill(~near[:, None], -torch.inf)
        share = heads.logsumexp(-1).clamp(min=-20)  # [b, h, u]
        total = total - share.transpose(1, 2)[real].mean()
    return total / len(weights)
