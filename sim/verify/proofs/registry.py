"""The proofs by name."""

from . import (
    accumulator,
    bus_words,
    columns,
    dot,
    engine,
    engine_streams,
    groups,
    lane,
    multipliers,
    scaled_sums,
    sgem,
    subgroup,
    term_rounding,
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
