"""The bits of the board's UART."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hdl.board.uart import BREAK_BITS, UartReceiver, UartTransmitter

from ..checker import Checker
from ..reach import prove_invariants
from .harness import flags
from .proof import COUNTED, Proof

#: The least divisor, and the cycles of a start bit, eight data bits and a stop bit.
_DIVISOR = 4
_FRAME = 10 * _DIVISOR


class TransmitterHarness(wiring.Component):
    """Around a transmitter; any bytes, any gaps between them.

    Attributes
    ----------
    offer, byte : In
    """

    def __init__(self):
        seen = flags(("line", "ready"), ("gap", "adjacent"))
        super().__init__({"offer": In(1), "byte": In(8), **seen})

    def elaborate(self, platform):
        """Keep the byte and the cycles since it was taken: both say what the line has to be."""
        m = Module()
        m.submodules.unit = unit = UartTransmitter(_DIVISOR)
        byte, age = Signal(8), Signal(range(_FRAME + 1))
        taken = unit.i.valid & unit.i.ready
        m.d.comb += [unit.i.valid.eq(self.offer), unit.i.payload.eq(self.byte)]
        last = age == _FRAME
        with m.If(taken):
            m.d.sync += [byte.eq(self.byte), age.eq(1)]
        with m.Elif(age > 0):
            m.d.sync += age.eq(Mux(last, 0, age + 1))
        bits = Cat(Const(0, 1), byte, Const(1, 1))
        level = Array([1, *(bits[cycle // _DIVISOR] for cycle in range(_FRAME))])[age]
        m.d.comb += [
            self.bad_line.eq(unit.tx != level),
            # Of registers only, and so soon that a byte that waits follows without a gap.
            self.bad_ready.eq(unit.i.ready != ((age == 0) | last)),
            self.cover_gap.eq(last & ~taken),
            self.cover_adjacent.eq(last & taken),
        ]
        return m


class LoopHarness(wiring.Component):
    """Around a transmitter and a receiver on its line, with one clock.

    Attributes
    ----------
    offer, byte : In
    """

    #: Cycles from a byte's transfer to its strobe: onto the line, through the synchronizer, to the
    #: middle of the start bit, to that of the stop bit, out of a flip-flop.
    latency = 1 + 2 + _DIVISOR // 2 + 9 * _DIVISOR + 1

    def __init__(self):
        seen = flags(("byte", "surplus", "lost", "break"), ("late", "adjacent"))
        super().__init__({"offer": In(1), "byte": In(8), **seen})

    def elaborate(self, platform):
        """Queue the bytes under way: one, or two while the first one's stop bit is sampled."""
        m = Module()
        m.submodules.sender = sender = UartTransmitter(_DIVISOR)
        m.submodules.receiver = receiver = UartReceiver(_DIVISOR)
        m.d.comb += [
            sender.i.valid.eq(self.offer),
            sender.i.payload.eq(self.byte),
            receiver.rx.eq(sender.tx),
        ]
        taken, leaving = sender.i.valid & sender.i.ready, receiver.strobe
        first, second, inside = Signal(8), Signal(8), Signal(range(4))
        waited = Signal(range(self.latency + 2))
        m.d.sync += [
            inside.eq(inside + taken - leaving),
            waited.eq(Mux((inside == 0) | leaving, 1, waited + 1)),
        ]
        with m.If(leaving):
            m.d.sync += first.eq(second)
        with m.If(taken & (inside == leaving)):
            m.d.sync += first.eq(self.byte)
        with m.Elif(taken):
            m.d.sync += second.eq(self.byte)
        m.d.comb += [
            self.bad_byte.eq(leaving & (receiver.data != first)),
            self.bad_surplus.eq((leaving & (inside == 0)) | (inside == 3)),
            self.bad_lost.eq((inside > 0) & (waited > self.latency)),
            self.bad_break.eq(receiver.break_),
            self.cover_late.eq(leaving & (waited == self.latency)),
            self.cover_adjacent.eq(leaving & (inside == 2)),
        ]
        return m


