"""Simulators behind one interface: ``engines.get("fast").run_streams(component, ...)``."""

import importlib

from .base import Engine, StreamRun
from .errors import BuildError, HangError, ProtocolError, SimulationError

__all__ = [
    "NAMES",
    "BuildError",
    "Engine",
    "HangError",
    "ProtocolError",
    "SimulationError",
    "StreamRun",
    "get",
]

_CLASSES = {"fast": "FastEngine", "amaranth": "AmaranthEngine", "verilator": "VerilatorEngine"}

#: Engine names, the default first.
NAMES = tuple(_CLASSES)


def get(name: str = "fast") -> Engine:
    """Return an engine.

    Parameters
    ----------
    name : str
        ``fast`` compiles the exported Verilog into a library and runs whole batches in it;
        ``amaranth`` is Amaranth's own simulator; ``verilator`` is cocotb on the exported Verilog.

    Raises
    ------
    ValueError
        If there is no such engine.
    """
    if name not in _CLASSES:
        raise ValueError(f"Engine must be one of {', '.join(NAMES)}, not {name!r}")
    return getattr(importlib.import_module(f".{name}", __name__), _CLASSES[name])()
