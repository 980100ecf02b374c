from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out


class ResultSlots(wiring.Component):
    """Gathers the results of a row, which leave the columns one cycle apart, and queues rows.

    The slot of a row is reserved when its beat enters, so nothing is ever refused here.

    Parameters
    ----------
    columns : int
    slots : int

    Attributes
    ----------
    slot, total, write : In
        For every column: where, what and whether to write.
    released : Out(1)
        A row left its slot.
    results : Out(stream)
    """

    def __init__(self, columns: int, slots: int):
        self._columns, self._slots = columns, slots
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
