"""Fetches parts of LibriSpeech (Panayotov et al. 2015, CC BY 4.0) from their public home."""

import hashlib
import shutil
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

from . import EvaluationError

HOME = "https://www.openslr.org/resources/12"
# From md5sum.txt there.
MD5 = {
    "dev-clean": "42e2234ba48799c1f50f24a7926300a1",
    "dev-other": "c8d0bcc9cca99d4f8b62fcc847357931",
    "test-clean": "32fa31d27d2e1cad72775fee3f4849a9",
    "test-other": "fb5a50374b501bb3bac4815ee91d3135",
}


class FetchError(EvaluationError):
    """Why a part could not be had, and what to do."""


def fetch(part: str, data: Path, home: str = HOME, md5: dict[str, str] = MD5) -> Path:
    """The folder of a part, fetched and unpacked below `data` if it is not there. Goes on with a download that broke off."""
    folder = data / "LibriSpeech" / part
    if folder.is_dir():
        return folder
    if part not in md5:
        raise FetchError(f"LibriSpeech has no part '{part}' here: expected {', '.join(md5)}")
    data.mkdir(parents=True, exist_ok=True)
    archive = data / f"{part}.tar.gz"
    url = f"{home}/{part}.tar.gz"
    if not archive.exists():
        download(url, archive)
    found = digest(archive)
    if found != md5[part]:
        archive.unlink()
        raise FetchError(f"{url}: expected MD5 {md5[part]}, found {found}; the file was removed, try again")
    # Unpacked aside, so that a folder that is there is whole.
    aside = data / f".{part}.unpacking"
    shutil.rmtree(aside, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(aside, filter="data")
    folder.parent.mkdir(parents=True, exist_ok=True)
    (aside / "LibriSpeech" / part).rename(folder)
    shutil.rmtree(aside)
    archive.unlink()
    return folder


def download(url: str, target: Path) -> None:
    partial = target.with_suffix(".partial")
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            # A server that does not know ranges sends everything again.
            going_on = have and answer.status == 206
            total = int(answer.headers.get("Content-Length", 0)) + (have if going_on else 0)
            with open(partial, "ab" if going_on else "wb") as out:
                done = have if going_on else 0
                while block := answer.read(1 << 20):
                    out.write(block)
                    done += len(block)
                    print(f"\r{target.name}: {done >> 20} of {total >> 20} MiB", end="", file=sys.stderr, flush=True)
    except (urllib.error.URLError, OSError) as error:
        raise FetchError(
            f"{url} cannot be fetched: {getattr(error, 'reason', error)}. This machine may have no network; "
            f"fetch the file elsewhere, put it at {target}, and run again"
        ) from error
    finally:
        print(file=sys.stderr)
    partial.rename(target)


def digest(file: Path) -> str:
    with open(file, "rb") as data:
        return hashlib.file_digest(data, "md5").hexdigest()
