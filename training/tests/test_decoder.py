"""The attention decoder against goldens and itself; alignments against brute force."""

import itertools
import json
import unittest

import numpy as np
import torch
from safetensors.torch import load_file

from support import FIRST, GOLDENS, needs_goldens
from starling_training.alignment import spikes
from starling_training.decoder import BidirectionalDecoder, teacher_forced
from starling_training.losses import blurred, distillation, fits, guide


class Goldens(unittest.TestCase):
    @needs_goldens
    @torch.inference_mode()
    def test_scores_of_texts(self):
        decoder = BidirectionalDecoder.load(FIRST)
        lines = [json.loads(line) for line in (GOLDENS / "nbest.jsonl").read_text().splitlines()]
        lines = [line for line in lines if line["mode"] == "full"]
        self.assertGreater(len(lines), 4)
        for name in {line["utterance"] for line in lines}:
            texts = [line for line in lines if line["utterance"] == name]
            golden = load_file(GOLDENS / f"{name}.safetensors")
            memory = golden["full.layer15"][None].expand(len(texts), -1, -1)
            seen = torch.ones(memory.shape[:2], dtype=torch.bool)
            for direction, backwards in decoder.directions():
                inputs, outputs = teacher_forced([t["tokens"] for t in texts], 1024, backwards)
                log_probs = direction(inputs, memory, seen)[0]
                real = log_probs.gather(2, outputs.clamp(min=0)[:, :, None])[:, :, 0] * (outputs >= 0)
                expected = torch.tensor([t["right" if backwards else "left"] for t in texts])
                torch.testing.assert_close(real.sum(1), expected, atol=2e-2, rtol=0)


class Places(unittest.TestCase):
    @unittest.skipUnless(FIRST, "the shipped decoder reads places already, and ../shared has no first one")
    @torch.inference_mode()
    def test_given_to_a_decoder(self):
        """They mean nothing at first; then the order of the frames matters, which it does not without."""
        plain, placed = BidirectionalDecoder.load(FIRST), BidirectionalDecoder.load(FIRST, 10)
        torch.manual_seed(4)
        memory, seen = torch.randn(2, 30, plain.config.encoder_width), torch.ones(2, 30, dtype=torch.bool)
        tokens = torch.randint(0, 1024, (2, 6))
        for (without, _), (with_places, _) in zip(plain.directions(), placed.directions()):
            expected = without(tokens, memory, seen)[0]
            torch.testing.assert_close(with_places(tokens, memory, seen)[0], expected, atol=1e-4, rtol=0)
            torch.testing.assert_close(without(tokens, memory.flip(1), seen)[0], expected, atol=1e-4, rtol=0)
            for layer in with_places.layers:
                layer.src_attn.linear_k.weight[:, -10:] = torch.randn(plain.config.d_model, 10)
            moved = [with_places(tokens, m, seen)[0] for m in (memory, memory.flip(1))]
            self.assertGreater((moved[0] - moved[1]).abs().max(), 0.1)


class Alignments(unittest.TestCase):
    def test_brute_force(self):
        rng = np.random.default_rng(1)
        for frames, classes in itertools.product((3, 5), ([1], [1, 2], [2, 2], [1, 2, 1])):
            if not fits(classes, frames):
                continue
            log_probs = np.log(rng.dirichlet(np.ones(4) * 0.5, size=frames))
            best = max(
                (path for path in itertools.product(range(4), repeat=frames) if collapsed(path, 3) == classes),
                key=lambda path: sum(log_probs[t, c] for t, c in enumerate(path)))
            runs, start = [], 0
            for value, run in itertools.groupby(best):
                length = len(list(run))
                if value != 3:
                    runs.append(max(range(start, start + length), key=lambda t: log_probs[t, value]))
                start += length
            self.assertEqual(spikes(log_probs, classes, 3).tolist(), runs)

    def test_long_text(self):
        """Of 300 classes, each in the second of three frames."""
        log_probs = np.full((900, 4), -5.0)
        classes = [t % 3 for t in range(300)]
        log_probs[:, 3] = -0.1
        log_probs[np.arange(300) * 3 + 1, classes] = -0.01
        self.assertEqual(spikes(log_probs, classes, 3).tolist(), [3 * i + 1 for i in range(300)])

    def test_blurred_distillation(self):
        """A spike one frame late costs much without a reach and little with one; padding counts nothing."""
        def spiky(frame: int) -> torch.Tensor:
            logits = torch.zeros(1, 12, 4)
            logits[0, :, 3] = 6
            logits[0, frame] = torch.tensor([8.0, 0, 0, 0])
            return logits.log_softmax(-1)

        inside = torch.arange(12)[None] < 9
        sharp = distillation(spiky(4), spiky(5), inside).item()
        self.assertLess(distillation(spiky(4), spiky(5), inside, 2).item(), sharp / 3)
        self.assertAlmostEqual(distillation(spiky(4), spiky(4), inside, 2).item(), 0, places=6)
        self.assertAlmostEqual(distillation(spiky(10), spiky(11), inside, 2).item(), 0, places=6)
        # By hand: frame 0 of the mean over frames 0 and 1.
        random = torch.randn(1, 12, 4).log_softmax(-1)
        expected = random.exp()[0, :2].mean(0).log()
        torch.testing.assert_close(blurred(random, inside, 1)[0, 0], expected)
        torch.testing.assert_close(blurred(random, inside, 1)[0, 8], random.exp()[0, 7:9].mean(0).log())

    def test_guide_is_zero_where_all_weight_is_near(self):
        weights = torch.full((1, 2, 2, 9), -50.0)
        weights[0, :, 0, 3] = weights[0, :, 1, 8] = 0
        self.assertLess(guide([weights], torch.tensor([[4, 7]])).item(), 1e-5)
        self.assertGreater(guide([weights], torch.tensor([[0, -1]])).item(), 10)


def collapsed(path: tuple[int, ...], blank: int) -> list[int]:
    return [value for value, _ in itertools.groupby(path) if value != blank]


if __name__ == "__main__":
    unittest.main()
