"""The board's sender of frames; the reference is written from `docs/board.md`."""

from amaranth.hdl import Array, Cat, Const, Fragment, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hdl.board import sender
from hdl.board.frames import SYNC, Reply
from hdl.board.sender import FrameSender

from ..checker import Checker
from ..cuts import replaced
from ..reach import prove_invariants
from .checksum import ChecksumStub
from .harness import flags
from .proof import COUNTED, Proof

#: Bytes of a beat of results, of one column, and of status.
_BYTES = 4
#: Places of bytes in a frame with payload.
_KIND, _PAYLOAD, _UPPER, _END = 1, 3, 3 + _BYTES, 5 + _BYTES
_SOURCES = ("acknowledge", "results", "status")


class SenderHarness(wiring.Component):
    """Around a sender of results of one column.

    Parameters
    ----------
    lane : int
        The bit that is free of every byte of payload and checksum; the others are 0.

    Attributes
    ----------
    offer : In(3)
        Whether an acknowledgement, a beat of results and one of status are there.
    sequence : In(1)
        The acknowledgement's payload.
    last : In(2)
        TLAST of the two beats.
    marks : In(4).array(2)
        Of the two beats, the free bit of every byte.
    take : In(1)
        The output is ready.
    halves : In(2)
        Of what the checksum's register takes, the free bit of the lower and of the upper byte.
    """

    def __init__(self, lane: int):
        self._lane = lane
        inputs = {"offer": 3, "sequence": 1, "last": 2, "take": 1, "halves": 2}
        names = ("accepted", "priority", "byte", "unstable", "stuck", "checksum")
        super().__init__(
            {
                **{name: In(width) for name, width in inputs.items()},
                "marks": In(_BYTES).array(2),
                **flags(names, (*_SOURCES, "stall", "adjacent")),
            }
        )

    def elaborate(self, platform):
        """Keep what was accepted, and count the bytes of its frame."""
        m = Module()
        self._unit, self._crc = unit, crc = FrameSender(1), ChecksumStub()
        with replaced(sender, "checksum", crc.made):
            m.submodules.unit = Fragment.get(unit, platform)
        sources = [getattr(unit, name) for name in _SOURCES]
        m.d.comb += [source.valid.eq(self.offer[i]) for i, source in enumerate(sources)]
        m.d.comb += [
            unit.acknowledge.payload.eq(self.sequence),
            unit.o.ready.eq(self.take),
            crc.anything.eq(Cat(map(self._widened, self.halves))),
        ]
        for index, source in enumerate(sources[1:]):
            m.d.comb += [
                source.payload.data.eq(Cat(map(self._widened, self.marks[index]))),
                source.payload.last.eq(self.last[index]),
            ]
        accepted = Cat(source.valid & source.ready for source in sources)
        sends, place = self._follow(m, accepted)
        self._check_frame(m, sends, place)
        self._check_order(m, accepted, sends)
        return m

    def _widened(self, mark):
        """Return a byte of which one bit is free."""
        return Cat(Const(0, self._lane), mark, Const(0, 7 - self._lane))

    def _follow(self, m: Module, accepted):
        """Return whether a frame is on its way, and the place of the byte that is next."""
        self._moves = self._unit.o.valid & self._unit.o.ready
        self._kind, self._payload, self._empty = Signal(8), Signal(_BYTES), Signal()
        sends, place = Signal(), Signal(range(_END))
        with m.If(self._moves):
            # An acknowledgement has no payload: its checksum is next to its length.
            m.d.sync += place.eq(Mux(self._empty & (place == _PAYLOAD - 1), _UPPER, place + 1))
            with m.If(place == _END - 1):
                m.d.sync += sends.eq(0)
        with m.If(accepted.any()):
            m.d.sync += [sends.eq(1), place.eq(0), self._empty.eq(accepted[0])]
        with m.If(accepted[0]):
            m.d.sync += self._kind.eq(Cat(Const(Reply.ACKNOWLEDGEMENT), Const(0, 1), self.sequence))
        for index, reply in enumerate((Reply.RESULTS, Reply.STATUS)):
            with m.If(accepted[index + 1]):
                m.d.sync += [
                    self._kind.eq(Cat(Const(reply), self.last[index])),
                    self._payload.eq(self.marks[index]),
                ]
        return sends, place

    def _check_frame(self, m: Module, sends, place) -> None:
        """Compare the byte that is offered; the checksum is what it was after the payload."""
        o, crc = self._unit.o, self._crc
        summed = sends & (place >= _KIND) & (place < _UPPER)
        fed, kept, waited = Signal(), Signal(16), Signal()
        m.d.sync += [fed.eq(summed & self._moves), waited.eq(o.valid & ~o.ready)]
        with m.If(fed):
            m.d.sync += kept.eq(crc.crc)
        total = Mux(fed, crc.crc, kept)
        length = Mux(self._empty, 0, _BYTES)
        payload = map(self._widened, self._payload)
        byte = Array([SYNC, self._kind, length, *payload, total[8:], total[:8]])[place]
        m.d.comb += [
            self.bad_byte.eq(o.valid & (~sends | (o.payload != byte))),
            self.bad_unstable.eq(waited & ~o.valid),
            self.bad_checksum.eq(crc.wrong(m, summed, place == _KIND, self._moves, o.payload)),
            self.cover_stall.eq(waited & (place == _UPPER)),
        ]
        for reply, name in zip(Reply, _SOURCES, strict=True):
            m.d.comb += getattr(self, f"cover_{name}").eq(
                self._moves & (place == _END - 1) & (self._kind[:2] == reply)
            )

    def _check_order(self, m: Module, accepted, sends) -> None:
        """Check what is accepted, and that nothing waits for a frame without need."""
        ended = Signal()
        m.d.sync += ended.eq(sends)
        several = (accepted & (accepted - 1)).any()
        m.d.comb += [
            self.bad_accepted.eq(accepted.any() & (sends | several)),
            self.bad_priority.eq(
                (accepted[1] & self.offer[0]) | (accepted[2] & self.offer[:2].any())
            ),
            self.bad_stuck.eq(Mux(sends, ~self._unit.o.valid, self.offer.any() & ~accepted.any())),
            self.cover_adjacent.eq(ended & accepted.any()),
        ]


def frame_sender(check: Checker) -> None:
    """Check the frames to the host, with every bit of payload in turn."""
    for lane in range(8):
        prove_invariants(check, SenderHarness(lane))


PROOFS = [
    Proof(
        "frames from the board",
        "FrameSender",
        "Every acknowledgement and every beat that is accepted becomes one frame, whose bytes are "
        "0xA5, kind, length, payload and the upper and the lower half of the checksum, which is "
        "that of the bytes between; nothing else is sent. In the first cycle without a frame on "
        "its way one of those that are offered is accepted, an acknowledgement before results "
        "before status; from the next cycle to its end a byte of the frame is offered in every "
        "cycle, and each holds still until it is taken.",
        COUNTED,
        "results of one column; Amaranth's CRC is replaced by a register that takes any value with "
        "every byte; of every byte of payload and of the CRC one bit is free, each in turn, and "
        "the others are 0",
        frame_sender,
        (
            "board: the lower half of the checksum is read late",
            "board: results go before acknowledgements",
            "board: status words go out as results",
            "board: the checksum covers the first byte",
            "board: a byte on its way out is lost",
        ),
    ),
]
