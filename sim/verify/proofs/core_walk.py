"""The walk through the tiles of any command."""

import z3

from hdl.core.walk import TileWalk

from ..checker import Checker
from ..model import Model, State
from ..terms import least, wide
from .proof import BIT_VECTORS, Proof

#: Columns and rows of the tiles that are walked through.
_TILES = ((1, 2), (2, 2), (3, 5), (16, 128), (64, 256), (65535, 65535))
#: Bits in which no sum of sizes wraps.
_WIDTH = 20


class _Walk:
    """A walk and a place in it: so many rows before the present block, channels before the tile."""

    def __init__(self, columns: int, rows: int):
        self.columns, self.rows = columns, rows
        self.model = Model(TileWalk(columns, rows))
        self.totals = {name: z3.BitVec(name, 16) for name in ("total_rows", "total_channels")}
        self.m, self.n = (wide(total, _WIDTH) for total in self.totals.values())
        self.block, self.tile = z3.BitVec("block", _WIDTH), z3.BitVec("tile", _WIDTH)
        self.last_block = z3.UGE(self.block + rows, self.m)
        self.last_tile = z3.UGE(self.tile + columns, self.n)
        self.state = self.model.drive(self.model.fresh("s"), **self.totals)

    def later(self, **inputs: int) -> State:
        """Return the next state after some inputs, with the totals held."""
        values = {name: z3.BitVecVal(value, 1) for name, value in inputs.items()}
        later = self.model.step(self.model.drive(self.state, **values), "t")
        return self.model.drive(later, **self.totals)

    def is_at(self, state: State, block: z3.BitVecRef, tile: z3.BitVecRef) -> z3.BoolRef:
        """Return whether a state is that of a place, and the place is in the command."""
        left = (self.model.value(state, name) for name in ("left_rows", "left_channels"))
        rows, channels = (wide(term, _WIDTH) for term in left)
        return z3.And(
            z3.ULT(block, self.m),
            z3.ULT(tile, self.n),
            rows == self.m - block,
            channels == self.n - tile,
        )

    def output(self, name: str) -> z3.BitVecRef:
        """Return an output at the present place."""
        return wide(self.model.value(self.state, name), _WIDTH)


def tile_walk(check: Checker) -> None:
    """Check every step from every place of every command."""
    for columns, rows in _TILES:
        walk = _Walk(columns, rows)
        m, n, block, tile = walk.m, walk.n, walk.block, walk.tile
        here = walk.is_at(walk.state, block, tile)
        check.prove("rows", walk.output("rows") == least(m - block, rows), here)
        check.prove("channels", walk.output("channels") == least(n - tile, columns), here)
        check.prove("last rows", (walk.output("last_rows") == 1) == walk.last_block, here)
        check.prove("last channels", (walk.output("last_channels") == 1) == walk.last_tile, here)

        zero = z3.BitVecVal(0, _WIDTH)
        start = z3.And(m > 0, n > 0)
        for steps in (0, 1):
            begun = walk.later(start=1, next=steps)
            check.prove("start", walk.is_at(begun, zero, zero), start)
        stays = walk.is_at(walk.later(start=0, next=0), block, tile)
        check.prove("no step", stays, here)
        later = walk.later(start=0, next=1)
        across = walk.is_at(later, block, tile + columns)
        down = walk.is_at(later, block + rows, zero)
        check.prove("next tile", across, here, z3.Not(walk.last_tile))
        check.prove("next block", down, here, walk.last_tile, z3.Not(walk.last_block))
        if columns < 65535:
            check.cover("a step to the next tile", here, across, tile > 0)
            check.cover("a step to the next block", here, down, tile > 0, block > 0)
            check.cover("a full last tile", here, walk.last_tile, n - tile == columns)
        check.cover("the largest command", here, m == 65535, n == 65535, walk.last_tile)


PROOFS = [
    Proof(
        "walk through the tiles",
        "TileWalk",
        "For all M and N from 1 to 65535 and every place in the command: the present sizes are "
        "what is left, at most a full tile's; last says when no more is left; next leads to the "
        "next tile, after the block's last to the next block; start to the first; nothing wraps.",
        BIT_VECTORS + "; one step of induction",
        f"columns and rows of {', '.join(f'{c} x {r}' for c, r in _TILES)}; totals held",
        tile_walk,
        (
            "core: a short block is as long as a full one",
            "walk: the next block begins where the tile ended",
            "walk: a full last tile is followed by an empty one",
        ),
    ),
]
