"""What figures were measured on."""

import os
import platform
import re
import subprocess
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def conditions(model: Path, model_hash: str, options: list[str]) -> dict[str, str]:
    """By name, in the order to show."""
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    found = {
        "model": model.name,
        "model SHA-256": model_hash[:16],
        "options": " ".join(options) or "none",
        "Starling": commit.stdout.strip() or "not a checkout",
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "date": date.today().isoformat(),
    }
    return found


def processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()
