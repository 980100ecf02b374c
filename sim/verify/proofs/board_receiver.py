"""The board's receiver of frames; the reference is written from `docs/board.md`."""

from amaranth.hdl import Array, Cat, Fragment, Module, Mux, Signal
from amaranth.lib import enum, memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.board import receiver
from hdl.board.frames import SYNC, Stream
from hdl.board.receiver import FrameReceiver

from ..checker import Checker
from ..cuts import replaced
from ..reach import prove_invariants
from .checksum import ChecksumStub
from .harness import flags
from .proof import COUNTED, Proof

_SIZES = {Stream.COMMANDS: 1, Stream.WEIGHTS: 2}
_LONGEST = 4


class _Phase(enum.IntEnum, shape=4):
    """What the next byte is, or what is done with the frame."""

    HUNT = 0
    KIND = 1
    LENGTH = 2
    PAYLOAD = 3
    UPPER = 4
    LOWER = 5
    CHECK = 6
    BEATS = 7
    ACKNOWLEDGE = 8


def _small_memory(*, shape, depth, init):
    return memory.Memory(shape=shape, depth=2 * _LONGEST, init=init)


class ReceiverHarness(wiring.Component):
    """Around a receiver of two streams, one with beats of one byte, one of two.

    Any byte may come in any cycle. Of the payload, one bit of every byte is looked at.

    Parameters
    ----------
    lane : int
        Which.

    Attributes
    ----------
    byte, strobe, right, take, take_acknowledgement : In
        ``right`` is whether the checksum matches after a byte.
    """

    #: Most cycles without a beat or an acknowledgement that is due.
    patience = 1 + max(_SIZES.values())

    def __init__(self, lane: int):
        self._lane = lane
        free = {name: In(1) for name in ("strobe", "right", "take", "take_acknowledgement")}
        names = ("beat", "last", "acknowledgement", "unstable", "stuck", "checksum")
        seen = ("last", "second", "rest", "repeated", "wrong", "stall", "wait", "dropped", "other")
        super().__init__({"byte": In(8), **free, "assume": Out(1), **flags(names, seen)})

    def elaborate(self, platform):
        """Connect the receiver, and compare what it offers with what the reference expects."""
        m = Module()
        self._unit = unit = FrameReceiver(_SIZES)
        self._crc = crc = ChecksumStub()
        with replaced(receiver, "Memory", _small_memory), replaced(receiver, "checksum", crc.made):
            m.submodules.unit = Fragment.get(unit, platform)
        m.d.comb += [
            unit.data.eq(self.byte),
            unit.strobe.eq(self.strobe),
            unit.o.ready.eq(self.take),
            unit.acknowledge.ready.eq(self.take_acknowledgement),
            crc.anything.eq(self.right.replicate(len(crc.anything))),
        ]
        self._phase = Signal(_Phase)
        self._target, self._last, self._sequence = Signal(Stream), Signal(), Signal()
        self._length, self._place = Signal(range(_LONGEST + 1)), Signal(range(_LONGEST + 1))
        self._payload = Array(Signal(name=f"payload_{index}") for index in range(_LONGEST))
        self._size = Signal(range(max(_SIZES.values()) + 1))
        for target, size in _SIZES.items():
            with m.If(self._target == target):
                m.d.comb += self._size.eq(size)
        with m.Switch(self._phase):
            self._parse(m)
            self._hand_on(m)
        self._check(m)
        return m

    def _parse(self, m: Module) -> None:
        """Take the bytes of a frame, as the table of the wire has them."""
        byte = self.byte
        self._good = good = Signal()
        with m.Case(_Phase.HUNT), m.If(self.strobe & (byte == SYNC)):
            m.d.sync += self._phase.eq(_Phase.KIND)
        with m.Case(_Phase.KIND), m.If(self.strobe):
            known = Cat(byte[:2] == target for target in _SIZES).any() & (byte[4:] == 0)
            m.d.sync += [
                self._target.eq(byte[:2]),
                self._last.eq(byte[2]),
                self._sequence.eq(byte[3]),
                self._phase.eq(Mux(known, _Phase.LENGTH, _Phase.HUNT)),
            ]
        with m.Case(_Phase.LENGTH), m.If(self.strobe):
            m.d.sync += [
                self._length.eq(byte),
                self._place.eq(0),
                self._phase.eq(Mux(byte == 0, _Phase.HUNT, _Phase.PAYLOAD)),
            ]
        with m.Case(_Phase.PAYLOAD), m.If(self.strobe):
            m.d.sync += [
                self._payload[self._place].eq(byte[self._lane]),
                self._place.eq(self._place + 1),
            ]
            with m.If(self._place + 1 == self._length):
                m.d.sync += self._phase.eq(_Phase.UPPER)
        with m.Case(_Phase.UPPER), m.If(self.strobe):
            m.d.sync += self._phase.eq(_Phase.LOWER)
        with m.Case(_Phase.LOWER), m.If(self.strobe):
            m.d.sync += [self._phase.eq(_Phase.CHECK), good.eq(self.right)]

    def _hand_on(self, m: Module) -> None:
        """Follow the beats and the acknowledgement; bytes are dropped from the check on."""
        unit, place = self._unit, self._place
        newest, whole = Signal(init=1), self._length >= self._size
        with m.Case(_Phase.CHECK):
            m.d.sync += [self._phase.eq(_Phase.HUNT), place.eq(0)]
            with m.If(self._good):
                new = self._sequence != newest
                m.d.sync += [
                    newest.eq(self._sequence),
                    self._phase.eq(Mux(new & whole, _Phase.BEATS, _Phase.ACKNOWLEDGE)),
                ]
                m.d.comb += self.cover_repeated.eq(~new)
            m.d.comb += self.cover_wrong.eq(~self._good)
        with m.Case(_Phase.BEATS), m.If(unit.o.valid & unit.o.ready):
            m.d.sync += place.eq(place + self._size)
            with m.If(place + 2 * self._size > self._length):
                m.d.sync += self._phase.eq(_Phase.ACKNOWLEDGE)
                m.d.comb += self.cover_rest.eq(place + self._size < self._length)
        with m.Case(_Phase.ACKNOWLEDGE), m.If(unit.acknowledge.valid & unit.acknowledge.ready):
            m.d.sync += self._phase.eq(_Phase.HUNT)

    def _check(self, m: Module) -> None:
        unit, phase = self._unit, self._phase
        o, acknowledge = unit.o, unit.acknowledge
        beats, acknowledges = phase == _Phase.BEATS, phase == _Phase.ACKNOWLEDGE
        lanes = o.payload.data[self._lane :: 8]
        differs = [
            (index < self._size)
            & (Array(lanes)[len(lanes) - self._size + index] != self._payload[self._place + index])
            for index in range(len(lanes))
        ]
        last = self._last & (self._place + self._size == self._length)
        due = (beats & ~o.valid) | (acknowledges & ~acknowledge.valid)
        idle = Signal(range(self.patience + 2))
        m.d.sync += idle.eq(Mux(due, idle + 1, 0))
        in_frame = (phase >= _Phase.KIND) & (phase <= _Phase.LOWER)
        # What is offered is compared with registers that stay while it waits: it holds still.
        stalls = [Signal(name="beat_waited"), Signal(name="acknowledgement_waited")]
        gone = []
        for waited, source in zip(stalls, (o, acknowledge), strict=True):
            m.d.sync += waited.eq(source.valid & ~source.ready)
            gone.append(waited & ~source.valid)
        m.d.comb += [
            self.assume.eq(~self.strobe | (phase != _Phase.LENGTH) | (self.byte <= _LONGEST)),
            self.bad_beat.eq(
                o.valid & (~beats | (o.payload.stream != self._target) | Cat(differs).any())
            ),
            self.bad_last.eq(o.valid & (o.payload.last != last)),
            self.bad_acknowledgement.eq(
                acknowledge.valid & (~acknowledges | (acknowledge.payload != self._sequence))
            ),
            self.bad_unstable.eq(Cat(gone).any()),
            self.bad_stuck.eq(idle > self.patience),
            self.bad_checksum.eq(
                self._crc.wrong(m, in_frame, phase == _Phase.KIND, self.strobe, self.byte)
            ),
            self.cover_last.eq(o.valid & o.payload.last),
            self.cover_second.eq(o.valid & (self._place > 0)),
            self.cover_stall.eq(stalls[0]),
            self.cover_wait.eq(stalls[1]),
            self.cover_dropped.eq(beats & self.strobe & (self.byte == SYNC)),
            self.cover_other.eq(acknowledge.valid & acknowledge.payload),
        ]


