from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from .align import Align, scale_code
from .collect import following
from .encode import SUBGROUP, SubgroupEncoder
from .rounding import Aligned
from .unpack import Lane


class ActivationPipeline(wiring.Component):
    """Turns the beats of a group, which know its largest exponent, into its bus word.

    Two ranks of registers: values aligned with their group, and the bus word. A beat enters
    every cycle unless a bus word waits to be taken. The word is valid two cycles after its last
    beat has entered.

    Parameters
    ----------
    format : Format
    lanes : int
        Values a beat: a multiple of 8 that divides 32.

    Attributes
    ----------
    i : In(stream.Signature(StructLayout({"lanes", "largest"})))
    o : Out(stream.Signature(format.group))
    """

    def __init__(self, format: Format, lanes: int):
        self._format = format
        self._lanes = lanes
        payload = data.StructLayout({"lanes": data.ArrayLayout(Lane, lanes), "largest": 8})
        super().__init__(
            {"i": In(stream.Signature(payload)), "o": Out(stream.Signature(format.group))}
        )

    def elaborate(self, platform):
        m = Module()
        beats = self._format.lanes // self._lanes
        m.submodules.align = align = Align(self._lanes)
        aligned = Signal(data.ArrayLayout(Aligned, self._lanes), reset_less=True)
        largest = Signal(8, reset_less=True)
        full = Signal()
        index = Signal(range(beats))
        moving = Signal()
        m.d.comb += [
            align.values.eq(self.i.payload.lanes),
            align.largest.eq(self.i.payload.largest),
            moving.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(~full | moving),
        ]
        # Both ranks hold their data only while it waits; what they take in otherwise is of no
        # consequence, so valid takes no part in the enables.
        with m.If(self.i.ready):
            m.d.sync += [
                aligned.eq(align.aligned),
                largest.eq(self.i.payload.largest),
                full.eq(self.i.valid),
            ]
        encoders = self._encoders(m, aligned, largest)
        word = Signal.like(self.o.payload, name="word", reset_less=True)
        m.d.comb += self.o.payload.eq(word)
        with m.If(moving):
            m.d.sync += self.o.valid.eq(full & (index == beats - 1))
            m.d.sync += word.scale.eq(scale_code(largest))
            for beat in range(beats):
                with m.If(index == beat):
                    m.d.sync += self._store(word, beat, encoders)
            with m.If(full):
                m.d.sync += index.eq(following(index, beats))
        return m

    def _encoders(self, m: Module, aligned: data.View, largest: Signal) -> list[SubgroupEncoder]:
        encoders = []
        for first in range(0, self._lanes, SUBGROUP):
            encoder = SubgroupEncoder(metadata="metadata" in self._format.group.members)
            m.submodules[f"encoder_{first // SUBGROUP}"] = encoder
            m.d.comb += encoder.nan.eq(largest.all())
            for lane in range(SUBGROUP):
                m.d.comb += encoder.values[lane].eq(aligned[first + lane])
            encoders.append(encoder)
        return encoders

    def _store(self, word: data.View, beat: int, encoders: list[SubgroupEncoder]) -> list:
        """Return the statements that put the subgroups of a beat into their place."""
        statements = []
        for subgroup, encoder in enumerate(encoders, beat * len(encoders)):
            for lane, element in enumerate(encoder.elements):
                statements.append(word.elements[SUBGROUP * subgroup + lane].eq(element))
            if hasattr(encoder, "meta"):
                statements.append(word.metadata[subgroup].eq(encoder.meta))
        return statements
