import operator

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, fifo, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .column import Column
from .decode import GroupDecoder
from .formats import Format


def activation_beat(format: Format) -> data.StructLayout:
    """Return the payload of a tile's activation stream.

    Members
    -------
    group : format.group
        One group of one row of activations.
    first : unsigned(1)
        First group along K: the partial sum of the row starts from +0.
    last : unsigned(1)
        Last group along K: the row's result leaves the tile.
    end : unsigned(1)
        Last row for the present weights: the next beat uses the next set of weights.
    """
    return data.StructLayout({"group": format.group, "first": 1, "last": 1, "end": 1})


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

    Attributes
    ----------
    weights : In(stream.Signature(format.group))
        Sets of weights, column 0 first. May run one set ahead.
    activations : In(stream.Signature(activation_beat(format)))
    results : Out(stream.Signature(data.ArrayLayout(32, columns)))
        FP32 results of one row, column 0 first.

    Raises
    ------
    TypeError
        If ``format`` is not a gateware format, or a size is not an integer.
    ValueError
        If a size is not positive.
    """

    def __init__(self, format: Format, *, columns: int, rows: int):
        if not isinstance(format, Format):
            raise TypeError(f"Format must be a gateware format, not {format!r}")
        self._format = format
        self._columns = _positive("Columns", columns)
        self._rows = _positive("Rows", rows)
        super().__init__(
            {
                "weights": In(stream.Signature(format.group)),
                "activations": In(stream.Signature(activation_beat(format))),
                "results": Out(stream.Signature(data.ArrayLayout(32, self._columns))),
            }
        )

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
        return Column.latency - Column.partial_delay + 2

    @property
    def latency(self) -> int:
        """Cycles from a beat with ``last`` to the first cycle its result is offered."""
        # Front register, columns, slot written, read and held.
        return 1 + Column.latency + (self.columns - 1) + 2

    @property
    def slots(self) -> int:
        """Rows of results under way or waiting: enough for one row a cycle."""
        return self.latency + 1

    def elaborate(self, platform):
        m = Module()
        m.submodules.front = front = TileFront(self)
        wiring.connect(m, wiring.flipped(self.weights), front.weights)
        wiring.connect(m, wiring.flipped(self.activations), front.activations)

        # What a beat does happens one cycle later in every next column.
        length = Column.latency + self.columns
        line = [front.control]
        for position in range(1, length):
            stage = Signal.like(front.control, name=f"control_{position}")
            m.d.sync += stage.eq(line[-1])
            line.append(stage)

        m.submodules.results = results = ResultSlots(self)
        wiring.connect(m, results.results, wiring.flipped(self.results))
        activation = front.operand
        for index in range(self.columns):
            m.submodules[f"column_{index}"] = column = Column(self.format)
            m.submodules[f"partials_{index}"] = partials = Partials(self.rows)
            enter = line[index]
            read = line[index + Column.partial_delay - 1]
            add = line[index + Column.partial_delay]
            write = line[index + Column.latency]
            m.d.comb += [
                column.activation.eq(activation),
                column.weight.eq(front.weight),
                column.swap.eq(enter.valid & enter.swap),
                partials.read_row.eq(read.row),
                column.partial.eq(Mux(add.first, 0, partials.read_data)),
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


def control_layout(tile: SystolicTile) -> data.StructLayout:
    """Return what travels beside a beat.

    Members
    -------
    valid : unsigned(1)
    swap : unsigned(1)
        The beat is the first one of its set of weights.
    first, last : unsigned(1)
    row : range(tile.rows)
    slot : range(tile.slots)
        Where the row's results go, if ``last``.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "swap": 1,
            "first": 1,
            "last": 1,
            "row": range(tile.rows),
            "slot": range(tile.slots),
        }
    )


