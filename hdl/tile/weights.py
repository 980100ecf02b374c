from amaranth.hdl import Module, Signal
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from ..skew import skewed


class WeightStore(wiring.Component):
    """Keeps the next set of weights, and hands it out in step with the swap.

    A word entered is counted one cycle later, so a set is complete at the earliest ``columns``
    cycles after its first word entered.

    Parameters
    ----------
    format : Format
    columns : int
        Words of a set.

    Attributes
    ----------
    words : In(stream.Signature(format.group))
        Column 0 first.
    complete : Out(1)
        All words of the next set are here; ``swap`` may go high ``format.decode_latency`` later.
    swap : In(1)
        Hand out the set: word i is on ``weight`` in the (i + 1)-th cycle after this one.
    weight : Out(format.weight)
        Its parts trail the elements by ``format.delays``.
    """

    def __init__(self, format: Format, columns: int):
        self._format, self._columns = format, columns
        super().__init__(
            {
                "words": In(stream.Signature(format.group)),
                "complete": Out(1),
                "swap": In(1),
                "weight": Out(format.weight),
            }
        )

    def elaborate(self, platform):
        m = Module()
        columns, group = self._columns, self._format.group

        # Of the present set, this many words may not have left when the next set is complete: they
        # will have when it is swapped in, but for one that leaves in that very cycle.
        leaving = 1 + self._format.decode_latency
        m.submodules.store = store = fifo.SyncFIFOBuffered(
            width=group.size, depth=columns + leaving + 1
        )
        taking = Signal(range(columns + 1))
        m.d.comb += [
            store.w_data.eq(self.words.payload),
            store.w_en.eq(self.words.valid),
            self.words.ready.eq(store.w_rdy),
            store.r_en.eq(taking.any()),
            self.complete.eq((taking <= leaving) & (store.level >= columns + taking)),
        ]
        with m.If(self.swap):
            m.d.sync += taking.eq(columns)
        with m.Elif(taking.any()):
            m.d.sync += taking.eq(taking - 1)

        word = data.View(group, store.r_data)
        decoded = Signal(self._format.weight)
        m.d.comb += [
            decoded.eq(self._format.decode_weight(m, word)),
            self.weight.eq(skewed(m, decoded, self._format.delays)),
        ]
        return m
