import operator

from amaranth.hdl import Module, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..core import GemmCore
from .frames import MAX_PAYLOAD, Stream
from .receiver import FrameReceiver
from .sender import FrameSender
from .uart import UartReceiver, UartTransmitter

__all__ = ["BoardTop"]


class BoardTop(wiring.Component):
    """A GEMM core whose streams are frames on a UART: see `docs/board.md`.

    A break on ``rx`` resets everything but the UART's receiver.

    Parameters
    ----------
    core : GemmCore
        With at most 63 columns, so that a beat of results is one frame, and without the options
        ``accumulate`` and ``quantize``.
    frequency : int
        Of the clock, in Hz.
    baud : int
        Bits a second on the wire; the clock must give it to within 2 %.

    Attributes
    ----------
    rx : In(1)
    tx : Out(1)
        Pins of the UART, from the host and to it, high when idle.

    Raises
    ------
    TypeError
        If ``core`` is not a core, or a number is not an integer.
    ValueError
        If the core has too many columns or an option, or the clock does not give the baud rate.
    """

    def __init__(self, core: GemmCore, *, frequency: int, baud: int):
        if not isinstance(core, GemmCore):
            raise TypeError(f"Core must be a GemmCore, not {core!r}")
        most = MAX_PAYLOAD // 4
        if core.columns > most:
            raise ValueError(f"Columns must be at most {most} behind a UART, not {core.columns}")
        for option in ("accumulate", "quantize"):
            if getattr(core, option):
                raise ValueError(f"Core must be built without {option} behind a UART")
        self._core = core
        self._frequency = _positive("Frequency", frequency)
        self._baud = _positive("Baud rate", baud)
        self._divisor = round(self._frequency / self._baud)
        if self._divisor < 4 or abs(self._frequency / self._divisor / self._baud - 1) > 0.02:
            raise ValueError(
                f"Baud rate must divide the clock of {self._frequency} Hz by 4 or more, to within "
                f"2 %, not {self._baud}"
            )
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    @property
    def core(self) -> GemmCore:
        """The core inside."""
        return self._core

    @property
    def divisor(self) -> int:
        """Clock cycles of a bit on the wire."""
        return self._divisor

    @property
    def sizes(self) -> dict[Stream, int]:
        """Bytes of a beat of every stream to the core."""
        return {
            each: -(-len(getattr(self._core, each.name.lower()).payload.data) // 8)
            for each in Stream
        }

    def elaborate(self, platform):
        m = Module()
        m.submodules.uart_rx = uart_rx = UartReceiver(self._divisor)
        reset = ResetInserter(uart_rx.break_)
        uart_tx = UartTransmitter(self._divisor)
        receiver, sender = FrameReceiver(self.sizes), FrameSender(self._core.columns)
        m.submodules.uart_tx = reset(uart_tx)
        m.submodules.receiver = reset(receiver)
        m.submodules.sender = reset(sender)
        m.submodules.core = reset(self._core)
        m.d.comb += [
            uart_rx.rx.eq(self.rx),
            self.tx.eq(uart_tx.tx),
            receiver.data.eq(uart_rx.data),
            receiver.strobe.eq(uart_rx.strobe),
        ]
        wiring.connect(m, sender.o, uart_tx.i)
        wiring.connect(m, receiver.acknowledge, sender.acknowledge)
        self._connect_inputs(m, receiver.o)
        for name in ("results", "status"):
            source, sink = getattr(self._core, name), getattr(sender, name)
            m.d.comb += [
                sink.valid.eq(source.valid),
                source.ready.eq(sink.ready),
                # How many sums of a beat count, TKEEP, follows from the command.
                sink.payload.data.eq(source.payload.data),
                sink.payload.last.eq(source.payload.last),
            ]
        return m

    def _connect_inputs(self, m, beats) -> None:
        for target, size in self.sizes.items():
            sink = getattr(self._core, target.name.lower())
            with m.If(beats.payload.stream == target):
                m.d.comb += [sink.valid.eq(beats.valid), beats.ready.eq(sink.ready)]
            m.d.comb += [
                sink.payload.data.eq(beats.payload.data[len(beats.payload.data) - 8 * size :]),
                sink.payload.last.eq(beats.payload.last),
            ]


def _positive(name: str, value: int) -> int:
    message = f"{name} must be a positive integer, not {value!r}"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(message) from None
    if number < 1:
        raise ValueError(message)
    return number
