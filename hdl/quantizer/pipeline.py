from collections.abc import Callable

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from .align import Align, scale_code
from .collect import following, ranked_layout
from .encode import SUBGROUP
from .rounding import aligned_layout
from .unpack import lane_layout


class Pipeline(wiring.Component):
    """Turns the beats of a group, which know its largest exponent, into its bus word.

    Ranks of registers: values aligned with their group, those within the encoders, and the bus
    word. A beat enters every cycle unless a bus word waits to be taken. The word is valid
    ``2 + latency of an encoder`` cycles after its last beat has entered.

    Parameters
    ----------
    format : Format
    lanes : int
        Values a beat: a multiple of 8 that divides 32.
    make_encoder : callable
        Returns a new encoder of a subgroup.

    Attributes
    ----------
    i : In(stream.Signature(ranked_layout(...)))
        Its lanes have the significands that the encoders want.
    o : Out(stream.Signature(format.group))
    """

    def __init__(self, format: Format, lanes: int, make_encoder: Callable[[], wiring.Component]):
        self._format = format
        self._lanes = lanes
        self._encoders = [make_encoder() for _ in range(lanes // SUBGROUP)]
        self._bits = self._encoders[0].significand_bits
        payload = ranked_layout(data.ArrayLayout(lane_layout(self._bits), lanes))
        super().__init__(
            {"i": In(stream.Signature(payload)), "o": Out(stream.Signature(format.group))}
        )

    def elaborate(self, platform):
        m = Module()
        beats = self._format.lanes // self._lanes
        m.submodules.align = align = Align(self._lanes, self._bits)
        aligned = Signal(data.ArrayLayout(aligned_layout(self._bits), self._lanes), reset_less=True)
        largest = Signal(8, reset_less=True)
        full = Signal()
        # Verilog has no signals without bits.
        index = Signal(range(beats)) if beats > 1 else Const(0, 1)
        moving = Signal()
        m.d.comb += [
            align.values.eq(self.i.payload.lanes),
            align.largest.eq(self.i.payload.largest),
            moving.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(~full | moving),
        ]
        # Ranks hold their data only while it waits; what they take in otherwise is of no
        # consequence, so valid takes no part in the enables.
        with m.If(self.i.ready):
            m.d.sync += [
                aligned.eq(align.aligned),
                largest.eq(self.i.payload.largest),
                full.eq(self.i.valid),
            ]
        full, largest = self._encode(m, aligned, full, largest, moving)
        word = Signal.like(self.o.payload, name="word", reset_less=True)
        m.d.comb += self.o.payload.eq(word)
        with m.If(moving):
            m.d.sync += self.o.valid.eq(full & (index == beats - 1))
            m.d.sync += word.scale.eq(scale_code(largest))
            for beat in range(beats):
                with m.If(index == beat):
                    m.d.sync += self._store(word, beat)
            if beats > 1:
                with m.If(full):
                    m.d.sync += index.eq(following(index, beats))
        return m

    def _encode(self, m: Module, aligned, full, largest, moving):
        """Connect the encoders; return ``full`` and ``largest`` as late as their outputs are."""
        for rank in range(self._encoders[0].latency):
            late_full, late_largest = Signal(name=f"full_{rank}"), Signal.like(largest)
            with m.If(moving):
                m.d.sync += [late_full.eq(full), late_largest.eq(largest)]
            full, largest = late_full, late_largest
        for i, encoder in enumerate(self._encoders):
            m.submodules[f"encoder_{i}"] = encoder
            m.d.comb += [encoder.nan.eq(largest.all()), encoder.enable.eq(moving)]
            for lane, value in enumerate(encoder.values):
                m.d.comb += value.eq(aligned[SUBGROUP * i + lane])
        return full, largest

    def _store(self, word: data.View, beat: int) -> list:
        """Return the statements that put the subgroups of a beat into their place."""
        statements = []
        for subgroup, encoder in enumerate(self._encoders, beat * len(self._encoders)):
            for lane, element in enumerate(encoder.elements):
                statements.append(word.elements[SUBGROUP * subgroup + lane].eq(element))
            if encoder.has_metadata:
                statements.append(word.metadata[subgroup].eq(encoder.meta))
        return statements
