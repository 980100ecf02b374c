"""Results of earlier runs, so that a report measures only what changed."""

import hashlib
import os
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path

from golden.atomic import replacing

__all__ = ["remember"]


def remember(described: str, measure: Callable[[], object]) -> object:
    """Return ``measure()``, or what it returned before in the same circumstances.

    Parameters
    ----------
    described
        All that the result depends on, but for this package and the tools: RTLIL and options.
    measure
        Called if there is no such result yet.
    """
    digest = hashlib.sha256((_circumstances() + described).encode()).hexdigest()
    folder = Path(os.environ.get("M2XFP_CACHE_DIR", "build/cache")) / "synth"
    file = folder / f"{digest}.pickle"
    if file.exists():
        return pickle.loads(file.read_bytes())
    result = measure()
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(file) as stream:
        stream.write(pickle.dumps(result))
    return result


@cache
def _circumstances() -> str:
    """Versions of the tools, and the text of every module that takes part in a measurement."""
    from . import tools
    from .flows import TARGETS

    package = Path(__file__).parent
    sources = [package / f"{name}.py" for name in ("harness", "liberty", "netlist", "nextpnr")]
    sources += [package / f"{name}.py" for name in ("scaling", "sta", "yosys")]
    sources += sorted((package / "flows").glob("*.py"))
    return repr(tools.versions(TARGETS)) + "".join(file.read_text() for file in sources)
