"""Tensors that the Swift tests compare with, from PyTorch."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from .audio import decode
from .decoder import BidirectionalDecoder, teacher_forced
from .evaluate import greedy
from .features import log_mel
from .model import ConformerCTC
from .stream import BlockShape, TorchStream, run

SHAPES = {"block8+8_left64": BlockShape(8, 8), "block4+4_left12": BlockShape(4, 4, 12), "block16+0_left64": BlockShape(16, 0)}


@torch.inference_mode()
def write_goldens(folder: Path, audio: Path, output: Path, seconds: float) -> None:
    """The first `seconds` of a recording, as safetensors:

    log_mel, features [t, mels]; for `full` and each block size `MODE.log_probs` [T, V]; `full.tokens` [u]:
    the greedy text in full context; and, of a decoder, the log-probability of each of its classes and of
    the end, given those before it, `full.decoder_left` and `full.decoder_right` [u + 1]."""
    model, decoder = ConformerCTC.load(folder), BidirectionalDecoder.load(folder)
    mel = torch.from_numpy(log_mel(decode(audio, (0, seconds)), model.config.mels))
    hidden = model.encode(mel[None])
    tensors = {"log_mel": mel, "features": model.normalize(mel[None])[0], "full.log_probs": model.log_probs(hidden)[0]}
    for name, shape in SHAPES.items():
        tensors[f"{name}.log_probs"] = run(TorchStream(model, shape).step, mel[None], shape)[0]
    classes = greedy(tensors["full.log_probs"], model.config.blank)
    tensors["full.tokens"] = torch.tensor(classes, dtype=torch.float32)
    if decoder is not None:
        for (direction, backwards), name in zip(decoder.directions(), ("left", "right")):
            inputs, outputs = teacher_forced([classes], decoder.config.sos_eos, backwards)
            said = direction(inputs, hidden, torch.ones(hidden.shape[:2], dtype=torch.bool))[0]
            tensors[f"full.decoder_{name}"] = said[0].gather(1, outputs[0][:, None])[:, 0]
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, output)
