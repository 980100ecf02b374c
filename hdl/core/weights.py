from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .layouts import Command
from .walk import TileWalk


class WeightFeeder(wiring.Component):
    """Makes whole sets of weights: zeros take the place of channels that do not exist.

    Sets follow each other for every tile of `TileWalk` and in each for every group along K.
    Latency 0, one word a cycle.

    Parameters
    ----------
    width : int
        Bits of a group.
    columns, rows : int
        Size of the tile.

    Attributes
    ----------
    command : In(Command)
        Held while the command runs.
    start : In(1)
        Begins a command.
    i : In(stream.Signature(width))
        Groups of the channels that exist.
    final : Out(1)
        The group on ``i`` is the last one of the command.
    o : Out(stream.Signature(width))
    """

    def __init__(self, width: int, *, columns: int, rows: int):
        self._columns, self._rows = columns, rows
        super().__init__(
            {
                "command": In(Command),
                "start": In(1),
                "i": In(stream.Signature(width)),
                "final": Out(1),
                "o": Out(stream.Signature(width)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk = walk = TileWalk(self._columns, self._rows)
        # A signal of no bits is no Verilog.
        column = Signal(range(max(2, self._columns)))
        left = Signal(16)
        running, exists, last_tile = Signal(), Signal(), Signal()
        m.d.comb += [
            walk.total_rows.eq(self.command.rows),
            walk.total_channels.eq(self.command.channels),
            walk.start.eq(self.start),
            exists.eq(column < walk.channels),
            last_tile.eq(walk.last_channels & walk.last_rows),
            self.final.eq(last_tile & (left == 1) & (column == walk.channels - 1)),
            self.o.valid.eq(running & (~exists | self.i.valid)),
            self.i.ready.eq(running & exists & self.o.ready),
        ]
        with m.If(exists):
            m.d.comb += self.o.payload.eq(self.i.payload)

        with m.If(self.start):
            m.d.sync += [running.eq(1), left.eq(self.command.groups)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += column.eq(column + 1)
            with m.If(column == self._columns - 1):
                m.d.sync += [column.eq(0), left.eq(left - 1)]
                with m.If(left == 1):
                    m.d.comb += walk.next.eq(1)
                    m.d.sync += [left.eq(self.command.groups), running.eq(~last_tile)]
        return m