def lowest_bits(check: Checker) -> None:
    """Check the receiver, looking at the lowest bits of a payload's bytes."""
    prove_invariants(check, ReceiverHarness(0))


def highest_bits(check: Checker) -> None:
    """Check the receiver, looking at the highest bits of a payload's bytes."""
    prove_invariants(check, ReceiverHarness(7))


_STATEMENT = (
    "Beats come only from whole frames with a right checksum and another sequence bit than the "
    "frame before, in order, each with its stream, the payload's bytes in their places, narrow "
    "ones in the upper bits, and TLAST only where the payload ends. Every frame with a right "
    "checksum is acknowledged once, with its sequence bit, after its beats, a repeated one without "
    "any; nothing else is. Beats and acknowledgements hold still while they wait, and come within "
    "3 cycles when they are due, ready or not. The checksum is that of the bytes after 0xA5."
)
_ASSUMPTIONS = (
    "streams of one and of two bytes a beat, a memory of 8 bytes, frames of at most 4 bytes of "
    "payload; bytes are free and come in any cycle, those from the check to the acknowledgement "
    "are dropped; of the payload's bytes, the {} bits are looked at; Amaranth's CRC is replaced by "
    "one that matches or not after every byte, as it likes"
)

PROOFS = [
    Proof(
        "frames to the board",
        "FrameReceiver",
        _STATEMENT,
        COUNTED,
        _ASSUMPTIONS.format("lowest"),
        lowest_bits,
        (
            "board: a repeated frame is handed on again",
            "board: the checksum is not compared",
            "board: reserved bits may be set",
            "board: a checksum goes on from the frame before",
            "board: TLAST with every beat",
            "board: a beat is gone before it is taken",
        ),
        quick=False,
    ),
    Proof(
        "frames to the board, highest bits",
        "FrameReceiver",
        _STATEMENT,
        COUNTED,
        _ASSUMPTIONS.format("highest"),
        highest_bits,
        ("board: bytes of a beat are turned round",),
        quick=False,
    ),
]