class TileFront(wiring.Component):
    """Admits beats, decodes them, and keeps the next set of weights.

    Attributes
    ----------
    weights, activations : streams as :class:`SystolicTile`
    operand : Out(format.activation)
        Decoded activations of the beat in ``control``.
    control : Out(control_layout(tile))
    weight : Out(format.weight)
        The weights of column i in the i-th cycle after a beat with ``swap``.
    released : In(1)
        A result slot becomes free.
    """

    def __init__(self, tile: SystolicTile):
        self._tile = tile
        format = tile.format
        super().__init__(
            {
                "weights": In(stream.Signature(format.group)),
                "activations": In(stream.Signature(activation_beat(format))),
                "operand": Out(format.activation),
                "control": Out(control_layout(tile)),
                "weight": Out(format.weight),
                "released": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        tile = self._tile
        beat = self.activations.payload

        # Next weights. A swap takes them out one a cycle, in step with the columns.
        width = tile.format.group.size
        m.submodules.store = store = fifo.SyncFIFOBuffered(width=width, depth=tile.columns + 2)
        taking = Signal(range(tile.columns + 1))
        complete = Signal()
        m.d.comb += [
            store.w_data.eq(self.weights.payload),
            store.w_en.eq(self.weights.valid),
            self.weights.ready.eq(store.w_rdy),
            # The last word of the present set may be leaving in this cycle.
            complete.eq(
                Mux(taking == 1, store.level > tile.columns, store.level >= tile.columns)
                & (taking <= 1)
            ),
        ]

        swap = Signal(init=1)
        row = Signal(range(tile.rows))
        apart = Signal(range(tile.row_distance + 1))
        credits = Signal(range(tile.slots + 1), init=tile.slots)
        slot = Signal(range(tile.slots))
        admitted = Signal()
        m.d.comb += [
            self.activations.ready.eq(
                (~swap | (complete & ~apart.any())) & (~beat.last | credits.any())
            ),
            admitted.eq(self.activations.valid & self.activations.ready),
        ]
        reserved = admitted & beat.last
        m.d.sync += credits.eq(credits + self.released - reserved)
        with m.If(apart.any()):
            m.d.sync += apart.eq(apart - 1)
        with m.If(admitted):
            m.d.sync += [swap.eq(beat.end), row.eq(Mux(beat.end, 0, row + 1))]
            with m.If(beat.end):
                # The next set starts with row 0; its rows follow at least as far apart as
                # these did, so it is enough to keep the shortest possible pass long enough.
                m.d.sync += apart.eq(
                    Mux(row < tile.row_distance - 1, tile.row_distance - 1 - row, 0)
                )
        with m.If(reserved):
            m.d.sync += slot.eq(Mux(slot == tile.slots - 1, 0, slot + 1))

        # One register, then the decoder on the way to column 0.
        group = Signal(tile.format.group, reset_less=True)
        m.submodules.decoder = decoder = GroupDecoder(tile.format)
        m.d.sync += [
            group.eq(beat.group),
            self.control.valid.eq(admitted),
            self.control.swap.eq(swap),
            self.control.first.eq(beat.first),
            self.control.last.eq(beat.last),
            self.control.row.eq(row),
            self.control.slot.eq(slot),
        ]
        m.d.comb += [decoder.group.eq(group), self.operand.eq(decoder.operand)]

        # Column i swaps i cycles after column 0, which is one cycle after admission.
        with m.If(admitted & swap):
            m.d.sync += taking.eq(tile.columns)
        with m.Elif(taking.any()):
            m.d.sync += taking.eq(taking - 1)
        m.d.comb += store.r_en.eq(taking.any())
        words = data.View(tile.format.group, store.r_data)
        m.d.comb += self.weight.scale.eq(words.scale)
        for index in range(tile.format.subgroups):
            encoded = data.View(
                tile.format.encoded_subgroup, Cat(tile.format.encoded(words, index))
            )
            m.d.comb += self.weight.subgroups[index].eq(tile.format.weight_operand(encoded))
        return m


class Partials(wiring.Component):
    """The partial sums of one column, one FP32 a row.

    Read latency 1 cycle. A sum written in one cycle is read with its row given in the next.
    """

    def __init__(self, rows: int):
        self._rows = rows
        super().__init__(
            {
                "read_row": In(range(rows)),
                "read_data": Out(32),
                "write_row": In(range(rows)),
                "write_data": In(32),
                "write_en": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = mem = memory.Memory(shape=32, depth=self._rows, init=[])
        read, write = mem.read_port(), mem.write_port()
        m.d.comb += [
            read.addr.eq(self.read_row),
            self.read_data.eq(read.data),
            write.addr.eq(self.write_row),
            write.data.eq(self.write_data),
            write.en.eq(self.write_en),
        ]
        return m


class ResultSlots(wiring.Component):
    """Gathers the results of a row, which leave the columns one cycle apart, and queues rows.

    The slot of a row is reserved when its beat enters, so nothing is ever refused here.

    Attributes
    ----------
    slot, total, write : In
        For every column: where, what and whether to write.
    released : Out(1)
        A row left its slot.
    results : Out(stream)
    """

    def __init__(self, tile: SystolicTile):
        self._columns, self._slots = tile.columns, tile.slots
        super().__init__(
            {
                "slot": In(range(self._slots)).array(self._columns),
                "total": In(32).array(self._columns),
                "write": In(1).array(self._columns),
                "released": Out(1),
                "results": Out(stream.Signature(data.ArrayLayout(32, self._columns))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # The last column writes last, so its writes are rows complete.
        waiting = Signal(range(self._slots + 1))
        slot = Signal(range(self._slots))
        take = Signal()
        m.d.comb += [
            take.eq(waiting.any() & (~self.results.valid | self.results.ready)),
            self.released.eq(take),
        ]
        m.d.sync += waiting.eq(waiting + self.write[-1] - take)
        with m.If(take):
            m.d.sync += [
                self.results.valid.eq(1),
                slot.eq(Mux(slot == self._slots - 1, 0, slot + 1)),
            ]
        with m.Elif(self.results.ready):
            m.d.sync += self.results.valid.eq(0)
        for index in range(self._columns):
            m.submodules[f"slots_{index}"] = mem = memory.Memory(
                shape=32, depth=self._slots, init=[]
            )
            read, write = mem.read_port(), mem.write_port()
            m.d.comb += [
                write.addr.eq(self.slot[index]),
                write.data.eq(self.total[index]),
                write.en.eq(self.write[index]),
                read.addr.eq(slot),
                read.en.eq(take),
                self.results.payload[index].eq(read.data),
            ]
        return m
