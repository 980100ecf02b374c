"""What the harnesses of the core share: small commands, and where in its order a command is."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In

from hdl.core import Command

from .harness import Harness

_SIZES = ("rows", "groups", "channels")

#: Said of every proof by a `CommandHarness`.
HELD = "commands come only when the one before is over, and hold still from their start on"


class CommandHarness(Harness):
    """Around a block that follows commands, any of the sizes up to some.

    Attributes
    ----------
    go, given : In
        Begin the present command; the next one.
    """

    columns, rows = 2, 2
    #: Most rows, groups along K and channels of a command.
    sizes = (5, 3, 5)
    options: dict[str, object] = {}  # noqa: RUF012

    def __init__(self, **members):
        sizes = {name: range(most + 1) for name, most in zip(_SIZES, self.sizes, strict=True)}
        self.given_layout = data.StructLayout(sizes | self.options)
        super().__init__(go=In(1), given=In(self.given_layout), **members)

    def command(self, m: Module, unit, running: Value) -> tuple[data.View, Value]:
        """Drive a unit's command and start; return the command in few bits, and the start."""
        held = Signal(self.given_layout)
        start = Signal()
        within = Cat(
            (held[name] > 0) & (held[name] <= most)
            for name, most in zip(_SIZES, self.sizes, strict=True)
        )
        m.d.comb += start.eq(self.go & ~running & within.all() & self.legal(held))
        with m.If(~running & ~start):
            m.d.sync += held.eq(self.given)
        command = Signal(Command)
        m.d.comb += [command[name].eq(held[name]) for name in self.given_layout.members]
        m.d.comb += [unit.command.eq(command), unit.start.eq(start)]
        return held, start

    def legal(self, held: data.View) -> Value | int:
        """Whether a command of sizes within bounds is carried out."""
        return 1

    def largest(self, held: data.View) -> Value:
        """Whether a command is of the largest sizes."""
        return Cat(held[name] == most for name, most in zip(_SIZES, self.sizes, strict=True)).all()

    def held_offer(self, m: Module, ready: Value, *further: Value) -> Value:
        """Return whether the input's sender obeys the rule of streams."""
        offered = Cat(self.mark, *further)
        waited, held = Signal(), Signal(len(offered))
        m.d.sync += [waited.eq(self.offer & ~ready), held.eq(offered)]
        return ~waited | (self.offer & (offered == held))


class Place:
    """Where a command is: block by block of rows, in it tile by tile of channels.

    Counts up, after docs/core.md.

    Attributes
    ----------
    running : Signal
        From the cycle after the start until the last turn.
    block, tile : Signal
        Rows before the present block, channels before the present tile.
    rows, channels : Value
        Size of the present tile.
    last_block, last_tile, last : Value
        The present block is the last, the tile is the last of its block, or of the command.
    """

    def __init__(self, held: data.View, harness: CommandHarness):
        most_rows, _, most_channels = harness.sizes
        self._full = (harness.rows, harness.columns)
        self.running = Signal()
        self.block = Signal(range(most_rows + harness.rows))
        self.tile = Signal(range(most_channels + harness.columns))
        self.last_block = self.block + harness.rows >= held.rows
        self.last_tile = self.tile + harness.columns >= held.channels
        self.last = self.last_block & self.last_tile
        self.rows = _least(held.rows - self.block, harness.rows)
        self.channels = _least(held.channels - self.tile, harness.columns)

    def follow(self, m: Module, start: Value, turn: Value) -> None:
        """Begin at ``start``; go on to the next tile at ``turn``."""
        rows, columns = self._full
        with m.If(start):
            m.d.sync += self.running.eq(1)
        with m.If(turn):
            m.d.sync += self.tile.eq(self.tile + columns)
            with m.If(self.last_tile):
                m.d.sync += [self.tile.eq(0), self.block.eq(self.block + rows)]
            with m.If(self.last):
                m.d.sync += [self.block.eq(0), self.running.eq(0)]


class RowPlace(Place):
    """In each tile also row by row.

    Attributes
    ----------
    row : Signal
        Of the present tile.
    final : Value
        The present row is the command's last.
    """

    def __init__(self, held: data.View, harness: CommandHarness):
        super().__init__(held, harness)
        self.row = Signal(range(harness.rows))
        self.last_row = self.row + 1 == self.rows
        self.final = self.last & self.last_row

    def follow_rows(self, m: Module, start: Value, moves: Value) -> None:
        """Begin at ``start``; go on to the next row whenever one ``moves``."""
        self.follow(m, start, moves & self.last_row)
        with m.If(moves):
            m.d.sync += self.row.eq(Mux(self.last_row, 0, self.row + 1))


def _least(left: Value, full: int) -> Value:
    return Mux(left < full, left, full)
