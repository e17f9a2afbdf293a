"""The PyTorch model against the goldens, and against itself in other cuts.

Goldens are in ../shared/goldens beside the repository; without them those tests are skipped.
"""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))

from starling_training.features import log_mel, synthetic_log_mel
from starling_training.model import ConformerCTC
from starling_training.stream import BlockShape, TorchStream, feeds, run
from support import FIRST, GOLDENS, MODEL, needs_goldens

TOLERANCE = 1e-3


def speech_like(frames: int, seed: int = 1) -> torch.Tensor:
    """Log-mel frames [1, frames, 80]."""
    return torch.from_numpy(synthetic_log_mel(frames, seed=seed))


def setUpModule():
    # Steps are small, and on a busy machine two threads wait for each other longer than they work.
    torch.set_num_threads(1)


class Feeds(unittest.TestCase):
    def test_every_frame_is_final_once(self):
        for mel_frames in (1, 4, 5, 31, 32, 63, 64, 65, 586):
            for shape in (BlockShape(8, 8), BlockShape(4, 0), BlockShape(2, 5), BlockShape(1000, 64)):
                steps = list(feeds(mel_frames, shape))
                self.assertEqual(sum(s.final for s in steps), (mel_frames + 3) // 4)
                self.assertEqual(sum(s.frames for s in steps), (mel_frames + 3) // 4)
                self.assertEqual([s.mel.stop for s in steps[:-1]], [s.mel.start for s in steps[1:]])
                self.assertTrue(all((s.mel.stop - s.mel.start) % 4 == 0 or s.mel.stop == mel_frames for s in steps))


class Invariants(unittest.TestCase):
    @classmethod
    @torch.inference_mode()
    def setUpClass(cls):
        cls.plain = ConformerCTC.load(MODEL)
        cls.fused = ConformerCTC.load(MODEL).fuse()

    @torch.inference_mode()
    def test_fused_is_plain(self):
        for frames in (1, 2, 3, 4, 5, 6, 7, 90):
            mel = speech_like(frames)
            torch.testing.assert_close(self.fused(mel), self.plain(mel), atol=TOLERANCE, rtol=0)
        mel, shape = speech_like(421), BlockShape(8, 8)
        torch.testing.assert_close(
            run(TorchStream(self.fused, shape).step, mel, shape),
            run(TorchStream(self.plain, shape).step, mel, shape), atol=TOLERANCE, rtol=0)

    @torch.inference_mode()
    def test_one_block_over_everything_is_full_context(self):
        for frames in (5, 6, 255, 256):
            mel, shape = speech_like(frames), BlockShape(100, 20)
            block = run(TorchStream(self.plain, shape).step, mel, shape)
            torch.testing.assert_close(block, self.plain(mel), atol=TOLERANCE, rtol=0)

    @torch.inference_mode()
    def test_subsampling_in_parts_is_whole(self):
        # In double precision: where a product is cut changes the rounding of its sums.
        torch.set_default_dtype(torch.float64)
        self.addCleanup(torch.set_default_dtype, torch.float32)
        model = ConformerCTC.load(MODEL).double()
        for frames in (61, 62, 63, 64):
            mel = speech_like(frames)
            subsampling = model.encoder.pre_encode
            whole, _ = subsampling.step(mel, model.subsampling_cache())
            cache, parts = model.subsampling_cache(), []
            for part in mel.split(12, dim=1):
                hidden, cache = subsampling.step(part, cache)
                parts.append(hidden)
            torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-9, rtol=0)

    @torch.inference_mode()
    def test_plain_chunks_are_a_mask_over_the_whole(self):
        """Chunks with caches, step by step, equal one pass over all frames in which each frame is
        kept from what its chunk does not see: an independent way to the same numbers. Without edge
        kernels, which are no mask."""
        model = ConformerCTC.load(MODEL)
        for layer in model.encoder.layers:
            layer.conv.edge_kernels = None
        for chunk, left, frames in ((4, 64, 90), (3, 6, 40), (5, 0, 23)):
            mel, shape = speech_like(4 * frames - 1), BlockShape(chunk, 0, left)
            by_steps = run(TorchStream(model, shape).step, mel, shape)
            whole = masked_log_probs(model, mel, chunk, left)
            torch.testing.assert_close(by_steps, whole, atol=TOLERANCE, rtol=0)
            self.assertGreater((whole - model(mel)).abs().max().item(), 0.1)

    @torch.inference_mode()
    def test_streams_of_a_batch_do_not_mix(self):
        one, other = speech_like(90, seed=2), speech_like(90, seed=3)
        both = self.plain(torch.cat([one, other]))
        torch.testing.assert_close(both[:1], self.plain(one), atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(both[1:], self.plain(other), atol=TOLERANCE, rtol=0)

    def test_a_missing_tensor_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            tensors = load_file(MODEL / "model.safetensors")
            del tensors["encoder.layers.3.norm_out.bias"]
            save_file(tensors, f"{folder}/model.safetensors")
            shutil.copy(MODEL / "config.json", folder)
            with self.assertRaisesRegex(ValueError, r"encoder\.layers\.3\.norm_out\.bias"):
                ConformerCTC.load(Path(folder))


def masked_log_probs(model: ConformerCTC, mel: torch.Tensor, chunk: int, left: int) -> torch.Tensor:
    """Plain chunks as one pass with masks, written out with no caches and no shift of positions."""
    x, _ = model.encoder.pre_encode.step(model.normalize(mel), model.subsampling_cache())
    x = x[0]
    n, d = x.shape
    frame = torch.arange(n)
    query, key = frame[:, None], frame[None]
    start = query // chunk * chunk
    visible = (key < start + chunk) & (key >= start - left)
    for layer in model.encoder.layers:
        x = x + 0.5 * layer.feed_forward1(layer.norm_feed_forward1(x))
        a, normed = layer.self_attn, layer.norm_self_att(x)
        h, depth = a.heads, d // a.heads
        q, k, v = (f(normed).view(n, h, depth) for f in (a.linear_q, a.linear_k, a.linear_v))
        distance = (query - key).double()[:, :, None]
        angle = distance * 10_000 ** (-torch.arange(0, d, 2).double() / d)
        encoding = torch.stack([angle.sin(), angle.cos()], -1).flatten(2).float()  # [n, n, d]
        p = a.linear_pos(encoding).view(n, n, h, depth)
        scores = torch.einsum("ihe,jhe->hij", q + a.pos_bias_u, k)
        scores = scores + torch.einsum("ihe,ijhe->hij", q + a.pos_bias_v, p)
        weights = (scores / depth**0.5).masked_fill(~visible, -torch.inf).softmax(-1)
        x = x + a.linear_out(torch.einsum("hij,jhe->ihe", weights, v).flatten(1))
        c = layer.conv
        gated = torch.nn.functional.glu(c.pointwise_conv1(layer.norm_conv(x).T), dim=0)  # [d, n]
        rows = []
        for i in range(n):
            # The frames of later chunks are zeros to this one.
            seen = torch.where(frame < i // chunk * chunk + chunk, gated, torch.zeros(()))
            window = torch.nn.functional.pad(seen, (c.side, c.side))[:, i : i + 2 * c.side + 1]
            rows.append((window * c.depthwise_conv.weight[:, 0]).sum(1) + c.depthwise_conv.bias)
        convolved = torch.nn.functional.silu(c.batch_norm(torch.stack(rows)))
        x = x + c.pointwise_conv2(convolved.T).T
        x = x + 0.5 * layer.feed_forward2(layer.norm_feed_forward2(x))
        x = layer.norm_out(x)
    return model.log_probs(x[None])


@needs_goldens
class Goldens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = ConformerCTC.load(FIRST)
        cls.goldens = {path.stem: load_file(path) for path in sorted(GOLDENS.glob("*.safetensors"))}

    def close(self, found: torch.Tensor, golden: torch.Tensor, what: str):
        self.assertEqual(found.shape, golden.shape, what)
        self.assertLess((found - golden).abs().max().item(), TOLERANCE, what)

    def test_there_are_goldens(self):
        self.assertGreaterEqual(len(self.goldens), 2)

    @torch.inference_mode()
    def test_normalised_features(self):
        for name, golden in self.goldens.items():
            self.close(self.model.normalize(golden["log_mel"]), golden["features"], name)

    @torch.inference_mode()
    def test_full_context(self):
        for name, golden in self.goldens.items():
            self.close(self.model(golden["log_mel"][None])[0], golden["full.log_probs"], name)

    @torch.inference_mode()
    def test_blocks(self):
        seen = 0
        for name, golden in self.goldens.items():
            for key in golden:
                if not (key.startswith("block") and key.endswith("_left64.log_probs")):
                    continue
                mode = key.removesuffix(".log_probs")
                c, r = map(int, mode.removeprefix("block").removesuffix("_left64").split("+"))
                self.blocks(golden, mode, BlockShape(c, r, 64), f"{name} {mode}")
                seen += 1
        self.assertGreaterEqual(seen, 5)

    def blocks(self, golden: dict[str, torch.Tensor], mode: str, shape: BlockShape, what: str):
        mel, stream = golden["log_mel"][None], TorchStream(self.model, shape)
        log_probs, look_ahead, layers = [], [], {0: [], 7: [], 15: []}
        for feed in feeds(mel.shape[1], shape):
            block = stream.step(mel[:, feed.mel], keep_layers=True)[0]
            log_probs.append(block[: feed.final])
            look_ahead.append(block[feed.final :])
            for index, rows in layers.items():
                rows.append(stream.hidden[index][0, : feed.final])
        self.close(torch.cat(log_probs), golden[f"{mode}.log_probs"], what)
        for index, rows in layers.items():
            self.close(torch.cat(rows), golden[f"{mode}.layer{index}"], f"{what} layer {index}")
        for step, rows in enumerate(golden.get(f"{mode}.look_ahead_log_probs", [])):
            self.close(look_ahead[step], rows, f"{what} look-ahead of step {step}")

    def test_log_mel(self):
        try:
            import soundfile
        except ImportError:
            self.skipTest("needs soundfile")
        for name, golden in self.goldens.items():
            samples, _ = soundfile.read(GOLDENS.parent / f"{name}.flac", dtype="float32")
            found, expected = log_mel(samples), golden["log_mel"].numpy()
            self.assertEqual(found.shape, expected.shape)
            self.assertLess(np.abs(found - expected).max(), TOLERANCE, name)


if __name__ == "__main__":
    unittest.main()
