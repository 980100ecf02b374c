"""Tools of PyPI in WebAssembly: the same version on every machine, found without PATH."""

import fcntl
import functools
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import platformdirs

from golden import InputError

__all__ = ["run", "translate"]


def run(
    package: str, function: str, arguments: list[str], folder: Path | None = None
) -> subprocess.CompletedProcess:
    """Run a tool with ``folder`` as working directory; return what it printed and its status.

    Parameters
    ----------
    package, function : str
        Entry point of the tool: a wheel and a function of it.

    Raises
    ------
    golden.InputError
        If the cache cannot be written.
    """
    translate(package, function)
    return _launch(package, function, arguments, folder)


@functools.cache
def translate(package: str, function: str) -> None:
    """Let the first run of a tool on this machine, which translates it, be alone.

    Every other run maps the translation into memory; one that was writing it at the same time
    would pull it from under them.

    Raises
    ------
    golden.InputError
        If the cache cannot be written.
    """
    default = platformdirs.user_cache_dir("YoWASP", appauthor=False)
    cache = Path(os.environ.get("YOWASP_CACHE_DIR", default))
    done = cache / f"{function}-{version(package)}.translated"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{function}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists() and not _launch(package, function, ["--version"]).returncode:
                done.touch()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"Cannot write the cache {cache}: {reason}; set YOWASP_CACHE_DIR"
        ) from None


def _launch(package: str, function: str, arguments: list[str], folder: Path | None = None):
    program = f"import sys, {package} as tool; sys.exit(tool.{function}(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
