"""What the flows need to know of a Liberty cell library, and where Debian puts osu018."""

import re
import shutil
from pathlib import Path

from golden.errors import InputError

__all__ = ["OSU018", "cell_areas", "find_osu018", "missing_packages"]

#: Where the Debian package qflow-tech-osu018 installs the 180 nm standard-cell library.
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")


def cell_areas(library: str) -> dict[str, float]:
    """Cell name -> area in the library's unit, from the text of a Liberty file."""
    # Each chunk starts with one cell's name; a cell's own area precedes those of its pins.
    chunks = re.split(r"^\s*cell\s*\(\s*\"?(\w+)\"?\s*\)", library, flags=re.MULTILINE)
    areas = {}
    for name, body in zip(chunks[1::2], chunks[2::2], strict=True):
        area = re.search(r"\barea\s*:\s*([\d.]+)", body)
        areas[name] = float(area[1]) if area else 0.0
    return areas


def missing_packages() -> list[str]:
    """Debian packages that target osu018 needs and that are not installed."""
    missing = []
    if not OSU018.exists():
        missing.append("qflow-tech-osu018")
    if shutil.which("sta") is None:
        missing.append("opensta")
    return missing


def find_osu018() -> Path:
    """Return the library's path once both it and OpenSTA are there.

    Raises
    ------
    InputError
        If one is missing, naming the Debian packages to install.
    """
    missing = missing_packages()
    if missing:
        raise InputError(
            f"Target osu018 needs the Debian package(s) {' and '.join(missing)}: "
            f"apt-get install {' '.join(missing)}"
        )
    return OSU018
