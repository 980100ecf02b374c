"""The proofs by name."""

from . import (
    accumulator,
    board_uart,
    dot,
    engine_streams,
    initial_sums,
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
    multipliers,
    initial_sums,
    board_uart,
]

PROOFS: dict[str, Proof] = {proof.name: proof for module in _MODULES for proof in module.PROOFS}
