"""Model folders (docs/model-format.md) in and out."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .decoder import BidirectionalDecoder
from .model import ConformerCTC


def load_model(folder: Path, edge_taps: int | None = None) -> ConformerCTC:
    """The encoder and CTC head of a folder, with edge kernels of `edge_taps` taps (zeros, where the
    folder has none)."""
    return ConformerCTC.load(folder, edge_taps)


def save_model(model: ConformerCTC, source: Path, target: Path, decoder: BidirectionalDecoder | None = None) -> None:
    """Writes the model as a folder, in fp16, with what `source` has besides: its decoder if none is
    given, its tokens, the rest of its config."""
    target.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    if model.config.edge_taps:
        config["encoder"]["edge_taps"] = model.config.edge_taps
    if decoder is not None:
        config["decoder"] = decoder.config.fields
        tensors = {f"decoder.{name}": half(name, tensor).cpu().contiguous() for name, tensor in decoder.state_dict().items()}
    else:
        tensors = {
            name: tensor for name, tensor in load_file(source / "model.safetensors").items() if name.startswith("decoder.")
        }
    for name, tensor in model.state_dict().items():
        if name in ("cmvn_mean", "cmvn_istd"):
            if model.config.normalize == "global_cmvn":
                tensors[name.replace("_", ".")] = tensor.cpu().contiguous()
        elif not name.endswith("num_batches_tracked"):
            tensors[name] = half(name, tensor).cpu().contiguous()
    save_file(tensors, target / "model.new")
    (target / "model.new").replace(target / "model.safetensors")
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    if source.resolve() != target.resolve():
        shutil.copy(source / "tokens.txt", target / "tokens.txt")


def half(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """fp16, which must hold the values."""
    halved = tensor.half()
    if not torch.isfinite(halved).all():
        raise ValueError(f"{name}: values up to {tensor.abs().max():.3g} do not fit fp16")
    return halved


def average(folders: list[tuple[Path, float]], target: Path) -> None:
    """The weighted mean of the encoders and CTC heads of folders, with the first one's decoder and
    feature statistics, which others may lack. Edge kernels are the mean of those that there are: a mean with
    the zeros of models that have none would only make them smaller."""
    models = [load_model(folder, None) for folder, _ in folders]
    all_weights = [weight for _, weight in folders]
    edge_weights = [weight if model.config.edge_taps else 0.0 for model, weight in zip(models, all_weights)]
    taps = max(model.config.edge_taps for model in models)
    models = [load_model(folder, taps or None) for folder, _ in folders]
    with torch.no_grad():
        state = models[0].state_dict()
        for name, tensor in state.items():
            if tensor.is_floating_point() and not name.startswith("cmvn_"):
                weights = edge_weights if name.endswith("edge_kernels") else all_weights
                if abs(sum(weights)) < 1e-6:
                    raise ValueError(f"the weights of the models{' with edge kernels' * (weights is edge_weights)} add up to nothing")
                tensor.copy_(sum(m.state_dict()[name] * (w / sum(weights)) for m, w in zip(models, weights)))
    save_model(models[0], folders[0][0], target)
