"""A folder of compiled components, shared by every process of the user."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from golden import InputError


def cache_dir() -> Path:
    """Return ``$M2XFP_CACHE_DIR``, else ``m2xfp`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := os.environ.get("M2XFP_CACHE_DIR"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "m2xfp"


def cached(kind: str, ingredients: list[str], build: Callable[[Path], None]) -> Path:
    """Return the folder that ``build`` made from ``ingredients``, now or earlier.

    Parameters
    ----------
    kind : str
        Start of the folder's name.
    ingredients : list of str
        All that the result depends on; their hash is the rest of the name.
    build : callable
        Fills the empty folder it is given; if it raises, nothing is kept.

    Raises
    ------
    golden.InputError
        If the cache cannot be written.
    """
    digest = hashlib.sha256()
    for text in ingredients:
        digest.update(f"{len(text)}:".encode() + text.encode())
    home = cache_dir()
    target = home / f"{kind}-{digest.hexdigest()[:32]}"
    if target.is_dir():
        return target
    try:
        home.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{kind}-", dir=home))
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"Cannot write the cache {home}: {reason}; set M2XFP_CACHE_DIR") from None
    try:
        build(scratch)
        # A rename is atomic, so others see all of the folder or nothing.
        scratch.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was first
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target
