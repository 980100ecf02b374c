from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..decode import GroupDecoder
from ..formats import Format
from ..skew import delayed, skewed
from .beat import activation_beat, control_layout
from .weights import WeightStore


class TileFront(wiring.Component):
    """Admits beats when all they need is there, decodes them and swaps the weights.

    Latency from a beat's transfer to ``control`` and ``operand`` is
    ``1 + format.decode_latency`` cycles.

    Parameters
    ----------
    format : Format
    columns, rows, slots : int
        Columns of the tile, rows of partial sums, result slots.
    row_distance : int
        Least cycles between two beats of one row.

    Attributes
    ----------
    weights, activations : In(stream)
        As those of the tile.
    control : Out(control_layout(rows, slots))
        The beat that enters column 0 in this cycle.
    operand : Out(format.activation)
        Its decoded activations. Their parts trail the elements by ``format.delays``, here and in
        ``weight``.
    weight : Out(format.weight)
        The weights of column i in the i-th cycle after a beat with ``swap`` is in ``control``.
    released : In(1)
        A result slot becomes free.
    initial : In(1)
        What a sum starts from is there; a beat with ``first`` waits for it.
    started : Out(1)
        A beat with ``first`` enters.
    """

    def __init__(self, format: Format, *, columns: int, rows: int, slots: int, row_distance: int):
        self._format = format
        self._columns, self._rows, self._slots = columns, rows, slots
        self._row_distance = row_distance
        super().__init__(
            {
                "weights": In(stream.Signature(format.group)),
                "activations": In(stream.Signature(activation_beat(format))),
                "control": Out(control_layout(rows, slots)),
                "operand": Out(format.activation),
                "weight": Out(format.weight),
                "released": In(1),
                "initial": In(1),
                "started": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        beat = self.activations.payload
        m.submodules.store = store = WeightStore(self._format, self._columns)
        wiring.connect(m, wiring.flipped(self.weights), store.words)

        decoding = self._format.decode_latency
        swap = Signal(init=1)
        row = Signal(range(self._rows))
        slot = Signal(range(self._slots))
        free = Signal(range(self._slots + 1), init=self._slots)
        apart = Signal(range(self._row_distance + 1))
        admitted, reserved = Signal(), Signal()
        m.d.comb += [
            self.activations.ready.eq(
                (~swap | (store.complete & ~apart.any()))
                & (~beat.last | free.any())
                & (~beat.first | self.initial)
            ),
            admitted.eq(self.activations.valid & self.activations.ready),
            reserved.eq(admitted & beat.last),
            self.started.eq(admitted & beat.first),
            # The set is as complete one cycle later: the next swap is row_distance away.
            store.swap.eq(delayed(m, admitted & swap, decoding, "swap")),
            self.weight.eq(store.weight),
        ]
        m.d.sync += free.eq(free + self.released - reserved)
        with m.If(reserved):
            m.d.sync += slot.eq(Mux(slot == self._slots - 1, 0, slot + 1))
        with m.If(apart.any()):
            m.d.sync += apart.eq(apart - 1)
        with m.If(admitted):
            m.d.sync += [swap.eq(beat.end), row.eq(Mux(beat.end, 0, row + 1))]
            with m.If(beat.end):
                # Rows of the next pass cannot overtake each other, so keeping its first one
                # far enough from this last one keeps each far enough from itself.
                wait = self._row_distance - 1 - row
                m.d.sync += apart.eq(Mux(row < self._row_distance - 1, wait, 0))

        group = Signal(self._format.group, reset_less=True)
        control = Signal(self.control.shape())
        m.submodules.decoder = decoder = GroupDecoder(self._format)
        m.d.sync += [
            group.eq(beat.group),
            control.valid.eq(admitted),
            control.swap.eq(swap),
            control.first.eq(beat.first),
            control.last.eq(beat.last),
            control.row.eq(row),
            control.slot.eq(slot),
        ]
        m.d.comb += [
            decoder.group.eq(group),
            self.operand.eq(skewed(m, decoder.operand, self._format.delays)),
            self.control.eq(delayed(m, control, decoding, "control")),
        ]
        return m
