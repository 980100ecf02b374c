"""The proofs by name."""

from . import (
    accumulator,
    core_buffer,
    core_commands,
    core_control,
    core_results,
    core_streams,
    dot,
    engine_streams,
    lane,
    multipliers,
    tile_streams,
)
from .proof import Proof

__all__ = ["PROOFS"]

_MODULES = [
    lane,
    dot,
    accumulator,
    engine_streams,
    tile_streams,
    core_streams,
    core_results,
    core_buffer,
    core_control,
    core_commands,
    multipliers,
]

PROOFS: dict[str, Proof] = {proof.name: proof for module in _MODULES for proof in module.PROOFS}
