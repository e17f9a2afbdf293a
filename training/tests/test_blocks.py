"""All blocks at once against step by step."""

import dataclasses
import unittest

import torch

from support import MODEL, speech_like  # noqa: E402
from starling_training.blocks import encode_in_blocks, subsample, windows
from starling_training.config import ModelConfig
from starling_training.model import ConformerCTC
from starling_training.stream import BlockShape, TorchStream, run


def random_model(edge_taps: int, seed: int = 7) -> ConformerCTC:
    """A small model with random weights, batch norm statistics and edge kernels."""
    config = dataclasses.replace(
        ModelConfig.load(MODEL / "config.json"), layers=3, width=32, feed_forward_width=48, convolution_kernel=9,
        subsampling_channels=8, vocabulary=17, blank=16, edge_taps=edge_taps)
    torch.manual_seed(seed)
    model = ConformerCTC(config).eval()
    for layer in model.encoder.layers:
        norm = layer.conv.batch_norm
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(layer.self_attn.pos_bias_u)
        torch.nn.init.normal_(layer.self_attn.pos_bias_v)
        if edge_taps:
            torch.nn.init.normal_(layer.conv.edge_kernels, std=0.3)
    return model


class Blocks(unittest.TestCase):
    SHAPES = [
        BlockShape(4, 4, 16), BlockShape(8, 8, 64), BlockShape(2, 1, 3), BlockShape(5, 0, 7), BlockShape(3, 6, 0),
        BlockShape(16, 2, 5), BlockShape(1, 2, 4), BlockShape(60, 7, 16), None,
    ]

    @torch.inference_mode()
    def test_all_at_once_is_step_by_step(self):
        """For utterances of different lengths in one batch, padding of any content."""
        mel_frames = [181, 64, 4, 143, 96, 1]
        for edge_taps in (0, 3, 5):
            model = random_model(edge_taps)
            batch = torch.randn(len(mel_frames), max(mel_frames), 80) * 3 - 9
            x, lengths = subsample(model.encoder.pre_encode, model.normalize(batch), torch.tensor(mel_frames))
            for shape in self.SHAPES:
                hidden, _ = encode_in_blocks(model, x, lengths, shape)
                for i, frames in enumerate(mel_frames):
                    mel = batch[i : i + 1, :frames]
                    steps = run(TorchStream(model, shape).step, mel, shape) if shape else model(mel)
                    found = model.log_probs(hidden[i : i + 1, : lengths[i]])
                    torch.testing.assert_close(found, steps, atol=2e-4, rtol=0, msg=lambda m: f"{shape} {frames}: {m}")

    def test_windows(self):
        """Forward and gradient against unfold's, for any length, step and remainder."""
        for frames, length, step in ((12, 4, 4), (13, 5, 2), (9, 2, 3), (7, 7, 1), (11, 3, 5)):
            x = torch.randn(2, frames, 3, dtype=torch.float64, requires_grad=True)
            expected = x.unfold(1, length, step).transpose(2, 3)
            torch.testing.assert_close(windows(x, length, step), expected)
            gradient = torch.randn_like(expected)
            found = torch.autograd.grad(windows(x, length, step), x, gradient)[0]
            torch.testing.assert_close(found, torch.autograd.grad(expected, x, gradient)[0])

    @torch.inference_mode()
    def test_edge_kernels_act_in_full_blocks_only(self):
        with_edge, without = random_model(4), random_model(4)
        for layer in without.encoder.layers:
            layer.conv.edge_kernels.zero_()
        mel = speech_like(95)  # 24 frames
        torch.testing.assert_close(with_edge(mel), without(mel), atol=0, rtol=0)
        one_short, exact = BlockShape(20, 5), BlockShape(20, 4)
        for shape, same in ((one_short, True), (exact, False)):
            found, expected = (run(TorchStream(m, shape).step, mel, shape) for m in (with_edge, without))
            self.assertEqual(torch.equal(found, expected), same)

    @torch.inference_mode()
    def test_shipped_model(self):
        model, mel, shape = ConformerCTC.load(MODEL), speech_like(421), BlockShape(8, 8)
        x, _ = model.encoder.pre_encode.step(model.normalize(mel), model.subsampling_cache())
        hidden, kept = encode_in_blocks(model, x, torch.tensor([106]), shape, keep=(3, 15))
        torch.testing.assert_close(
            model.log_probs(hidden), run(TorchStream(model, shape).step, mel, shape), atol=1e-3, rtol=0)
        self.assertEqual(sorted(kept), [3, 15])
        torch.testing.assert_close(kept[15], hidden, atol=0, rtol=0)


if __name__ == "__main__":
    unittest.main()
