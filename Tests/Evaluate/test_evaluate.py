"""scripts/evaluate from end to end, on three samples."""

import json
import shutil
import unittest

from support import SHORT, FolderTest, evaluate

MODE = ["--latency", "full", "--pass", "greedy", "--pass", "rescore"]


class EvaluateTests(FolderTest):
    def test_table_pages_record_and_resumption(self):
        corpus, results = self.plain_corpus(), self.folder / "results"
        document = self.write("doc.md", "Before.\n<!-- evaluate: corpus -->\nold\n<!-- end -->\nAfter.\n")
        run = evaluate(corpus, *MODE, "--results", results, "--document", document)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("corpus: 3 utterances", run.stdout)
        self.assertRegex(run.stdout, r"\| greedy \| \d+\.\d\d \(")
        self.assertRegex(run.stdout, r"model SHA-256 [0-9a-f]{16}")
        self.assertRegex(document.read_text(), r"(?s)^Before\.\n<!-- evaluate: corpus -->\ncorpus: 3.*<!-- end -->\nAfter\.\n$")
        output = results / "corpus"
        for name in ["index.html", "full-greedy.html", "full-rescore.html", "table.md"]:
            self.assertTrue((output / name).exists(), name)
        record = json.loads((output / "run.json").read_text())
        self.assertEqual([cell["mode"] for cell in record["cells"]], [["full", "greedy"], ["full", "rescore"]])
        self.assertIn("processor", record["conditions"])
        # Half of it gone: only that is heard again, and the table is the same.
        heard = next(output.glob("*/full.jsonl"))
        lines = heard.read_text().splitlines(keepends=True)
        self.assertEqual(len(lines), 3)
        heard.write_text("".join(lines[:2]))
        offline = evaluate(corpus, *MODE, "--results", results, "--offline")
        self.assertEqual(offline.returncode, 2)
        self.assertIn("1 utterances have not been heard", offline.stderr)
        again = evaluate(corpus, *MODE, "--results", results, "--no-pages")
        self.assertEqual(heard.read_text().splitlines(keepends=True)[:2], lines[:2])
        self.assertEqual(again.stdout.split("Real-time")[0], run.stdout.split("Real-time")[0])

    def test_expectations(self):
        corpus, results = self.plain_corpus(), self.folder / "results"
        mode = ["--latency", "full", "--pass", "greedy", "--results", results, "--no-pages"]
        self.assertEqual(evaluate(corpus, *mode, "--expect", "full=5", "--tolerance", "20").returncode, 0)
        wrong = evaluate(corpus, *mode, "--expect", "full:greedy=90")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("full:greedy: expected 90 within 0.1, found", wrong.stderr)
        self.assertEqual(evaluate(corpus, *mode, "--expect", "640ms=5").returncode, 1)

    @unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not installed")
    def test_robustness(self):
        try:
            import numpy  # noqa: F401
        except ImportError:
            self.skipTest("numpy is not installed")
        run = evaluate(self.plain_corpus(), "--latency", "full", "--pass", "greedy", "--results", self.folder / "r", "--perturb", "white-noise-0dB", "--perturb", "telephone")
        self.assertEqual(run.returncode, 0, run.stderr)
        record = json.loads((self.folder / "r/corpus/robustness.json").read_text())
        rates = {cell["mode"][0]: cell["wer"] for cell in record["cells"]}
        self.assertEqual(list(rates), ["clean", "white-noise-0dB", "telephone"])
        self.assertGreater(rates["white-noise-0dB"], rates["clean"])

    def test_what_is_wrong_is_said_in_a_line(self):
        for arguments, message in [
            ([self.folder / "nowhere"], "no such file or folder"),
            ([self.plain_corpus(), "--model", self.folder], "expected a model folder"),
            ([self.plain_corpus(), "--binary", self.folder / "none"], "build it by scripts/setup"),
            ([self.plain_corpus(), "--document", self.write("d.md", "x"), "--latency", "full", "--pass", "greedy", "--no-pages", "--results", self.folder / "r"], "no place for the table"),
        ]:
            run = evaluate(*arguments)
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn(message, run.stderr.splitlines()[-1])
        self.assertNotEqual(evaluate().returncode, 0)
        self.assertIn("no condition x", evaluate(self.plain_corpus(), "--perturb", "x").stderr)

    def test_samples_are_those_of_the_checkout(self):
        self.assertEqual(len(list(self.plain_corpus().glob("*.txt"))), len(SHORT))


if __name__ == "__main__":
    unittest.main()
