"""The streams of the quantization engine."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data
from amaranth.lib.wiring import Out

from hdl import formats
from hdl.quantizer.collect import Collector
from hdl.quantizer.encode import SUBGROUP, Encoder
from hdl.quantizer.pipeline import Pipeline
from hdl.quantizer.unpack import lane_layout

from ..checker import Checker
from ..reach import prove_invariants
from .harness import Harness
from .proof import CONTRACT, INDUCTION, OPAQUE, Proof


class CollectorHarness(Harness):
    """Around a collector of four beats of one lane; the mark is a sign and a larger exponent."""

    depth = 4

    def __init__(self):
        super().__init__(bad_largest=Out(1))

    def elaborate(self, platform):
        """Mark the sign of a beat's lane."""
        m = Module()
        beat = data.ArrayLayout(lane_layout(1), 1)
        m.submodules.unit = unit = Collector(beat, 4)
        entering = unit.i.valid & unit.i.ready
        leaving = unit.o.valid & unit.o.ready
        m.d.comb += [
            unit.i.valid.eq(self.offer),
            unit.i.payload[0].sign.eq(self.mark),
            unit.i.payload[0].exponent.eq(7 + self.mark),
            unit.o.ready.eq(self.take),
        ]
        found = unit.o.payload.lanes[0].sign
        pending, ahead = self.watch(m, entering, leaving, [found])
        self.watch_output(m, unit.o.valid, unit.o.ready, Cat(found, unit.o.payload.largest[:4]))
        into, out_of, place = Signal(2), Signal(2), Signal(2)
        m.d.sync += [into.eq(into + entering), out_of.eq(out_of + leaving)]
        with m.If(entering & self.mark):
            m.d.sync += place.eq(into)
        # The mark's group leaves: the mark is to come, or was there.
        to_come = pending & (out_of <= place) & (ahead == place - out_of)
        was_there = Signal()
        with m.If(leaving):
            m.d.sync += was_there.eq((was_there | (to_come & found)) & (out_of != 3))
        expected = 7 + (to_come | was_there)
        m.d.comb += self.bad_largest.eq(leaving & (unit.o.payload.largest != expected))
        self.watch_progress(m, self.offer & self.take, entering | leaving)
        return m


class MarkEncoder(Encoder):
    """Stands for an encoder: hands on one sign, as late as any.

    Parameters
    ----------
    latency : int
    """

    def __init__(self, latency: int):
        super().__init__(1, has_metadata=False, latency=latency)

    def elaborate(self, platform):
        """Hand on the sign of the last lane."""
        m = Module()
        sign = self.values[SUBGROUP - 1].sign
        for rank in range(self.latency):
            later = Signal(name=f"sign_{rank}")
            with m.If(self.enable):
                m.d.sync += later.eq(sign)
            sign = later
        m.d.comb += self.elements[0].sign.eq(sign)
        return m


class PipelineHarness(Harness):
    """Around the engine's pipeline with encoders of some latency; the mark is a sign.

    Parameters
    ----------
    lanes, latency : int
    """

    def __init__(self, lanes: int, latency: int):
        self._lanes, self._latency = lanes, latency
        self._beats = 32 // lanes
        # A word that waits, and a beat in each rank before it.
        self.depth = self._beats + 1 + latency
        super().__init__()

    def elaborate(self, platform):
        """Mark the last lane of a beat, which the stub of an encoder hands on."""
        m = Module()
        make = lambda: MarkEncoder(self._latency)  # noqa: E731
        unit = Pipeline(formats.get("mxfp4"), self._lanes, make)
        m.submodules.unit = unit
        entering = unit.i.valid & unit.i.ready
        leaving = unit.o.valid & unit.o.ready
        m.d.comb += [
            unit.i.valid.eq(self.offer),
            unit.i.payload.largest.eq(100),
            unit.i.payload.lanes[SUBGROUP - 1].sign.eq(self.mark),
            unit.o.ready.eq(self.take),
        ]
        elements = unit.o.payload.elements
        found = [elements[self._lanes * beat].sign for beat in range(self._beats)]
        self.watch(m, entering, leaving, found, per_output=self._beats)
        self.watch_output(m, unit.o.valid, unit.o.ready, Cat(found))
        self.watch_progress(m, self.offer & self.take, entering | leaving)
        return m


def collector(check: Checker) -> None:
    """Check the beats of a group, kept until its largest exponent is known."""
    prove_invariants(check, CollectorHarness())


def pipeline(check: Checker) -> None:
    """Check the engine's ranks, for every number of beats and both latencies of encoders."""
    for lanes in (8, 16, 32):
        for latency in (0, 3):
            prove_invariants(check, PipelineHarness(lanes, latency))


PROOFS = [
    Proof(
        "stream of the collector",
        "Collector",
        CONTRACT.format(8) + "; every beat comes with the largest exponent of its own group.",
        INDUCTION,
        OPAQUE + "; groups of four beats of one lane, exponents 7 and 8",
        collector,
        ("collector: takes beats while full", "collector: keeps the last group's exponent"),
    ),
    Proof(
        "stream of the pipeline",
        "Pipeline of QuantizationEngine",
        CONTRACT.format(8) + ", for 8, 16 and 32 lanes and encoders of latency 0 and 3.",
        INDUCTION,
        OPAQUE + "; encoders are replaced by registers of the same latency",
        pipeline,
        ("pipeline: moves on while a word waits", "pipeline: a word for every beat"),
    ),
]
