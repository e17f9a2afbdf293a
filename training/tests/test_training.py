"""The loop on a small model and real speech."""

import argparse
import csv
import dataclasses
import json
import math
import shutil
import signal
import tempfile
import unittest
import wave
from pathlib import Path

import torch
from safetensors.torch import save_file

from support import MODEL, ROOT
from starling_training import checkpoint, commands, language
from starling_training.audio import AudioStore
from starling_training.augment import Augmentation
from starling_training.blocks import frames_of
from starling_training.checkpoint import load_model
from starling_training.config import ModelConfig
from starling_training.corpora import CorpusError
from starling_training.decoder import BidirectionalDecoder, DecoderConfig
from starling_training.evaluate import transcribe
from starling_training.frozen import FrozenOutputs
from starling_training.model import ConformerCTC
from starling_training.pieces import Pieces, spoken
from starling_training.recipe import Blocks, Losses, NewDecoder, Recipe, RecipeError, Schedule, VariantSettings
from starling_training.train import Log, Trainer
from starling_training.batches import Epoch, Loader

SAMPLES = ROOT / "audio-samples"


def small_model(folder: Path) -> Path:
    """A folder of a random model of two narrow layers with the shipped one's pieces and statistics, without edge kernels."""
    folder.mkdir(parents=True)
    shutil.copy(MODEL / "tokens.txt", folder)
    fields = json.loads((MODEL / "config.json").read_text())
    fields["encoder"] |= {"n_layers": 2, "d_model": 64, "d_feed_forward": 128, "conv_kernel_size": 15, "subsampling_channels": 16}
    del fields["decoder"], fields["encoder"]["edge_taps"]
    (folder / "config.json").write_text(json.dumps(fields))
    torch.manual_seed(3)
    model = ConformerCTC(ModelConfig.load(folder / "config.json"))
    shipped = ConformerCTC.load(MODEL)
    model.cmvn_mean, model.cmvn_istd = shipped.cmvn_mean, shipped.cmvn_istd
    save_file({}, folder / "model.safetensors")
    checkpoint.save_model(model, folder, folder)
    return folder


