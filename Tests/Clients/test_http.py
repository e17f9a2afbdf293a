"""HTTP: OpenAI's own client, health and metrics."""

import subprocess
import unittest

from support import LATENCY, SAMPLES, Server, native, needs, pcm, sample, starling


class HTTPTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def openai(self):
        from openai import OpenAI

        return OpenAI(base_url=self.server.url("http") + "/v1", api_key="none", max_retries=0)

    def transcription(self, name: str, **options):
        with open(sample(name), "rb") as file:
            create = self.openai().audio.transcriptions.create
            return create(model="starling", file=file, **options)

    @needs("openai")
    def test_models(self):
        models = [model.id for model in self.openai().models.list()]
        self.assertEqual(models, ["starling-en-small"])

    @needs("openai")
    def test_files_in_every_format(self):
        for name in SAMPLES + ["stereo-48khz.wav", "chapter.opus"]:
            text = starling("transcribe", sample(name)).strip()
            self.assertEqual(self.transcription(name).text, text)
            verbose = self.transcription(
                name,
                response_format="verbose_json",
                timestamp_granularities=["word", "segment"],
            )
            self.assertEqual(verbose.text, text)
            self.assertEqual(" ".join(word.word for word in verbose.words), text)
            self.assertEqual(" ".join(segment.text for segment in verbose.segments), text)
            for form in ("srt", "vtt", "text"):
                alone = starling("transcribe", "--format", form, sample(name))
                self.assertEqual(self.transcription(name, response_format=form), alone)

    @needs("openai")
    def test_server_sent_events(self):
        for name in SAMPLES:
            live = starling("transcribe", "--latency", LATENCY, sample(name)).strip()
            events = list(self.transcription(name, stream=True))
            self.assertEqual(events[-1].text, live)
            self.assertEqual("".join(event.delta for event in events[:-1]), live)

    @needs("openai")
    def test_a_file_that_is_no_audio(self):
        from openai import BadRequestError

        with self.assertRaises(BadRequestError) as refused:
            self.openai().audio.transcriptions.create(
                model="starling", file=("no.wav", b"this is no audio")
            )
        self.assertIn("no.wav", str(refused.exception))

    @needs("curl")
    def test_curl_health_and_metrics(self):
        for path, text in [("/healthz", "ok\n"), ("/readyz", "ready\n")]:
            command = ["curl", "-sSf", self.server.url("http") + path]
            run = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            self.assertEqual(run.stdout, text)
        native(self.server, pcm("dreamland.mp3"))
        self.assertGreater(self.server.heard(), 4)
        self.assertEqual(self.server.open_sessions(), 0)


if __name__ == "__main__":
    unittest.main()
