"""The GEMM core: see `docs/core.md` for its streams, commands and rules."""

from .axi import AxiGemmCore
from .core import GemmCore
from .layouts import Command, Flags, Output, Refusal, Status

__all__ = ["AxiGemmCore", "Command", "Flags", "GemmCore", "Output", "Refusal", "Status"]
