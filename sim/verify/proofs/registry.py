"""The proofs by name."""

from . import (
    accumulator,
    bus_words,
    columns,
    dot,
    engine_streams,
    groups,
    lane,
    multipliers,
    scaled_sums,
    term_rounding,
    tile_streams,
)
from .proof import Proof

__all__ = ["PROOFS"]

_MODULES = [
    lane,
    dot,
    groups,
    scaled_sums,
    term_rounding,
    accumulator,
    multipliers,
    bus_words,
    columns,
    engine_streams,
    tile_streams,
]

PROOFS: dict[str, Proof] = {proof.name: proof for module in _MODULES for proof in module.PROOFS}
