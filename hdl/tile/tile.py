import operator

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..column import Column, column_latency, partial_delay
from ..formats import Format
from .beat import activation_beat
from .front import TileFront
from .initial import InitialSums
from .partials import Partials
from .results import ResultSlots


class SystolicTile(wiring.Component):
    """Weight-stationary systolic tile: ``columns`` dot products of one group a cycle.

    A set of weights is one group for each column. Beats of activations stream past a set, one
    row each; rows are numbered from 0 after every ``end``. Each column keeps one FP32 partial
    sum a row, from the beat with ``first`` to the beat with ``last``, whose results leave as
    one row. The next set of weights loads while the present one computes.

    Nothing in the columns stalls. A beat enters when its weights are there, when the partial
    sums of the same row have been written, and, for ``last``, when a result slot is free; that
    is how backpressure is kept from losing anything.

    Latency from a beat with ``last`` to its result is :attr:`latency` cycles. Throughput is one
    beat a cycle. A set of weights lasts at least ``columns`` cycles and, with fewer rows than
    :attr:`row_distance`, at least ``row_distance`` cycles.

    Parameters
    ----------
    format : Format
    columns : int
        Output channels that are computed at once.
    rows : int
        Rows of partial sums that a column keeps. Streaming more rows before ``end`` is an error
        that is not detected here: they overwrite the first ones.
    initial : bool
        Whether sums start from a row of the stream ``initial`` instead of +0.

    Attributes
    ----------
    weights : In(stream.Signature(format.group))
        Sets of weights, column 0 first. May run one set ahead.
    activations : In(stream.Signature(activation_beat(format)))
    results : Out(stream.Signature(data.ArrayLayout(32, columns)))
        FP32 results of one row, column 0 first.
    initial : In(stream.Signature(data.ArrayLayout(32, columns)))
        With ``initial`` only: what the sums of a row start from; every beat with ``first`` takes
        one.

    Raises
    ------
    TypeError
        If ``format`` is not a gateware format, or a size is not an integer.
    ValueError
        If a size is not positive.
    """

    def __init__(self, format: Format, *, columns: int, rows: int, initial: bool = False):
        if not isinstance(format, Format):
            raise TypeError(f"Format must be a gateware format, not {format!r}")
        self._format = format
        self._columns = _positive("Columns", columns)
        self._rows = _positive("Rows", rows)
        self._initial = bool(initial)
        row = stream.Signature(data.ArrayLayout(32, self._columns))
        members = {
            "weights": In(stream.Signature(format.group)),
            "activations": In(stream.Signature(activation_beat(format))),
            "results": Out(row),
        }
        super().__init__(members | ({"initial": In(row)} if initial else {}))

    @property
    def format(self) -> Format:
        """Format of activations and weights."""
        return self._format

    @property
    def columns(self) -> int:
        """Output channels that are computed at once."""
        return self._columns

    @property
    def rows(self) -> int:
        """Rows of partial sums that a column keeps."""
        return self._rows

    @property
    def row_distance(self) -> int:
        """Least cycles between two beats of the same row: partial sum read, added, written."""
        return column_latency(self.format) - partial_delay(self.format) + 2

    @property
    def latency(self) -> int:
        """Cycles from a beat with ``last`` to the first cycle its result is offered."""
        # Front register, decoding, columns, slot written, read and held.
        return 1 + self.format.decode_latency + column_latency(self.format) + (self.columns - 1) + 2

    @property
    def slots(self) -> int:
        """Rows of results under way or waiting: enough for one row a cycle."""
        return self.latency + 1

    def elaborate(self, platform):
        m = Module()
        m.submodules.front = front = TileFront(
            self.format,
            columns=self.columns,
            rows=self.rows,
            slots=self.slots,
            row_distance=self.row_distance,
        )
        wiring.connect(m, wiring.flipped(self.weights), front.weights)
        wiring.connect(m, wiring.flipped(self.activations), front.activations)

        # What a beat does happens one cycle later in every next column.
        length = column_latency(self.format) + self.columns
        line = [front.control]
        for position in range(1, length):
            stage = Signal.like(front.control, name=f"control_{position}")
            m.d.sync += stage.eq(line[-1])
            line.append(stage)

        m.submodules.results = results = ResultSlots(self.columns, self.slots)
        wiring.connect(m, results.results, wiring.flipped(self.results))
        if self._initial:
            m.submodules.initial = initial = InitialSums(self.format, self.columns)
            wiring.connect(m, wiring.flipped(self.initial), initial.rows)
            m.d.comb += [
                front.initial.eq(initial.available),
                initial.taken.eq(front.started),
            ]
        else:
            m.d.comb += front.initial.eq(1)
        activation = front.operand
        for index in range(self.columns):
            m.submodules[f"column_{index}"] = column = Column(self.format)
            m.submodules[f"partials_{index}"] = partials = Partials(self.rows)
            read = line[index + column.partial_delay - 1]
            add = line[index + column.partial_delay]
            write = line[index + column.latency]
            start = 0
            if self._initial:
                m.d.comb += initial.read[index].eq(read.valid & read.first)
                start = initial.sums[index]
            m.d.comb += [
                column.activation.eq(activation),
                column.weight.eq(front.weight),
                column.swap.eq(Cat(beat.valid & beat.swap for beat in line[index:])),
                partials.read_row.eq(read.row),
                column.partial.eq(Mux(add.first, start, partials.read_data)),
                partials.write_row.eq(write.row),
                partials.write_data.eq(column.total),
                partials.write_en.eq(write.valid),
                results.slot[index].eq(write.slot),
                results.total[index].eq(column.total),
                results.write[index].eq(write.valid & write.last),
            ]
            activation = column.activation_next
        m.d.comb += front.released.eq(results.released)
        return m


def _positive(name: str, value: int) -> int:
    message = f"{name} must be a positive integer, not {value!r}"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(message) from None
    if number < 1:
        raise ValueError(message)
    return number
