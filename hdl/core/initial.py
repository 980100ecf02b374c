from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .layouts import Command
from .walk import TileWalk


class InitialFeeder(wiring.Component):
    """Counts the rows of C that a command has: one for every row of every tile.

    Latency 0, one row a cycle.

    Parameters
    ----------
    columns, rows : int
        Size of the tile.

    Attributes
    ----------
    command : In(Command)
        Held while the command runs.
    start : In(1)
        Begins a command.
    i, o : In and Out(stream.Signature(32 * columns))
    final : Out(1)
        The row on ``i`` is the last one of the command.
    """

    def __init__(self, *, columns: int, rows: int):
        self._columns, self._rows = columns, rows
        super().__init__(
            {
                "command": In(Command),
                "start": In(1),
                "i": In(stream.Signature(32 * columns)),
                "final": Out(1),
                "o": Out(stream.Signature(32 * columns)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk = walk = TileWalk(self._columns, self._rows)
        row = Signal(range(self._rows))
        last_row = Signal()
        m.d.comb += [
            walk.total_rows.eq(self.command.rows),
            walk.total_channels.eq(self.command.channels),
            walk.start.eq(self.start),
            last_row.eq(row == walk.rows - 1),
            self.final.eq(last_row & walk.last_channels & walk.last_rows),
            self.o.valid.eq(self.i.valid),
            self.o.payload.eq(self.i.payload),
            self.i.ready.eq(self.o.ready),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += row.eq(row + 1)
            with m.If(last_row):
                m.d.comb += walk.next.eq(1)
                m.d.sync += row.eq(0)
        return m
