from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class Partials(wiring.Component):
    """The partial sums of one column, one FP32 a row.

    Read latency 1 cycle. A sum written in one cycle is read with its row given in the next.

    Parameters
    ----------
    rows : int

    Attributes
    ----------
    read_row : In(range(rows))
    read_data : Out(32)
    write_row : In(range(rows))
    write_data : In(32)
    write_en : In(1)
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
