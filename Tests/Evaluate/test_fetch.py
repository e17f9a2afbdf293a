"""LibriSpeech from a home on this machine: whole, broken off, wrong, unreachable."""

import hashlib
import http.server
import io
import tarfile
import threading
import unittest
from functools import partial

from support import FolderTest
from evaluation import corpora, librispeech


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class FetchTests(FolderTest):
    def setUp(self):
        super().setUp()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for name, content in [("1/2/1-2.trans.txt", b"1-2-0000 ONE\n"), ("1/2/1-2-0000.flac", b"fLaC")]:
                entry = tarfile.TarInfo(f"LibriSpeech/dev-clean/{name}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        self.archive = packed.getvalue()
        self.write("home/dev-clean.tar.gz", self.archive)
        self.md5 = {"dev-clean": hashlib.md5(self.archive).hexdigest()}
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(self.folder / "home")))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.home = f"http://127.0.0.1:{server.server_port}"
        self.data = self.folder / "data"

    def test_a_part_is_fetched_once(self):
        folder = librispeech.fetch("dev-clean", self.data, self.home, self.md5)
        self.assertEqual([u.text for u in corpora.read(folder).utterances], ["one"])
        self.assertEqual(sorted(p.name for p in self.data.iterdir()), ["LibriSpeech"])
        self.assertEqual(librispeech.fetch("dev-clean", self.data, "http://127.0.0.1:1", self.md5), folder)

    def test_a_download_that_broke_off(self):
        self.write("data/dev-clean.tar.partial", self.archive[:20])
        # This server knows no ranges and sends everything again.
        librispeech.fetch("dev-clean", self.data, self.home, self.md5)

    def test_a_wrong_file_is_refused_and_removed(self):
        with self.assertRaisesRegex(librispeech.FetchError, "expected MD5 0000, found [0-9a-f]{32}"):
            librispeech.fetch("dev-clean", self.data, self.home, {"dev-clean": "0000"})
        self.assertEqual(list(self.data.iterdir()), [])

    def test_no_network(self):
        with self.assertRaisesRegex(librispeech.FetchError, "cannot be fetched: .*put it at .*dev-clean.tar.gz, and run again"):
            librispeech.fetch("dev-clean", self.data, "http://127.0.0.1:1", self.md5)
        with self.assertRaisesRegex(librispeech.FetchError, "no part 'train' here: expected dev-clean"):
            librispeech.fetch("train", self.data, self.home, self.md5)


if __name__ == "__main__":
    unittest.main()
