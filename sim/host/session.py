"""Products by the board at the other end of a transport."""

import numpy as np
from amaranth.lib import data

import golden
from hdl.core import GemmCore, Refusal, Status
from sim.core import STATUS_WORDS, Gemm
from sim.core_run import check_room
from sim.engines.words import to_int

from . import wire
from .transport import Transport

#: Times that a frame is sent before the host gives up.
_ATTEMPTS = 4
#: Bytes that end any frame a board believes it is in.
_FLUSH = bytes(wire.MAX_PAYLOAD + 5)


class HostError(golden.MismatchError):
    """The board does not answer, or not as it must."""


class Session:
    """A board that was reset, and products on it.

    Parameters
    ----------
    transport : Transport
    core : GemmCore
        What the board was built with; only its parameters are used.
    """

    def __init__(self, transport: Transport, core: GemmCore):
        self._transport, self._core = transport, core
        self._parser, self._sequence = wire.Parser(), 0
        self._results: list[bytes] = []
        self._status: list[bytes] = []
        transport.send_break()

    def gemm(self, a: golden.Quantized, w: golden.Quantized) -> tuple[np.ndarray, data.Const]:
        """Multiply on the board: activations (M, K) by weights (N, K), transposed.

        Returns
        -------
        tuple
            float32 (M, N), and the command's status record.

        Raises
        ------
        golden.InputError
            If the product is too large for the core.
        HostError
            If the board does not answer, refuses the command, or gives too little.
        """
        groups = a.scales.shape[1]
        check_room(self._core, a.shape[0], groups)
        gemm = Gemm.on(self._core, a.shape[0], groups, w.shape[0])
        self._results, self._status = [], []
        self._send(wire.COMMANDS, gemm.word.to_bytes(8, "little"), 8, last=True)
        size = self._core.format.group.size // 8
        activations = gemm.activation_beats(golden.group_words(a))
        weights = gemm.weight_beats(golden.group_words(w))
        blocks = list(gemm.row_blocks())
        share = len(weights) // len(blocks)
        # In the order in which the core takes them, for there is one wire.
        for number, block in enumerate(blocks):
            last = number == len(blocks) - 1
            beats = activations[block.start * groups : block.stop * groups]
            self._send(wire.ACTIVATIONS, _octets(beats, size), size, last=last)
            beats = weights[number * share : (number + 1) * share]
            self._send(wire.WEIGHTS, _octets(beats, size), size, last=last)
        while len(self._status) < STATUS_WORDS:
            if self._receive() is None:
                raise HostError(f"The board gave no status{self._damage()}")
        return gemm.untile(self._beats(gemm.result_beats)), self._record()

    def _send(self, stream: int, payload: bytes, size: int, *, last: bool) -> None:
        """Send beats of ``size`` bytes in as many frames as it takes, each acknowledged."""
        step = wire.MAX_PAYLOAD // size * size
        for start in range(0, len(payload), step):
            piece = payload[start : start + step]
            ends = last and start + step >= len(payload)
            self._send_frame(wire.Frame(stream, piece, ends, self._sequence).encode())

    def _send_frame(self, data: bytes) -> None:
        for attempt in range(_ATTEMPTS):
            self._transport.write(_FLUSH + data if attempt else data)
            while (frames := self._receive()) is not None:
                if any(
                    frame.stream == wire.ACKNOWLEDGEMENT and frame.sequence == self._sequence
                    for frame in frames
                ):
                    self._sequence ^= 1
                    return
                if len(self._status) == STATUS_WORDS:
                    self._record()
        raise HostError(f"The board does not acknowledge{self._damage()}")

    def _receive(self) -> list[wire.Frame] | None:
        """Wait for bytes, note results and status, and return the frames; None for silence."""
        octets = self._transport.read()
        if not octets:
            return None
        frames = self._parser.feed(octets)
        for frame in frames:
            if frame.stream == wire.RESULTS:
                self._results.append(frame.payload)
            elif frame.stream == wire.STATUS:
                self._status.append(frame.payload)
        return frames

    def _beats(self, count: int) -> np.ndarray:
        columns = self._core.columns
        if any(len(beat) != 4 * columns for beat in self._results):
            found = len(self._results[0]) // 4
            raise HostError(f"The board has {found} columns, not {columns}")
        if len(self._results) != count:
            found = len(self._results)
            raise HostError(f"The board gave {found} beats of results, not {count}{self._damage()}")
        return np.frombuffer(b"".join(self._results), "<u4").reshape(count, columns)

    def _record(self) -> data.Const:
        words = np.frombuffer(b"".join(self._status), "<u4")
        record = Status.from_bits(to_int(words))
        if record.refusal != Refusal.NONE:
            reason = Refusal(record.refusal).name.lower()
            raise HostError(f"The board refused the command: {reason}")
        return record

    def _damage(self) -> str:
        count = self._parser.damaged
        return f"; damaged frames: {count}" if count else ""


def _octets(words: np.ndarray, size: int) -> bytes:
    """Return groups, uint32 (n, words), as ``size`` bytes each."""
    return np.ascontiguousarray(words, "<u4").view(np.uint8)[:, :size].tobytes()