class Texts(unittest.TestCase):
    def test_spoken(self):
        self.assertEqual(spoken("He said: ‘It’s  5 o’clock!’"), "he said it's 5 o'clock")
        self.assertEqual(spoken("'tis  the dogs' day"), "'tis the dogs' day")

    def test_pieces(self):
        """The best path is what trying all of them finds, and texts come back."""
        pieces = Pieces(MODEL / "tokens.txt")

        def best(rest: str) -> float:
            return 0.0 if not rest else max(
                (score + best(rest[n:]) for n in range(1, len(rest) + 1)
                 for _, score in [pieces.scores.get(rest[:n], (-1, -math.inf))] if score > -math.inf), default=-math.inf)

        for word in ("the", "lantern", "o'clock", "prognostic"):
            classes = pieces.encode(word)
            total = sum(pieces.scores[pieces.pieces[c]][1] for c in classes)
            self.assertAlmostEqual(total, best("▁" + word), places=6)
        text = "be careful with your prognostications said the stranger"
        self.assertEqual(pieces.decode(pieces.encode(text)), text)
        self.assertIsNone(pieces.encode("25 of them"))


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = Path(cls.scratch.name)
        corpus = cls.folder / "corpus"
        corpus.mkdir()
        texts = dict(line.split("\t")[:2] for line in (SAMPLES / "texts.tsv").read_text().splitlines() if "\t" in line)
        for name in sorted(texts)[:4]:
            if (SAMPLES / name).suffix in (".flac", ".wav", ".ogg", ".opus", ".mp3"):
                shutil.copy(SAMPLES / name, corpus)
                (corpus / name).with_suffix(".txt").write_text(texts[name])
        cls.corpus = corpus
        cls.model = small_model(cls.folder / "model")

    def recipe(self, **changes) -> Recipe:
        return dataclasses.replace(Recipe(
            corpora=(str(self.corpus),), model=str(self.model),
            schedule=Schedule(hours=1e9, rate=2e-3, warmup_steps=5, batch_seconds=30, average=0.5),
            blocks=(Blocks(4, 4, (16,)), Blocks(0)), losses=Losses(distillation=0, ctc=1), edge_taps=3, bfloat16=False), **changes)

    def trainer(self, name: str, recipe: Recipe) -> Trainer:
        AudioStore.prepare([self.corpus], self.folder / name / "audio", lambda _: None, 1)
        return Trainer(recipe, self.folder / name)

    def test_one_batch_overfits(self):
        trainer = self.trainer("overfit", self.recipe())
        loader = Loader(trainer.store, trainer.store.recordings, trainer.pieces, None, 1)
        shortest = sorted(trainer.store.recordings, key=lambda r: r.samples)[:2]
        batch = loader.load([i for i in Epoch(shortest, 60, (1.0,), 1, 0).batches[0]], 0, 0)
        first = trainer.step(batch)["loss"]
        for _ in range(250):
            last = trainer.step(batch)["loss"]
        self.assertLess(last, first / 50)
        for shape in (None, Blocks(4, 4).shape(16)):
            heard = transcribe(trainer.student.encoder, trainer.pieces, trainer.store, shortest, shape)
            self.assertEqual(heard, [r.text for r in shortest])

    def test_full_context_has_its_own_weight_of_ctc(self):
        trainer = self.trainer("own", self.recipe(teacher=str(self.model), losses=Losses(1.0, ctc=0.5, full_ctc=0.0)))
        loader = Loader(trainer.store, trainer.store.recordings, trainer.pieces, None, 1)
        batch = loader.load([i for i in Epoch(trainer.store.recordings, 60, (1.0,), 1, 0).batches[0]], 0, 0)
        self.assertEqual(set(trainer.loss(batch, None)[1]), {"distillation"})
        self.assertEqual(set(trainer.loss(batch, Blocks(4, 4).shape(16))[1]), {"distillation", "ctc"})

    def test_edges_alone_leave_full_context_as_it_is(self):
        recipe = self.recipe(trains="edges", blocks=(Blocks(4, 4, (16,)),))
        trainer = self.trainer("edges", recipe)
        before = {name: value.clone() for name, value in trainer.student.state_dict().items()}
        trainer.run(until_hours=1e-6)
        changed = {name for name, value in trainer.student.state_dict().items() if not torch.equal(value, before[name])}
        self.assertEqual(changed, {name for name in before if name.endswith("edge_kernels")})
        with self.assertRaisesRegex(RecipeError, "nothing in it is trained; 'trains' is 'edges', 'edge_taps' 0"):
            self.trainer("edges", dataclasses.replace(recipe, edge_taps=0))

    def test_resumed_is_uninterrupted(self):
        """Also within an epoch, with augmentation, spliced recordings, dropout, a teacher and a drawn block size."""
        recipe = self.recipe(
            teacher=str(self.model), splice=0.3, encoder_dropout=0.1, losses=Losses(1.0, 0.5, (0, 1), 0.3), speeds=(0.9, 1.0, 1.1),
            augmentation=Augmentation(noise=0.5, reverb=0.5, telephone=0.5, codec=0.5),
            schedule=Schedule(hours=1e9, rate=1e-3, warmup_steps=5, batch_seconds=12))
        whole = self.trainer("whole", recipe)
        length = sum(r.samples for r in whole.store.recordings) / 16000 / 3600
        whole.run(until_hours=2.5 * length)
        self.assertGreater(whole.progress.epoch, 1)
        parts = self.trainer("parts", recipe)
        for share in (0.6, 1.2, 2.5):
            parts.run(until_hours=share * length)
            parts = self.trainer("parts", recipe)
        self.assertEqual(parts.progress, whole.progress)
        for name in ("student", "average"):
            expected, found = (getattr(t, name).state_dict() for t in (whole, parts))
            for key in expected:
                self.assertTrue(torch.equal(expected[key], found[key]), f"{name} {key}")
        logs = [list(csv.DictReader((self.folder / name / "log.csv").read_text().splitlines())) for name in ("whole", "parts")]
        expected, found = ([row | {"audio_hours_per_hour": ""} for row in rows] for rows in logs)
        self.assertEqual(found, expected)

    def test_spliced_recordings(self):
        """As long as what they stand for, without a text, of pieces that the store has, the same ones every time."""
        trainer = self.trainer("spliced", self.recipe())
        recordings = trainer.store.recordings
        # One recording to take pieces from, so that they can be found again.
        loader = Loader(trainer.store, recordings[:1], trainer.pieces, None, 1, splice=1.0)
        items = Epoch(recordings, 1000, (1.0,), 1, 0).batches[0]
        batch, again, other = (loader.load(items, 0, number) for number in (0, 0, 1))
        self.assertTrue(torch.equal(batch.clean, again.clean))
        self.assertFalse(torch.equal(batch.clean, other.clean))
        self.assertEqual(batch.targets, [None] * len(items))
        self.assertEqual(batch.lengths.tolist(), [item.samples for item in items])
        source = torch.from_numpy(trainer.store.samples(recordings[0]))
        quarter = 4000  # within the first piece, which lasts a second or more, and beyond its fading in
        for row in batch.clean:
            part = row[quarter : 2 * quarter]
            self.assertTrue((source.unfold(0, quarter, 1) == part).all(1).any())

    def test_dropout_of_the_encoder(self):
        """Changes what training hears, by a seed, and nothing else."""
        model, mel = load_model(self.model), torch.randn(1, 90, 80)
        def heard(dropout: float, seed: int) -> torch.Tensor:
            torch.manual_seed(seed)
            return frames_of(model, mel, Blocks(4, 4).shape(16), dropout=dropout)[0]
        self.assertTrue(torch.equal(heard(0.5, 1), heard(0.5, 1)))
        self.assertFalse(torch.allclose(heard(0.5, 1), heard(0.5, 2)))
        self.assertTrue(torch.equal(heard(0.0, 1), heard(0.0, 2)))

    def test_decoder_overfits(self):
        """A new decoder with an auxiliary head learns a batch by heart; the encoder stays as it is."""
        recipe = self.recipe(
            trains="decoder", decoder=NewDecoder(1, 1, (0,)),
            losses=Losses(distillation=0, attention=1, guide=0.3, smoothing=0))
        trainer = self.trainer("decoder", recipe)
        loader = Loader(trainer.store, trainer.store.recordings, trainer.pieces, None, 1)
        shortest = sorted(trainer.store.recordings, key=lambda r: r.samples)[:2]
        batch = loader.load([i for i in Epoch(shortest, 60, (1.0,), 1, 0).batches[0]], 0, 0)
        before = {k: v.clone() for k, v in trainer.student.encoder.state_dict().items()}
        rows = [trainer.step(batch) for _ in range(150)]
        self.assertLess(rows[-1]["attention"], 0.05)
        self.assertLess(rows[-1]["guide"], rows[0]["guide"] / 2)
        for key, value in trainer.student.encoder.state_dict().items():
            self.assertTrue(torch.equal(value, before[key]), key)
        # What the decoder heard is what the encoder says, to bfloat16.
        for shape in (None, Blocks(4, 4).shape(16)):
            kept, lengths = trainer.frozen.batch(batch.recordings, shape)
            mel, frames = trainer.front_end(batch.clean, batch.lengths)
            with torch.no_grad():
                hidden, expected, _ = frames_of(trainer.student.encoder, mel, shape, frames)
            self.assertEqual(lengths.tolist(), expected.tolist())
            for row, said, n in zip(kept, hidden, lengths.tolist()):
                torch.testing.assert_close(row[:n], said[:n], atol=2e-2, rtol=1e-2)
                self.assertEqual(row[n:].abs().sum(), 0)
        # Recordings of different corpora may have the same id.
        trainer.store.recordings = [dataclasses.replace(r, id="same") for r in trainer.store.recordings]
        alike = FrozenOutputs(self.folder / "alike", trainer.student.encoder, trainer.store, [None], bfloat16=False)
        for recording in shortest:
            found, expected = (outputs.batch([recording], None)[0] for outputs in (alike, trainer.frozen))
            torch.testing.assert_close(found, expected, atol=2e-2, rtol=1e-2)
        trainer.held_out = shortest
        with Log(self.folder / "decoder/log.csv", True) as log:
            trainer.validate(log)
        row = next(csv.DictReader((self.folder / "decoder/log.csv").read_text().splitlines()))
        self.assertEqual(row["wer full"], "")
        for way in ("left full", "right full"):
            self.assertLess(float(row[way]), 0.3)
        trainer.save()
        saved = BidirectionalDecoder.load(self.folder / "decoder/model")
        self.assertEqual(saved.config.auxiliary_heads, (0,))
        torch.testing.assert_close(
            saved.left.embed.weight, trainer.average.decoder.left.embed.weight, atol=1e-3, rtol=1e-3)

    def test_variants(self):
        """Self-conditioning and gates change nothing at first; both learn; the engine gets no such model."""
        plain = self.trainer("plain", self.recipe())
        loader = Loader(plain.store, plain.store.recordings, plain.pieces, None, 1)
        shortest = sorted(plain.store.recordings, key=lambda r: r.samples)[:2]
        batch = loader.load([i for i in Epoch(shortest, 60, (1.0,), 1, 0).batches[0]], 0, 0)
        losses = Losses(distillation=0, ctc=1, intermediate=0.5, gates=2)
        for name, settings in (
            ("conditioned", VariantSettings((0,), True)), ("gated", VariantSettings(gates=True, openness=0.5)),
        ):
            trainer = self.trainer(name, self.recipe(variants=settings, losses=losses))
            trainer.student.variants.eval()
            first = plain.loss(batch, None)[1]["ctc"]
            self.assertAlmostEqual(trainer.loss(batch, None)[1]["ctc"], first, places=5)
            trainer.student.variants.train()
            rows = [trainer.step(batch) for _ in range(60)]
            self.assertLess(rows[-1]["ctc"], rows[0]["ctc"] / 2)
            if settings.gates:
                self.assertLess(rows[-1]["gates"], 0.2)
            trainer.save()
            self.assertFalse((self.folder / name / "model").exists())

    def test_language_model(self):
        """It learns what follows what, comes back from its folder, and teaches a decoder."""
        pieces = Pieces(MODEL / "tokens.txt")
        texts = ["the cat sat on the mat", "a dog ran in the park", "the cat ran on the mat"] * 40
        model = language.train(texts, pieces, 1024, epochs=6, tokens_per_batch=100, report=lambda _: None)
        folder = self.folder / "language"
        model.save(folder, MODEL / "tokens.txt")
        loaded = language.LanguageModel.load(folder)
        known, strange = ([pieces.encode(text)] for text in ("the cat sat on the mat", "mat the on dog park a"))
        self.assertLess(language.perplexity(loaded, known), language.perplexity(loaded, strange) / 20)
        recipe = self.recipe(
            trains="joint", decoder=NewDecoder(1, 0), language_model=str(folder),
            losses=Losses(distillation=0, ctc=0.3, attention=0.5, language=0.2))
        trainer = self.trainer("taught", recipe)
        loader = Loader(trainer.store, trainer.store.recordings, trainer.pieces, None, 1)
        batch = loader.load([Epoch(trainer.recordings[:1], 60, (1.0,), 1, 0).batches[0][0]], 0, 0)
        rows = [trainer.step(batch) for _ in range(40)]
        self.assertLess(rows[-1]["language"], rows[0]["language"])
        self.assertLess(rows[-1]["attention"], rows[0]["attention"])

    def test_saved_is_trained(self):
        """A model's folder gives the log-probabilities of the model in memory, to fp16."""
        trainer = self.trainer("saved", self.recipe())
        trainer.run(until_hours=1e-6)
        loaded = load_model(self.folder / "saved/model")
        self.assertEqual(loaded.config.edge_taps, 3)
        mel = torch.randn(1, 90, 80) * 2 - 8
        with torch.inference_mode():
            for shape in (None, Blocks(4, 4).shape(16)):
                found, expected = (m.log_probs(frames_of(m, mel, shape)[0]) for m in (loaded, trainer.average.encoder))
                torch.testing.assert_close(found, expected, atol=2e-2, rtol=0)
        tensor = load_model(self.folder / "saved/model").encoder.layers[0].conv.edge_kernels
        self.assertGreater(tensor.abs().max().item(), 0)

    def test_corrupt_audio_is_named_and_left_out(self):
        corpus = self.folder / "corrupt"
        shutil.copytree(self.corpus, corpus)
        (corpus / "bad.flac").write_bytes(b"fLaC" + bytes(100))
        (corpus / "bad.txt").write_text("no such words")
        with wave.open(str(corpus / "short.wav"), "wb") as file:
            file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
            file.writeframes(bytes(200))
        (corpus / "short.txt").write_text("hm")
        said: list[str] = []
        store = AudioStore.prepare([corpus], self.folder / "corrupt-audio", said.append, 2)
        good = AudioStore.prepare([self.corpus], self.folder / "good-audio", lambda _: None, 1)
        self.assertEqual([r.id for r in store.recordings], [r.id for r in good.recordings])
        self.assertTrue(any("bad.flac: left out: " in line for line in said), said)
        self.assertTrue(any("short.wav: left out: lasts 0.01 s" in line for line in said), said)
        again = AudioStore.prepare([corpus], self.folder / "corrupt-audio", self.fail)
        self.assertEqual(again.recordings, store.recordings)

    def test_empty_corpora_are_refused(self):
        empty = self.folder / "empty"
        empty.mkdir()
        with self.assertRaisesRegex(CorpusError, "no corpus: expected"):
            AudioStore.prepare([empty], self.folder / "none")
        (empty / "manifest.tsv").write_text("path\tspeaker\tseconds\ttext\n")
        with self.assertRaisesRegex(CorpusError, "expected utterances, found none"):
            AudioStore.prepare([empty], self.folder / "none")
        (empty / "manifest.tsv").write_text("path\tspeaker\tseconds\ttext\ngone.wav\t-\t1\tgone\n")
        with self.assertRaisesRegex(CorpusError, "none of 1 utterances can be used"):
            AudioStore.prepare([empty], self.folder / "none", lambda _: None)

    def test_epochs(self):
        """Every utterance once an epoch, no batch too long, processes with as many batches each."""
        store = AudioStore.prepare([self.corpus], self.folder / "epochs", lambda _: None, 1)
        recordings = [dataclasses.replace(r, id=f"{r.id}-{i}") for i in range(9) for r in store.recordings]
        longest = max(r.seconds for r in recordings)
        epoch = Epoch(recordings, longest * 2, (1.0,), 1, 0)
        self.assertEqual(sorted(i.recording.id for b in epoch.batches for i in b), sorted(r.id for r in recordings))
        for batch in epoch.batches:
            self.assertLessEqual(len(batch) * max(i.samples for i in batch), longest * 2 * 16000)
        self.assertEqual(len(Epoch(recordings, longest * 2, (1.0,), 1, 0, multiple=4).batches) % 4, 0)
        self.assertNotEqual(
            [i.recording.id for b in epoch.batches for i in b],
            [i.recording.id for b in Epoch(recordings, longest * 2, (1.0,), 1, 1).batches for i in b])
        self.assertTrue(0 <= epoch.padding < 0.5)

    def test_bad_recipes(self):
        path = self.folder / "recipe.toml"
        good = 'corpora = ["c"]\nmodel = "m"\nteacher = "t"\n[schedule]\nhours = 1\n[[blocks]]\nnew_frames = 8\n'
        path.write_text(good)
        self.assertEqual(Recipe.load(path).blocks, (Blocks(8),))
        for text, message in (
            (good.replace("hours = 1", 'hours = "1"'), "'schedule': 'hours': expected float, found '1'"),
            (good.replace("hours = 1", ""), "'schedule': no field 'hours'"),
            (good + "ahead = 1", "unknown field 'ahead'"),
            (good.replace("new_frames = 8", "new_frames = -8"), "expected new_frames"),
            (good.replace('teacher = "t"', ""), "need 'teacher'"),
            (good.replace('corpora = ["c"]', 'corpora = "c"'), "expected a list, found 'c'"),
            (good.replace("[schedule]", "splice = 0.5\n[schedule]") + "[losses]\ndistillation = 0\n", "'splice' is 0.5 without"),
            (good.replace("= 8", "= 0").replace("[schedule]", 'trains = "edges"\n[schedule]'), "edge kernels act in nothing"),
            ("x = ", "recipe.toml: "),
        ):
            path.write_text(text)
            with self.assertRaisesRegex(RecipeError, message):
                Recipe.load(path)

    def test_fine_tuning(self):
        """The command: the tuned model, its mean with the first one, a table of all three; signals are as they were."""
        folder, before = self.folder / "tuned", signal.getsignal(signal.SIGTERM)
        commands.finetune(argparse.Namespace(
            corpus=self.corpus, folder=folder, model=self.model, hours=0.01, rate=1e-3, hold_out=0.18, keep=[self.corpus], processes=1))
        self.assertIs(signal.getsignal(signal.SIGTERM), before)
        first, tuned, mean = (load_model(path).state_dict() for path in (self.model, folder / "tuned", folder / "model"))
        name = "encoder.layers.0.feed_forward1.linear1.weight"
        self.assertFalse(torch.equal(tuned[name], first[name]))
        torch.testing.assert_close(mean[name], (tuned[name] + first[name]) / 2, atol=1e-3, rtol=1e-3)
        rows = [line.split("|") for line in (folder / "report.md").read_text().splitlines()]
        self.assertEqual([row[1].strip() for row in rows[2:]], ["held out", self.corpus.name])
        for row in rows[2:]:
            self.assertEqual(len([float(cell) for cell in row[3:-1]]), 9)

    def test_means(self):
        """Of the tensors that all have, and of the edge kernels that there are."""
        self.trainer("mean", self.recipe()).run(until_hours=1e-6)
        trained, output = self.folder / "mean/model", self.folder / "mean/of-both"
        checkpoint.average([(trained, 1.0), (self.model, 3.0)], output)
        with_edges, without, mean = (load_model(folder).state_dict() for folder in (trained, self.model, output))
        for name, value in mean.items():
            if name.endswith("edge_kernels"):
                self.assertTrue(torch.equal(value, with_edges[name]) and value.any(), name)
            elif value.is_floating_point():
                torch.testing.assert_close(value, with_edges[name] / 4 + 3 * without[name] / 4, atol=1e-3, rtol=1e-3)
        with self.assertRaisesRegex(ValueError, "add up to nothing"):
            checkpoint.average([(trained, 1.0), (self.model, -1.0)], output)

    def test_narrow_decoder(self):
        """With units left out that say nothing a decoder says what it said; a layer that is left out is the first."""
        old = DecoderConfig(
            encoder_width=16, d_model=16, n_heads=2, d_feed_forward=12, left_layers=3, right_layers=2, vocabulary=9,
            sos_eos=8, auxiliary_heads=(0,))
        decoder = BidirectionalDecoder(old).eval()
        said = [0, 3, old.d_feed_forward - 1]
        with torch.no_grad():
            for direction, _ in decoder.directions():
                for layer in direction.layers:
                    silent = [unit for unit in range(old.d_feed_forward) if unit not in said]
                    layer.feed_forward.w_2.weight[:, silent] = 0
        tokens, memory = torch.tensor([[old.sos_eos, 1, 2]]), torch.randn(1, 7, old.encoder_width)
        seen = torch.ones(1, 7, dtype=torch.bool)
        small = decoder.narrowed(old.left_layers, old.right_layers, len(said))
        for (one, _), (other, _) in zip(decoder.directions(), small.directions(), strict=True):
            torch.testing.assert_close(one(tokens, memory, seen)[0], other(tokens, memory, seen)[0])
        short = decoder.narrowed(1, 0, len(said))
        self.assertIsNone(short.right)
        self.assertTrue(torch.equal(short.left.layers[0].norm1.weight, decoder.left.layers[-1].norm1.weight))
        with self.assertRaisesRegex(ValueError, f"expected no more than that, found {old.left_layers + 1}"):
            decoder.narrowed(old.left_layers + 1, old.right_layers, len(said))

    def test_edge_kernels_of_another_length_are_refused(self):
        self.trainer("taps", self.recipe()).run(until_hours=1e-6)
        recipe = self.recipe(model=str(self.folder / "taps/model"), edge_taps=4)
        with self.assertRaisesRegex(RecipeError, "edge kernels have 3 taps, the recipe's edge_taps are 4"):
            self.trainer("other-taps", recipe)


if __name__ == "__main__":
    unittest.main()
