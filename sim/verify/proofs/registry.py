"""The proofs by name."""

from . import (
    accumulator,
    dot,
    engine,
    engine_streams,
    lane,
    multipliers,
    sgem,
    subgroup,
    tile_streams,
)
from .proof import Proof

__all__ = ["PROOFS"]

_MODULES = [
    lane,
    subgroup,
    engine,
    sgem,
    dot,
    accumulator,
    engine_streams,
    tile_streams,
    multipliers,
]

PROOFS: dict[str, Proof] = {proof.name: proof for module in _MODULES for proof in module.PROOFS}
