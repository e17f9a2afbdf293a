"""Corpora in every layout, and what is said of broken ones."""

import unittest
from pathlib import Path

from support import FolderTest
from evaluation import corpora


class LayoutTests(FolderTest):
    def check(self, path: Path, expected: list[tuple], normalizer: str = "none"):
        corpus = corpora.read(path)
        self.assertEqual([(u.id, u.audio.relative_to(self.folder.resolve()).as_posix(), u.text, u.speaker) for u in corpus.utterances], expected)
        self.assertEqual(corpus.normalizer, normalizer)
        return corpus

    def test_librispeech(self):
        self.write("dev/12/34/12-34.trans.txt", "12-34-0000 ONE TWO\n12-34-0001 THREE\n")
        self.write("dev/12/34/12-34-0000.flac")
        self.write("dev/12/34/12-34-0001.flac")
        self.check(self.folder / "dev", [("12-34-0000", "dev/12/34/12-34-0000.flac", "one two", "12"), ("12-34-0001", "dev/12/34/12-34-0001.flac", "three", "12")])

    def test_common_voice(self):
        file = self.write("en/test.tsv", 'client_id\tpath\tsentence\tage\nabc\tx_1.mp3\tHe said: "Yes."\ttwenties\nabc\tx_2.mp3\tNo.\t\n')
        corpus = self.check(file, [("x_1", "en/clips/x_1.mp3", 'He said: "Yes."', "abc"), ("x_2", "en/clips/x_2.mp3", "No.", "abc")], "english")
        self.assertEqual([u.groups for u in corpus.utterances], [{"age": "twenties"}, {}])
        self.assertEqual(corpus.name, "en-test")

    def test_kaldi(self):
        audio = self.write("wav/r.wav")
        self.write("data/text", "s1-a one two\ns1-b three\n")
        self.write("data/wav.scp", f"r {audio}\n")
        self.write("data/utt2spk", "s1-a s1\ns1-b s1\n")
        self.write("data/segments", "s1-a r 0.5 1.5\ns1-b r 1.5 3\n")
        corpus = self.check(self.folder / "data", [("s1-a", "wav/r.wav", "one two", "s1"), ("s1-b", "wav/r.wav", "three", "s1")])
        self.assertEqual([u.segment for u in corpus.utterances], [(0.5, 1.5), (1.5, 3)])

    def test_nemo(self):
        file = self.write("m.json", '{"audio_filepath": "a/x.wav", "duration": 2, "text": "One."}\n\n{"audio_filepath": "a/y.wav", "offset": 1, "duration": 2, "text": "Two."}\n')
        corpus = self.check(file, [("a/x", "a/x.wav", "One.", None), ("a/y-1", "a/y.wav", "Two.", None)], "english")
        self.assertEqual(corpus.utterances[1].segment, (1, 3))

    def test_manifest_and_subset(self):
        self.write("c/manifest.tsv", "path\tspeaker\tseconds\ttext\n1/a.opus\tanna\t2\tone\n2/b.opus\t-\t2\ttwo\n2/c.opus\t-\t2\tthree\n")
        corpus = self.check(self.folder / "c", [("1/a", "c/1/a.opus", "one", "anna"), ("2/b", "c/2/b.opus", "two", None), ("2/c", "c/2/c.opus", "three", None)])
        subset = self.write("subset.txt", "2/c.opus\n1/a\n")
        self.assertEqual([u.id for u in corpus.chosen(subset).utterances], ["2/c", "1/a"])
        self.assertEqual([u.id for u in corpus.chosen(None, every=2, first=1).utterances], ["1/a"])
        with self.assertRaisesRegex(corpora.CorpusError, r"subset.txt:1: 'none' is not in"):
            corpus.chosen(self.write("subset.txt", "none\n"))

    def test_plain(self):
        self.write("c/a.wav")
        self.write("c/a.txt", "One,\ntwo.\n")
        self.check(self.folder / "c", [("a", "c/a.wav", "One, two.", None)], "english")

    def test_broken_corpora(self):
        cases = [
            ({}, r"no such file or folder"),
            ({"c/readme": ""}, r"c: no corpus: expected"),
            ({"c/a.wav": ""}, r"a.wav: no text 'a.txt' beside it"),
            ({"c/clips/a.mp3": ""}, r"name one of its files"),
            ({"c/x.trans.txt": "x-1 ONE"}, r"x.trans.txt:1: no audio 'x-1.flac' beside it"),
            ({"c/text": "a one", "c/wav.scp": "a sph2pipe a.sph |"}, r"wav.scp: 'a' is a command"),
            ({"c/text": "a one\na two", "c/wav.scp": "a a.wav"}, r"text:2: 'a' is there already"),
            ({"c/text": "b one", "c/wav.scp": "a a.wav"}, r"no recording 'b'"),
            ({"c/manifest.tsv": "path\ttext\nx\ty"}, r"manifest.tsv:1: no column speaker"),
            ({"c/manifest.tsv": "path\tspeaker\ttext\nx\ty"}, r"manifest.tsv:2: fewer values than columns"),
            ({"c/manifest.tsv": "path\tspeaker\ttext\nx.a\ty\tz\nx.b\ty\tz"}, r"utterance 'x' is there twice"),
        ]
        for number, (files, message) in enumerate(cases):
            with self.subTest(message):
                for name, content in files.items():
                    self.write(f"{number}/{name}", content)
                with self.assertRaisesRegex(corpora.CorpusError, message):
                    corpora.read(self.folder / str(number) / "c")
        with self.assertRaisesRegex(corpora.CorpusError, r"m.json:1: expected a JSON object"):
            corpora.read(self.write("m.json", '{"text": "x"}'))


if __name__ == "__main__":
    unittest.main()
