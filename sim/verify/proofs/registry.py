"""The proofs by name."""

from . import (
    accumulator,
    board_receiver,
    board_sender,
    board_uart,
    bus_words,
    columns,
    core_buffer,
    core_commands,
    core_control,
    core_results,
    core_streams,
    core_walk,
    core_whole,
    dot,
    engine,
    engine_streams,
    groups,
    initial_sums,
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
    core_streams,
    core_results,
    core_buffer,
    core_walk,
    core_whole,
    core_control,
    core_commands,
    initial_sums,
    board_uart,
    board_receiver,
    board_sender,
]

PROOFS: dict[str, Proof] = {proof.name: proof for module in _MODULES for proof in module.PROOFS}
