from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class TileWalk(wiring.Component):
    """Goes through the tiles of a command: blocks of rows, and in each the blocks of channels.

    Activations, weights and results each walk at their own pace.

    Parameters
    ----------
    columns, rows : int
        Channels and rows of a tile that is full.

    Attributes
    ----------
    total_rows, total_channels : In(16)
        M and N of the command, held while walking.
    start : In(1)
        The first tile is the present one from the next cycle on.
    next : In(1)
        The next tile is the present one from the next cycle on.
    rows, channels : Out
        Size of the present tile.
    last_channels, last_rows : Out(1)
        No channels, no rows are left after the present tile.
    """

    def __init__(self, columns: int, rows: int):
        self._columns, self._rows = columns, rows
        super().__init__(
            {
                "total_rows": In(16),
                "total_channels": In(16),
                "start": In(1),
                "next": In(1),
                "rows": Out(range(rows + 1)),
                "channels": Out(range(columns + 1)),
                "last_channels": Out(1),
                "last_rows": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        left_rows = Signal(16)
        left_channels = Signal(16)
        m.d.comb += [
            self.last_rows.eq(left_rows <= self._rows),
            self.last_channels.eq(left_channels <= self._columns),
            self.rows.eq(Mux(self.last_rows, left_rows, self._rows)),
            self.channels.eq(Mux(self.last_channels, left_channels, self._columns)),
        ]
        with m.If(self.start):
            m.d.sync += [left_rows.eq(self.total_rows), left_channels.eq(self.total_channels)]
        with m.Elif(self.next):
            with m.If(self.last_channels):
                m.d.sync += [
                    left_rows.eq(left_rows - self._rows),
                    left_channels.eq(self.total_channels),
                ]
            with m.Else():
                m.d.sync += left_channels.eq(left_channels - self._columns)
        return m