class ReceiverHarness(wiring.Component):
    """Around a receiver with any line whatever.

    Attributes
    ----------
    rx : In(1)
    """

    #: Cycles from the first low one to the middle of the start, the stop and the break's last bit.
    start = _DIVISOR // 2
    stop = start + 9 * _DIVISOR
    end = start + (BREAK_BITS - 1) * _DIVISOR

    def __init__(self):
        bad = ("strobe", "byte", "break", "early", "missed")
        seen = flags(bad, ("byte", "no_stop", "glitch", "break", "early"))
        super().__init__({"rx": In(1, init=1), **seen})

    def elaborate(self, platform):
        """Count the cycles since what looks like a start bit."""
        m = Module()
        m.submodules.unit = unit = UartReceiver(_DIVISOR)
        m.d.comb += unit.rx.eq(self.rx)
        line = Signal(init=1)
        m.d.comb += line.eq(_synchronized(m, self.rx))
        byte, age = Signal(8), Signal(range(self.end + 2))
        due, broken = Signal(), Signal()
        glitch = (age == self.start) & line
        m.d.sync += [due.eq((age == self.stop) & line), broken.eq((age == self.end) & ~line)]
        with m.If(glitch | ((age > self.stop) & line)):
            m.d.sync += age.eq(0)
        with m.Elif(((age > 0) | ~line) & (age <= self.end)):
            m.d.sync += age.eq(age + 1)
        for index in range(8):
            with m.If(age == self.start + (index + 1) * _DIVISOR):
                m.d.sync += byte[index].eq(line)
        m.d.comb += [
            self.bad_strobe.eq(unit.strobe != due),
            self.bad_byte.eq(unit.strobe & (unit.data != byte)),
            self.bad_break.eq(unit.break_ != broken),
            self.cover_byte.eq(unit.strobe),
            self.cover_no_stop.eq((age == self.stop) & ~line),
            self.cover_glitch.eq(glitch),
        ]
        self._watch_breaks(m, line, unit.break_)
        return m

    def _watch_breaks(self, m: Module, line, strobe) -> None:
        """Compare breaks with how long the line has been low, whatever came before."""
        enough, least = BREAK_BITS * _DIVISOR, self.end - self.stop
        low, seen = Signal(range(enough + 1)), Signal()
        m.d.sync += [
            low.eq(Mux(line, 0, Mux(low < enough, low + 1, low))),
            seen.eq(~line & (seen | strobe)),
        ]
        m.d.comb += [
            self.bad_early.eq(strobe & ((low < least) | seen)),
            self.bad_missed.eq((low == enough) & ~(seen | strobe)),
            self.cover_break.eq((low == enough) & seen),
            self.cover_early.eq(strobe & (low == least)),
        ]


def _synchronized(m: Module, pin):
    """Return what two flip-flops make of a pin; a reset does not touch them."""
    for rank in range(2):
        later = Signal(init=1, reset_less=True, name=f"line_{rank}")
        m.d.sync += later.eq(pin)
        pin = later
    return pin


def transmitter(check: Checker) -> None:
    """Check the line, cycle by cycle."""
    prove_invariants(check, TransmitterHarness())


def loop(check: Checker) -> None:
    """Check that what is sent is received."""
    prove_invariants(check, LoopHarness())


def receiver(check: Checker) -> None:
    """Check what a receiver makes of any line."""
    prove_invariants(check, ReceiverHarness())


_SMALLEST = "the divisor is the least, 4; all bytes are free"

PROOFS = [
    Proof(
        "bits of the UART's transmitter",
        "UartTransmitter",
        "Every byte that is taken is on the line from the next cycle on: a start bit, eight data "
        "bits from the lowest, a stop bit, each for exactly divisor cycles; the line is high "
        "otherwise. A byte is taken in a cycle exactly if none is on the line or the last cycle "
        "of a stop bit is, so one that waits follows without a gap, 10 * divisor cycles later.",
        COUNTED,
        _SMALLEST,
        transmitter,
        (
            "board: bits are sent from the highest",
            "board: bits on the line are a cycle short",
            "board: a byte that waits comes late",
        ),
    ),
    Proof(
        "bits of the UART's receiver",
        "UartReceiver",
        "Whatever the line does, a byte is strobed exactly if a start bit was low in its middle "
        "and the stop bit high in its own, with the data bits of their middles, and the line was "
        "high in between. Whenever the line has been low for 31 bits, one break has been strobed, "
        "and one only. No break comes before the line was low for 21 bits, but one may then: "
        "the 31 bits are counted from a start bit, though data bits of the byte may be high.",
        COUNTED,
        _SMALLEST + "; a reset leaves the synchronizer as it is",
        receiver,
        (
            "board: no stop bit is asked for",
            "board: bits are sampled at their end",
            "board: bits are received from the highest",
            "board: a glitch is a start bit",
            "board: a break is forgotten with its byte",
        ),
    ),
    Proof(
        "UART in a loop",
        "UartTransmitter, UartReceiver",
        "What the transmitter takes, the receiver strobes: every byte once, in order, at most "
        "10.5 bits later, and no break.",
        COUNTED,
        _SMALLEST + "; one clock for both ends; a reset leaves the synchronizer as it is",
        loop,
        (
            "board: bits are sent from the highest",
            "board: bits are received from the highest",
            "board: odd bytes are not strobed",
        ),
        quick=False,
    ),
]
