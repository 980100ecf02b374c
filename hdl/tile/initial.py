from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..column import partial_delay
from ..formats import Format


class InitialSums(wiring.Component):
    """Keeps rows of sums to start from until every column has read its own: `ResultSlots` mirrored.

    A row may enter every cycle, and is available in the cycle after.

    Parameters
    ----------
    format : Format
    columns : int

    Attributes
    ----------
    rows : In(stream.Signature(data.ArrayLayout(32, columns)))
    available : Out(1)
        There is a row that no beat has taken yet.
    taken : In(1)
        A beat takes it.
    read : In(1).array(columns)
        The column reads the sum of its next row.
    sums : Out(32).array(columns)
        That sum, one cycle later.
    """

    def __init__(self, format: Format, columns: int):
        self._columns = columns
        # From a row's entry until the last column has read it, at one row a cycle.
        self._depth = columns + format.decode_latency + partial_delay(format) + 2
        super().__init__(
            {
                "rows": In(stream.Signature(data.ArrayLayout(32, columns))),
                "available": Out(1),
                "taken": In(1),
                "read": In(1).array(columns),
                "sums": Out(32).array(columns),
            }
        )

    def elaborate(self, platform):
        m = Module()
        depth = self._depth
        waiting, kept = Signal(range(depth + 1)), Signal(range(depth + 1))
        slot = Signal(range(depth))
        entered = Signal()
        m.d.comb += [
            self.rows.ready.eq(kept != depth),
            entered.eq(self.rows.valid & self.rows.ready),
            self.available.eq(waiting.any()),
        ]
        m.d.sync += [
            waiting.eq(waiting + entered - self.taken),
            # The last column reads last.
            kept.eq(kept + entered - self.read[-1]),
        ]
        with m.If(entered):
            m.d.sync += slot.eq(_following(slot, depth))
        for index in range(self._columns):
            m.submodules[f"slots_{index}"] = mem = memory.Memory(shape=32, depth=depth, init=[])
            read, write = mem.read_port(), mem.write_port()
            place = Signal(range(depth), name=f"place_{index}")
            m.d.comb += [
                write.addr.eq(slot),
                write.data.eq(self.rows.payload[index]),
                write.en.eq(entered),
                read.addr.eq(place),
                self.sums[index].eq(read.data),
            ]
            with m.If(self.read[index]):
                m.d.sync += place.eq(_following(place, depth))
        return m


def _following(slot: Signal, depth: int):
    return Mux(slot == depth - 1, 0, slot + 1)
