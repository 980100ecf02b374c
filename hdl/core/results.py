from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from ..quantizer import QuantizationEngine
from .layouts import Command, Output, axis
from .walk import TileWalk


class RowCounter(wiring.Component):
    """Knows the place of every result row in its command.

    After ``next``, one cycle later, outputs are those of the following row. Rows may follow each
    other in every cycle.

    Attributes
    ----------
    command, start
        As everywhere in the core.
    next : In(1)
        A row passes.
    channels : Out(range(columns + 1))
        Channels of the present row.
    last : Out(1)
        The present row is the last one of the command.
    """

    def __init__(self, *, columns: int, rows: int):
        self._columns, self._rows = columns, rows
        super().__init__(
            {
                "command": In(Command),
                "start": In(1),
                "next": In(1),
                "channels": Out(range(columns + 1)),
                "last": Out(1),
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
            self.channels.eq(walk.channels),
            self.last.eq(last_row & walk.last_channels & walk.last_rows),
        ]
        with m.If(self.next):
            m.d.sync += row.eq(row + 1)
            with m.If(last_row):
                m.d.comb += walk.next.eq(1)
                m.d.sync += row.eq(0)
        return m


class ResultStage(wiring.Component):
    """Turns rows of sums into beats of the result stream, quantized if the command says so.

    Latency 0 for FP32; that of `QuantizationEngine` with 32 lanes, 2 cycles, for groups. One
    row a cycle.

    Parameters
    ----------
    format : Format
    columns, rows : int
        Size of the tile.
    quantize : bool
        Whether to build the quantization engines, one for 32 columns.

    Attributes
    ----------
    command, start
        As everywhere in the core.
    sums : In(stream.Signature(data.ArrayLayout(32, columns)))
    results : Out(axis(32 * columns, keep=True))
    done : Out(1)
        The last beat of the command passes.
    nans : Out(range(columns + 1))
        NaN sums of the row that was taken a cycle ago.
    """

    def __init__(self, format: Format, *, columns: int, rows: int, quantize: bool):
        self._format, self._quantize = format, quantize
        self._columns, self._rows = columns, rows
        super().__init__(
            {
                "command": In(Command),
                "start": In(1),
                "sums": In(stream.Signature(data.ArrayLayout(32, columns))),
                "results": Out(axis(32 * columns, keep=True)),
                "done": Out(1),
                "nans": Out(range(columns + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.place = place = RowCounter(columns=self._columns, rows=self._rows)
        beat = self.results.payload
        passes = Signal()
        m.d.comb += [
            place.command.eq(self.command),
            place.start.eq(self.start),
            passes.eq(self.results.valid & self.results.ready),
            place.next.eq(passes),
            beat.last.eq(place.last),
            self.done.eq(passes & place.last),
        ]
        if self._quantize:
            with m.If(self.command.output == Output.GROUPS):
                self._groups(m, place)
            with m.Else():
                self._fp32(m, place)
            # Rows enter the engines ahead of the beats that leave them.
            m.submodules.entering = entering = RowCounter(columns=self._columns, rows=self._rows)
            m.d.comb += [
                entering.command.eq(self.command),
                entering.start.eq(self.start),
                entering.next.eq(self.sums.valid & self.sums.ready),
            ]
        else:
            self._fp32(m, place)
            entering = place
        exists = Signal(self._columns)
        m.d.comb += exists.eq(Cat(i < entering.channels for i in range(self._columns)))
        nans = [
            word[22:31].all() & there for word, there in zip(self.sums.payload, exists, strict=True)
        ]
        m.d.sync += self.nans.eq(0)
        with m.If(self.sums.valid & self.sums.ready):
            m.d.sync += self.nans.eq(_sum(nans))
        return m

    def _fp32(self, m: Module, place: RowCounter) -> None:
        beat = self.results.payload
        keep = Cat((i < place.channels).replicate(4) for i in range(self._columns))
        m.d.comb += [
            self.results.valid.eq(self.sums.valid),
            self.sums.ready.eq(self.results.ready),
            beat.data.eq(self.sums.payload),
            beat.keep.eq(keep),
        ]

    def _groups(self, m: Module, place: RowCounter) -> None:
        lanes, size = self._format.lanes, self._format.group.size
        count = self._columns // lanes
        engines = [QuantizationEngine(self._format) for _ in range(count)]
        for index, engine in enumerate(engines):
            m.submodules[f"engine_{index}"] = engine
            words = [self.sums.payload[lanes * index + lane] for lane in range(lanes)]
            # The engines move in step, so one of them speaks for all.
            m.d.comb += [
                engine.values.valid.eq(self.sums.valid),
                engine.values.payload.eq(Cat(words)),
                engine.groups.ready.eq(self.results.ready),
            ]
        keep = Cat((lanes * i < place.channels).replicate(size // 8) for i in range(count))
        m.d.comb += [
            self.results.valid.eq(engines[0].groups.valid),
            self.sums.ready.eq(engines[0].values.ready),
            self.results.payload.data.eq(Cat(engine.groups.payload for engine in engines)),
            self.results.payload.keep.eq(keep),
        ]


def _sum(bits: list):
    """Add bits as a balanced tree."""
    if len(bits) == 1:
        return bits[0]
    half = len(bits) // 2
    return _sum(bits[:half]) + _sum(bits[half:])
