"""Clients of every live protocol hear what `starling transcribe` says of the same audio."""

import asyncio
import json
import random
import subprocess
import tempfile
import unittest

import clients
from clients import Audio
from support import BYTES_A_SECOND, SAMPLES, Server, finals, native, needs, pcm, sample, transcribe


def each() -> list[tuple[bytes, str]]:
    """Samples and what is to be heard of them."""
    return [(pcm(name), transcribe(pcm(name))) for name in SAMPLES]


class ProtocolTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def test_native_tcp_and_unix(self):
        for samples, text in each():
            for unix in (False, True):
                piece = random.choice([777, 32000])
                events = native(self.server, samples, unix=unix, piece=piece)
                self.assertEqual(finals(events), text)
                self.assertEqual(events[0]["type"], "ready")
                self.assertEqual(events[-1]["type"], "end")
                seconds = len(samples) / BYTES_A_SECOND
                self.assertAlmostEqual(events[-1]["seconds"], seconds, places=2)
                self.committed_text_stays(events[1:-1])

    def committed_text_stays(self, results: list[dict]):
        committed: dict[int, str] = {}
        for event in results:
            self.assertTrue(event["text"].startswith(event["committed"]))
            if event["type"] == "partial":
                before = committed.get(event["utterance"], "")
                self.assertTrue(event["committed"].startswith(before))
                committed[event["utterance"]] = event["committed"]

    def test_native_options(self):
        samples = pcm("telephone-8khz.wav")
        settled = native(
            self.server, samples, final_pass="full-context", partials=False, n_best=3
        )
        self.assertIn("watch the covering earth fall noisily", finals(settled))
        self.assertEqual([event["type"] for event in settled], ["ready", "final", "end"])
        self.assertGreater(len(settled[1]["alternatives"]), 1)
        self.assertEqual(settled[1]["alternatives"][0]["text"], settled[1]["text"])

    @needs("socat")
    def test_socat_on_the_unix_socket(self):
        command = ["socat", "-t", "30", "-", f"UNIX-CONNECT:{self.server.unix['native']}"]
        line = b'{"protocol": "starling", "version": 1, "partials": false}\n'
        for samples, text in each():
            run = subprocess.run(
                command, input=line + samples, stdout=subprocess.PIPE, check=True, timeout=60
            )
            self.assertEqual(finals([json.loads(line) for line in run.stdout.splitlines()]), text)

    def test_vosk(self):
        for samples, text in each():
            replies = asyncio.run(clients.vosk(self.server, Audio(samples, piece=8000)))
            self.assertEqual(len(replies), (len(samples) + 7999) // 8000 + 1)
            texts = [reply["text"] for reply in replies if reply.get("text")]
            self.assertEqual(" ".join(texts), text)
            words = [word["word"] for reply in replies for word in reply.get("result", [])]
            self.assertEqual(" ".join(words), text)

    def test_wenet(self):
        for samples, text in each():
            messages = asyncio.run(clients.wenet(self.server, Audio(samples, piece=9000)))
            self.assertEqual(messages[0], {"status": "ok", "type": "server_ready"})
            self.assertEqual(messages[-1]["type"], "speech_end")
            last = [m for m in messages if m["type"] == "final_result"]
            sentences = [json.loads(message["nbest"])[0]["sentence"] for message in last]
            self.assertEqual(" ".join(sentences), text)

    @needs("sherpa-onnx-online-websocket-client")
    def test_sherpa_client(self):
        client = "sherpa-onnx-online-websocket-client"
        port = f"--server-port={self.server.port['sherpa']}"
        for name in SAMPLES:
            with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
                form = ["-r", "16000", "-c", "1", "-b", "16", "-D", wav.name]
                subprocess.run(["sox", "-V1", sample(name), *form], check=True)
                run = subprocess.run(
                    [client, port, wav.name],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                )  # fmt: skip
            self.assertEqual(run.returncode, 0, run.stdout)
            # It prints its text wrapped in other words.
            self.assertIn(transcribe(pcm(name)).split(" ", 3)[-1][-40:], run.stdout)

    def test_sherpa_variants(self):
        for samples, text in each():
            for service in ("sherpa", "sherpa-python"):
                said = asyncio.run(clients.hear(self.server, service, samples, piece=8000))
                self.assertEqual(said, text, service)

    @needs("wyoming")
    def test_wyoming(self):
        for samples, text in each():
            events = asyncio.run(clients.wyoming(self.server, Audio(samples, piece=2048)))
            types = [event["type"] for event in events]
            self.assertEqual(types[0], "transcript-start")
            self.assertEqual(types[-2:], ["transcript", "transcript-stop"])
            self.assertEqual(events[-2]["text"], text)
            chunks = [event["text"] for event in events if event["type"] == "transcript-chunk"]
            self.assertEqual("".join(chunks), text)

    @needs("wyoming")
    def test_wyoming_transcripts_one_after_another(self):
        from wyoming.asr import Transcript
        from wyoming.audio import AudioChunk, AudioStart, AudioStop
        from wyoming.client import AsyncTcpClient
        from wyoming.info import Describe, Info

        async def talk():
            async with AsyncTcpClient("127.0.0.1", self.server.port["wyoming"]) as client:
                await client.write_event(Describe().event())
                info = Info.from_event(await client.read_event())
                self.assertTrue(info.asr[0].models[0].installed)
                self.assertTrue(info.asr[0].supports_transcript_streaming)
                texts = []
                for samples, _ in each():
                    await client.write_event(AudioStart(16000, 2, 1).event())
                    await client.write_event(AudioChunk(16000, 2, 1, samples).event())
                    await client.write_event(AudioStop().event())
                    while (event := await client.read_event()).type != "transcript-stop":
                        if Transcript.is_type(event.type):
                            texts.append(Transcript.from_event(event).text)
                return texts

        self.assertEqual(asyncio.run(talk()), [text for _, text in each()])


if __name__ == "__main__":
    unittest.main()
