import operator

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["UartReceiver", "UartTransmitter"]

#: Bit periods that the line must be low to count as a break.
BREAK_BITS = 31


class UartReceiver(wiring.Component):
    """Receives bytes of 8 data bits, no parity, one stop bit.

    Each bit is sampled once, in its middle. A start bit that is over by then is ignored, and so
    is a byte without its stop bit; after that the line must be high before the next start.
    A byte is there half a bit after its stop bit began.

    Parameters
    ----------
    divisor : int
        Clock cycles of a bit, from 4 to 65535.

    Attributes
    ----------
    rx : In(1)
        The pin; synchronized inside, high when idle.
    data : Out(8)
    strobe : Out(1)
        A byte is there, for one cycle; it cannot be held back.
    break_ : Out(1)
        The line is low in the middle of the 31st bit from a start bit, and has been since that of
        the stop bit, the 10th; for one cycle. So any 31 low bits are a break, and no 20 are.

    Raises
    ------
    TypeError
        If ``divisor`` is not an integer.
    ValueError
        If it is out of range.
    """

    def __init__(self, divisor: int):
        self._divisor = _divisor(divisor)
        super().__init__({"rx": In(1, init=1), "data": Out(8), "strobe": Out(1), "break_": Out(1)})

    @property
    def divisor(self) -> int:
        """Clock cycles of a bit."""
        return self._divisor

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)
        timer = Signal(range(self._divisor))
        bits = Signal(range(BREAK_BITS + 1))
        tick = Signal()
        m.d.comb += tick.eq(timer == 0)
        m.d.sync += [
            timer.eq(timer - 1),
            self.strobe.eq(0),
            self.break_.eq(0),
        ]
        with m.If(tick):
            m.d.sync += timer.eq(self._divisor - 1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [timer.eq(self._divisor // 2 - 1), bits.eq(0)]
                with m.If(~line):
                    m.next = "BITS"
            with m.State("BITS"), m.If(tick):
                m.d.sync += bits.eq(bits + 1)
                with m.If(bits < 9):
                    # The start bit is shifted out again by the last data bit.
                    m.d.sync += self.data.eq(Cat(self.data[1:], line))
                    with m.If((bits == 0) & line):
                        m.next = "IDLE"
                with m.Else():
                    m.d.sync += self.strobe.eq(line)
                    m.next = "HIGH"
            with m.State("HIGH"):
                with m.If(line):
                    m.next = "IDLE"
                with m.Elif(tick & (bits != BREAK_BITS)):
                    m.d.sync += [bits.eq(bits + 1), self.break_.eq(bits == BREAK_BITS - 1)]
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes of 8 data bits, no parity, one stop bit: a byte every ``10 * divisor`` cycles.

    Parameters
    ----------
    divisor : int
        Clock cycles of a bit, from 4 to 65535.

    Attributes
    ----------
    i : In(stream.Signature(8))
        Bytes.
    tx : Out(1)
        The pin, out of a flip-flop; high when idle.

    Raises
    ------
    TypeError
        If ``divisor`` is not an integer.
    ValueError
        If it is out of range.
    """

    def __init__(self, divisor: int):
        self._divisor = _divisor(divisor)
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    @property
    def divisor(self) -> int:
        """Clock cycles of a bit."""
        return self._divisor

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self._divisor))
        left = Signal(range(11))
        # Bits yet to be sent, the one on the line first; ones follow.
        shift = Signal(10, init=~0)
        m.d.comb += [self.tx.eq(shift[0]), self.i.ready.eq(left == 0)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                shift.eq(Cat(Const(0, 1), self.i.payload, Const(1, 1))),
                left.eq(10),
                timer.eq(self._divisor - 1),
            ]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(left != 0):
            m.d.sync += [
                shift.eq(Cat(shift[1:], Const(1, 1))),
                left.eq(left - 1),
                timer.eq(self._divisor - 1),
            ]
        # The byte that waits is taken at the end of the stop bit, not a cycle later.
        with m.If((left == 1) & (timer == 0)):
            m.d.comb += self.i.ready.eq(1)
        return m


def _divisor(value: int) -> int:
    message = f"Divisor must be an integer from 4 to 65535, not {value!r}"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(message) from None
    if not 4 <= number <= 65535:
        raise ValueError(message)
    return number
