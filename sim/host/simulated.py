"""A board in Verilator, seen through the levels of its two UART pins."""

from types import TracebackType

import numpy as np

from hdl.board import BoardTop
from sim.engines import pins

#: Bit periods without a byte after which nothing more is expected.
_PATIENCE = 2000
#: Bit periods simulated at once.
_STEP = 20


class SimulatedBoard:
    """A transport to a board in Verilator; a context manager.

    The waveforms are made and read here, bit by bit, without the gateware's UART.

    Parameters
    ----------
    top : BoardTop
    """

    def __init__(self, top: BoardTop):
        self._divisor = top.divisor
        self._opened = pins.opened(top)
        self._pending, self._seen = np.zeros(0, np.uint32), np.zeros(0, np.uint32)

    def __enter__(self) -> "SimulatedBoard":
        self._pins = self._opened.__enter__()
        # A line at rest.
        self._advance(np.ones(16 * self._divisor, np.uint32))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def write(self, data: bytes) -> None:
        """Queue bytes; they go out as time passes in `read`."""
        self._pending = np.concatenate([self._pending, self.waveform(data)])

    def read(self) -> bytes:
        """Let time pass until bytes have come, or the line was silent for long."""
        quiet = 0
        while quiet < _PATIENCE:
            if found := self._decode():
                return found
            quiet = 0 if len(self._pending) else quiet + _STEP
            size = _STEP * self._divisor
            levels = self._pending[:size]
            self._pending = self._pending[size:]
            self._advance(np.pad(levels, (0, size - len(levels)), constant_values=1))
        return b""

    def send_break(self) -> None:
        """Hold the line low for 40 bits, and forget what has come."""
        self._pending = self._pending[:0]
        self._advance(np.zeros(40 * self._divisor, np.uint32))
        self._advance(np.ones(20 * self._divisor, np.uint32))
        self._seen = self._seen[:0]

    def waveform(self, data: bytes) -> np.ndarray:
        """Return the levels of a line that carries bytes, 8N1: uint32 (cycles)."""
        bits = np.unpackbits(np.frombuffer(data, np.uint8)[:, None], axis=1, bitorder="little")
        framed = np.pad(bits, ((0, 0), (1, 0)))
        framed = np.pad(framed, ((0, 0), (0, 1)), constant_values=1)
        return framed.reshape(-1).repeat(self._divisor).astype(np.uint32)

    def _advance(self, levels: np.ndarray) -> None:
        column = levels[:, None]
        outputs = self._pins.advance({"rx": column})
        self._seen = np.concatenate([self._seen, outputs["tx"][:, 0]])

    def _decode(self) -> bytes:
        """Take the bytes whose stop bit has been seen whole."""
        found = bytearray()
        length = 10 * self._divisor
        while True:
            start = int(np.argmin(self._seen)) if len(self._seen) else 0
            if len(self._seen) == 0 or self._seen[start]:
                self._seen = self._seen[:0]
                return bytes(found)
            if len(self._seen) < start + length:
                self._seen = self._seen[start:]
                return bytes(found)
            bits = self._seen[start + self._divisor // 2 : start + length : self._divisor]
            if bits[9]:
                found.append(int(bits[1:9] @ (1 << np.arange(8))))
            self._seen = self._seen[start + length :]
