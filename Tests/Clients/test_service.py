"""The daemon as a service: its configuration, encryption, logs, signals, systemd, standard input."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from support import ROOT, STARLING, Server, finals, native, needs, opening, pcm, sample
from support import starling, transcribe

TOKEN = "a token of enough letters"


def serve(*options: str | Path, **process) -> subprocess.CompletedProcess:
    return subprocess.run([STARLING, "serve", *options], capture_output=True, timeout=60, **process)


class FolderTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


class ConfigurationTests(FolderTests):
    def check(self, text: str, *options: str) -> subprocess.CompletedProcess:
        path = self.write("starling.yaml", text)
        return serve("--config", path, "--check-config", *options, text=True)

    def test_a_good_file(self):
        run = self.check(
            "listen:\n  - native=127.0.0.1:7700\n  - http=127.0.0.1:8080\nlatency: 640ms\n"
            "final-pass: rescore\nhot-word: [Mariposa, saline]\nopen: false\nmax-sessions: 20\n")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("listener: http=127.0.0.1:8080", run.stdout)
        # The command line counts more.
        run = self.check("listen: native=127.0.0.1:7700\n", "--listen", "vosk=127.0.0.1:2700")
        self.assertIn("vosk", run.stdout)
        self.assertNotIn("native", run.stdout)

    def test_the_deployed_file(self):
        run = serve("--config", ROOT / "deploy/starling.yaml", "--check-config", text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("native=systemd:native", run.stdout)

    def test_bad_files(self):
        listen = "listen: native=127.0.0.1:7700\n"
        for text, saying in [
            ("listen: [", "expected YAML"),
            ("- a list", "expected fields"),
            ("", "expected fields"),
            ("latency: 640ms", "nothing to listen to"),
            (listen + "latncy: 640ms", "starling.yaml':2: field 'latncy': is unknown"),
            (listen + "latency: soon", "field 'latency'"),
            (listen + "max-sessions: many", "field 'max-sessions'"),
            (listen + "max-sessions: 0", "field 'max-sessions'"),
            (listen + "idle-seconds: -1", "field 'idle-seconds'"),
            (listen + "limits: {idle: 5}", "expected a value or a list"),
            (listen + "config: other.yaml", "command line"),
            (listen + "model: /nowhere", "/nowhere"),
            (listen + "token-file: /nowhere", "/nowhere"),
            (listen + "tls-certificate: a.pem", "--tls-key"),
            (listen + "tls-certificate: a.pem\ntls-key: b.pem", "a.pem"),
            (listen + "hot-word: naïve7", "naïve7"),
            ("listen: native=0.0.0.0:7700", "--token-file"),
            ("listen: http=tls:127.0.0.1:0", "--tls-certificate"),
            ("listen: vosk=stdio", "stdio"),
        ]:
            run = self.check(text)
            self.assertEqual(run.returncode, 1, (text, run.stdout))
            self.assertIn(saying, run.stderr, text)
            self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        missing = serve("--config", self.folder / "none.yaml", text=True)
        self.assertIn("none.yaml", missing.stderr)

    def test_wyoming_cannot_carry_a_token(self):
        token = self.write("token", TOKEN)
        run = serve("--listen", "wyoming=0.0.0.0:0", "--token-file", token, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("cannot give a token", run.stderr)


@needs("openssl")
class EncryptionTests(FolderTests):
    def certify(self):
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
        files = ["-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"]
        subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
        return [
            "--tls-certificate", str(self.folder / "cert.pem"),
            "--tls-key", str(self.folder / "key.pem"),
        ]

    def connect(self, port: int) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.folder / "cert.pem")
        plain = socket.create_connection(("127.0.0.1", port), 30)
        return context.wrap_socket(plain, server_hostname="localhost")

    def test_every_kind_of_listener(self):
        options = self.certify()
        audio = pcm("dreamland.mp3")
        with Server(*options, tls=True) as server:
            with self.connect(server.port["native"]) as client:
                client.sendall(opening(framing="length", partials=False))
                client.sendall(len(audio).to_bytes(4, "little") + audio + bytes(4))
                events = [json.loads(line) for line in client.makefile("rb")]
            self.assertEqual(finals(events), transcribe(audio))
            context = ssl.create_default_context(cafile=self.folder / "cert.pem")
            url = f"https://localhost:{server.port['http']}/readyz"
            with urllib.request.urlopen(url, context=context, timeout=30) as response:
                self.assertEqual(response.read(), b"ready\n")
            for spoken in ("native", "vosk", "realtime"):
                port = server.port["http" if spoken == "realtime" else spoken]
                said = starling(
                    "client", "--server", f"tls:localhost:{port}", "--protocol", spoken,
                    "--tls-ca", self.folder / "cert.pem", sample("dreamland.mp3"))
                self.assertEqual(said.strip(), transcribe(audio), spoken)
            # Renewed on SIGHUP: who trusts only the new one gets in.
            self.certify()
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("model loaded")
            self.connect(server.port["native"]).close()
            # Whoever does not encrypt is no client, and harms none.
            with server.connect() as plain:
                plain.sendall(opening())
                self.assertNotIn(b"ready", plain.makefile("rb").read())
            self.connect(server.port["native"]).close()

    def test_a_key_of_another_certificate(self):
        self.certify()
        other = (self.folder / "key.pem").read_text()
        options = self.certify()
        self.write("key.pem", other)
        run = serve("--listen", "http=tls:127.0.0.1:0", *options, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("key.pem", run.stderr)


class SignalTests(FolderTests):
    def test_a_model_is_replaced_without_dropping_streams(self):
        copy = self.folder / "model"
        shutil.copytree(ROOT / "models/starling-en-small", copy)
        audio = pcm("book-22khz.flac")
        with (
            Server("--model", str(copy)) as server,
            server.connect() as client,
            client.makefile("rb") as lines,
        ):
            client.sendall(opening(partials=False) + audio[: len(audio) // 2])
            self.assertEqual(json.loads(lines.readline())["type"], "ready")
            config = json.loads((copy / "config.json").read_text())
            self.write("model/config.json", json.dumps(config | {"model": "another"}))
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("model loaded")
            names = json.loads(server.get("/v1/models"))["data"]
            self.assertEqual([name["id"] for name in names], ["another"])
            client.sendall(audio[len(audio) // 2 :])
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(finals([json.loads(line) for line in lines]), transcribe(audio))
            self.assertEqual(finals(native(server, audio)), transcribe(audio))
            # One that cannot be read changes nothing.
            self.write("model/config.json", "{")
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("config.json")
            self.assertEqual(finals(native(server, audio)), transcribe(audio))

    def test_a_token_is_replaced(self):
        token = self.write("token", TOKEN)
        with Server("--token-file", str(token)) as server:
            token.write_text("another " + TOKEN)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("model loaded")
            self.assertEqual(native(server, b"", token=TOKEN)[0]["code"], "unauthorized")
            self.assertEqual(native(server, b"", token="another " + TOKEN)[0]["type"], "ready")

    def test_drain_has_a_limit(self):
        server = Server("--drain-seconds", "1", "--unread-seconds", "600")
        client = server.connect()
        # Reads nothing, so its results cannot be delivered.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.sendall(opening(latency="2/0", endpoint={"longest": 1}, n_best=50))
        client.settimeout(3)
        try:
            while True:
                client.sendall(pcm("telephone-8khz.wav"))
        except TimeoutError:
            pass
        began = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - began, 30)
        client.close()


class TokenTests(FolderTests):
    def test_every_protocol_asks_for_the_token(self):
        token = self.write("token", TOKEN)
        audio = pcm("dreamland.mp3")
        with Server("--token-file", str(token)) as server:
            for service in ("vosk", "wenet", "sherpa", "sherpa-python"):
                self.assertEqual(self.upgrade(server, service, "/"), 401)
                self.assertEqual(self.upgrade(server, service, "/?token=wrong"), 401)
                wanted = f"/?token={TOKEN.replace(' ', '%20')}"
                self.assertEqual(self.upgrade(server, service, wanted), 101)
                header = f"Authorization: Bearer {TOKEN}\r\n"
                self.assertEqual(self.upgrade(server, service, "/", header), 101)
            path = "/v1/realtime"
            self.assertEqual(self.upgrade(server, "http", path), 401)
            self.assertEqual(self.upgrade(server, "http", path, header), 101)
            self.assertTrue(finals(native(server, audio, token=TOKEN)))
            request = urllib.request.Request(
                server.url("http") + "/v1/audio/transcriptions", data=b"x", method="POST")
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=30)
            self.assertEqual(refused.exception.code, 401)
            refused.exception.close()

    def test_pages_of_allowed_origins(self):
        origin = "Origin: https://example.org\r\n"
        with Server("--allow-origin", "https://example.org") as server:
            self.assertEqual(self.upgrade(server, "vosk", "/", origin), 101)
            other = origin.replace("org", "com")
            self.assertEqual(self.upgrade(server, "vosk", "/", other), 403)

    def upgrade(self, server: Server, service: str, path: str, headers: str = "") -> int:
        """The status of a WebSocket handshake."""
        with server.connect(service) as client:
            client.sendall(
                f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                f"{headers}\r\n".encode())
            return int(client.makefile("rb").readline().split()[1])


class LogTests(FolderTests):
    def test_json_lines_without_any_text(self):
        audio = pcm("dreamland.mp3")
        for options, logs_text in (([], False), (["--log-text"], True)):
            with Server("--log-format", "json", *options) as server:
                ready = native(server, audio)[0]
                server.wait_for("session closed")
                server.stop()
            lines = [json.loads(line) for line in server.log]
            events = [line for line in lines if line.get("session") == ready["session"]]
            messages = [event["message"] for event in events]
            self.assertEqual(messages[0], "session opened")
            self.assertEqual(messages[-1], "session closed")
            self.assertEqual(events[0]["service"], "native")
            self.assertAlmostEqual(float(events[-1]["seconds"]), len(audio) / 32000, places=1)
            self.assertEqual("utterance" in messages, logs_text)
            self.assertEqual(transcribe(audio) in "".join(server.log), logs_text)


class StandardStreamsTests(FolderTests):
    def test_native_over_pipes_and_files(self):
        audio = pcm("dreamland.mp3")
        said = opening(partials=False) + audio
        run = serve("--listen", "native=stdio", "--latency", "640ms", input=said)
        self.assertEqual(run.returncode, 0, run.stderr)
        events = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(finals(events), transcribe(audio))
        self.assertEqual(events[-1]["type"], "end")
        (self.folder / "in").write_bytes(said)
        with open(self.folder / "in") as source, open(self.folder / "out", "wb") as target:
            command = [STARLING, "serve", "--listen", "native=stdio", "--latency", "640ms"]
            subprocess.run(command, stdin=source, stdout=target, check=True, timeout=60)
        self.assertEqual(
            [json.loads(line) for line in (self.folder / "out").read_text().splitlines()][1:],
            events[1:])

    def test_an_empty_input(self):
        run = serve("--listen", "native=stdio", input=b"")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["code"], "truncated")

    @needs("wyoming")
    def test_wyoming(self):
        from wyoming.asr import Transcribe, Transcript
        from wyoming.audio import AudioChunk, AudioStart, AudioStop
        from wyoming.event import read_event, write_event
        import io

        audio, said = pcm("dreamland.mp3"), io.BytesIO()
        events = [Transcribe(), AudioStart(16000, 2, 1)]
        events += [AudioChunk(16000, 2, 1, audio[s : s + 2048]) for s in range(0, len(audio), 2048)]
        for event in [*events, AudioStop()]:
            write_event(event.event(), said)
        command = ("--listen", "wyoming=stdio", "--latency", "640ms")
        run = serve(*command, input=said.getvalue())
        self.assertEqual(run.returncode, 0, run.stderr)
        answers = io.BytesIO(run.stdout)
        texts = []
        while event := read_event(answers):
            if Transcript.is_type(event.type):
                texts.append(Transcript.from_event(event).text)
        self.assertEqual(texts, [transcribe(audio)])


class SystemdTests(FolderTests):
    """What systemd does to a service, done by hand."""

    def test_notification_and_socket_activation(self):
        notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notified.bind(str(self.folder / "notify"))
        notified.settimeout(30)
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        path = self.folder / "native.sock"
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(str(path))
        unix.listen()

        def hand_over():
            os.dup2(listener.fileno(), 3)
            os.dup2(unix.fileno(), 4)
            os.environ["LISTEN_PID"] = str(os.getpid())

        # The process must know its own number, which only the shell between can tell it.
        command = 'LISTEN_PID=$$ exec "$0" "$@"'
        environment = os.environ | {
            "NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": "1500000",
            "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:speech"}
        process = subprocess.Popen(
            ["sh", "-c", command, STARLING, "serve", "--listen", "http=systemd:web",
             "--listen", "native=systemd:speech", "--latency", "640ms"],
            env=environment, preexec_fn=hand_over, pass_fds=(3, 4), stderr=subprocess.PIPE)
        try:
            self.assertEqual(notified.recv(100), b"READY=1")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
                self.assertEqual(answer.read(), b"ready\n")
            audio = pcm("dreamland.mp3")
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                client.sendall(opening(partials=False) + audio)
                client.shutdown(socket.SHUT_WR)
                events = [json.loads(line) for line in client.makefile("rb")]
            self.assertEqual(finals(events), transcribe(audio))
            self.assertEqual(notified.recv(100), b"WATCHDOG=1")
            process.send_signal(signal.SIGHUP)
            states = [notified.recv(100) for _ in range(2)]
            while not states[-2].startswith(b"RELOADING=1\nMONOTONIC_USEC="):
                states.append(notified.recv(100))
            self.assertEqual(states[-1], b"READY=1")
            process.send_signal(signal.SIGTERM)
            while notified.recv(100) != b"STOPPING=1":
                pass
            self.assertEqual(process.wait(30), 0)
            # The socket is systemd's: it stays for the next start.
            self.assertTrue(path.exists())
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            for opened in (notified, listener, unix):
                opened.close()

    def test_a_socket_that_is_not_there(self):
        run = serve("--listen", "native=systemd:speech", "--open", text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("no socket named 'speech'", run.stderr)


if __name__ == "__main__":
    unittest.main()
