"""The systolic tile and its blocks: see `docs/tile.md` for how they work together."""

from .beat import activation_beat
from .tile import SystolicTile

__all__ = ["SystolicTile", "activation_beat"]
