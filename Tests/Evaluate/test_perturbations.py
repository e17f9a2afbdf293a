"""Perturbed audio has the property it is named for, and is the same with the same seed."""

import shutil
import unittest

from support import SAMPLES, FolderTest

try:
    import numpy as np
    from evaluation import perturbations
except ImportError:
    np = None

SAMPLE = SAMPLES / "telephone-8khz.wav"


@unittest.skipUnless(np, "numpy is not installed")
@unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not installed")
class PerturbationTests(FolderTest):
    def made(self, condition: str, seed: str = "1"):
        return perturbations.samples(perturbations.make(condition, SAMPLE, self.folder / f"{condition}-{seed}", seed))

    def setUp(self):
        super().setUp()
        self.clean = perturbations.samples(SAMPLE)

    def test_the_same_seed_makes_the_same_file(self):
        for condition in perturbations.names():
            with self.subTest(condition):
                first = perturbations.make(condition, SAMPLE, self.folder / "a", "1")
                second = perturbations.make(condition, SAMPLE, self.folder / "b", "1")
                self.assertTrue(np.array_equal(perturbations.samples(first), perturbations.samples(second)))
        self.assertFalse(np.array_equal(self.made("white-noise-10dB", "1"), self.made("white-noise-10dB", "2")))

    def test_signal_to_noise_ratio(self):
        for condition, expected in [("white-noise-20dB", 20), ("pink-noise-5dB", 5), ("white-noise-0dB", 0)]:
            with self.subTest(condition):
                mixed = self.made(condition)
                # The speech within: the projection on the clean samples.
                scale = mixed @ self.clean / (self.clean @ self.clean)
                noise = mixed - scale * self.clean
                ratio = 10 * np.log10(scale**2 * perturbations.power(self.clean) / perturbations.power(noise))
                self.assertAlmostEqual(ratio, expected, delta=0.3)

    def test_pink_noise_falls_with_frequency(self):
        def octave(condition: str, low: float) -> float:
            spectrum = np.abs(np.fft.rfft(self.made(condition) - self.clean)) ** 2
            bin = len(self.clean) / perturbations.RATE
            return spectrum[int(low * bin) : int(2 * low * bin)].mean()

        falls = {kind: octave(f"{kind}-noise-0dB", 125) / octave(f"{kind}-noise-0dB", 3900) for kind in ("white", "pink")}
        self.assertGreater(falls["pink"], 4 * falls["white"])

    def test_rooms_are_longer_and_no_louder(self):
        heard = self.made("room-0.6s")
        self.assertEqual(len(heard), len(self.clean) + int(0.6 * 16000) - 1)
        self.assertLessEqual(perturbations.power(heard), perturbations.power(self.clean) * 1.001)

    def test_speed_gain_and_clipping(self):
        self.assertAlmostEqual(len(self.made("speed-1.25")) / len(self.clean), 1 / 1.25, delta=0.01)
        quiet = 10 * np.log10(perturbations.power(self.made("quiet-20dB")) / perturbations.power(self.clean))
        self.assertAlmostEqual(quiet, -20, delta=0.1)
        clipped = np.abs(self.made("clipped-20%"))
        self.assertAlmostEqual(np.mean(clipped > 0.999 * clipped.max()), 0.2, delta=0.02)

    def test_codecs_stay_in_their_containers(self):
        for condition, suffix, mark in [("opus-6k", ".opus", b"OggS"), ("mp3-16k", ".mp3", b""), ("telephone", ".wav", b"RIFF")]:
            file = perturbations.make(condition, SAMPLE, self.folder / condition, "1")
            self.assertEqual(file.suffix, suffix)
            self.assertTrue(file.read_bytes().startswith(mark))
            self.assertAlmostEqual(len(perturbations.samples(file)) / len(self.clean), 1, delta=0.05)

    def test_what_cannot_be_read(self):
        with self.assertRaisesRegex(perturbations.PerturbationError, "ffmpeg: "):
            perturbations.make("telephone", self.write("x.wav", b"nothing"), self.folder / "x", "1")


if __name__ == "__main__":
    unittest.main()
