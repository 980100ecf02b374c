import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl import formats
from hdl.accumulator import Fp32Accumulator
from hdl.fabric import Fabric
from hdl.fp32 import Fp32
from hdl.term import term_layout
from sim import engines

from .operands import pack

#: format -> (largest group sum, weight of its unit under exponent 0, largest exponent), from format
#: spec section 7; for NVFP4 the sum is multiplied by two 4-bit significands of E4M3.
SUMS = {
    "m2xfp": (131712, -260, 508),
    "mxfp4": (4608, -256, 508),
    "m2xfp_sg": (184320, -261, 508),
    "m2xfp_sg_spare": (215040, -261, 508),
    "nvfp4": (16 * 144 * 15 * 15, -22, 30),
}


class Aligned(wiring.Component):
    """The accumulator with its partial sum delayed, so that both operands enter together."""

    def __init__(self, format):
        self.accumulator = Fp32Accumulator(format)
        super().__init__({"term": In(term_layout(format)), "partial": In(Fp32), "total": Out(Fp32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.accumulator = accumulator = self.accumulator
        partial = self.partial
        for stage in range(accumulator.partial_delay):
            delayed = Signal(Fp32, name=f"partial_{stage}")
            m.d.sync += delayed.eq(partial)
            partial = delayed
        m.d.comb += [
            accumulator.term.eq(self.term),
            accumulator.partial.eq(partial),
            self.total.eq(accumulator.total),
        ]
        return m


def reference(name, significand, exponent, nan, partial):
    """IEEE float32 arithmetic of the host; every NaN is the one quiet NaN."""
    _, unit, _ = SUMS[name]
    with np.errstate(all="ignore"):
        exact = np.ldexp(significand.astype(np.float64), exponent.astype(np.int64) + unit)
        total = partial.view(np.float32) + exact.astype(np.float32)
    bits = total.view(np.uint32).copy()
    bits[np.isnan(total) | nan.astype(bool)] = 0x7FC00000
    return bits


def check_additions(name, significand, exponent, nan, partial, engine="fast", fabric=Fabric.GATES):
    """Compare every sum with the host's."""
    format = formats.get(name, fabric)
    widths = (format.significand_bits, format.exponent_bits, 1)
    fields = zip((significand, exponent, nan), widths, strict=True)
    unit = Aligned(format)
    inputs = {"term": pack(list(fields)), "partial": partial[:, None]}
    total = engines.get(engine).run_pipeline(unit, inputs, ["total"], unit.accumulator.latency)
    got, want = total["total"][:, 0], reference(name, significand, exponent, nan, partial)
    wrong = np.flatnonzero(got != want)
    assert not len(wrong), [
        (significand[i], exponent[i], hex(partial[i]), hex(got[i]), hex(want[i])) for i in wrong[:3]
    ]


def significands(rng, count, largest):
    """Signed group sums of every binary order of magnitude, and the extremes."""
    magnitude = rng.integers(0, largest + 1, count) >> rng.integers(0, 18, count)
    magnitude[: count // 50] = largest
    return np.where(rng.integers(0, 2, count), -magnitude, magnitude)


def float_bits(values):
    return values.astype(np.float32).view(np.uint32)


def aimed_additions(name, count, seed):
    """Operands of every class where an FP32 addition can go wrong, ``count`` of each."""
    rng = np.random.default_rng(seed)
    largest, unit, greatest = SUMS[name]
    random_bits = rng.integers(0, 2**32, count, np.uint32)
    none = np.zeros(count, np.uint8)
    classes = {}

    def add(label, significand, exponent, partial, nan=none):
        classes[label] = (
            significand,
            np.clip(exponent, 0, greatest),
            nan,
            partial.astype(np.uint32),
        )

    s = significands(rng, count, largest)
    add("any bits", s, rng.integers(0, 509, count), random_bits)

    # Exponents within 30 of each other: every alignment distance, either way.
    e = rng.integers(110, 360, count) if greatest > 360 else rng.integers(0, greatest + 1, count)
    size = np.frexp(s.astype(np.float64))[1] + e + unit
    field = np.clip(size + 126 + rng.integers(-30, 31, count), 0, 255).astype(np.uint32)
    near = (random_bits & 0x807FFFFF) | field << 23
    add("near", s, e, near)

    # The negated term, and its neighbours by one and two units in the last place.
    with np.errstate(over="ignore"):
        negated = float_bits(-np.ldexp(s.astype(np.float64), e + unit))
    add("cancellation", s, e, negated + rng.integers(-2, 3, count).astype(np.uint32))

    # Partial sums whose lower half is a tie for a term just below their last place.
    odd = rng.integers(0, largest // 2, count) * 2 + 1
    field = np.clip(e + unit + 127 + 23 + rng.integers(-2, 19, count), 1, 254).astype(np.uint32)
    ties = (random_bits & 0x80000000) | field << 23 | rng.integers(0, 4, count).astype(np.uint32)
    add("ties", np.where(random_bits & 1, odd, -odd), e, ties)

    # A far smaller term: only the sticky bit tells.
    tiny = rng.choice([-1, 1], count) * (1 << rng.integers(0, largest.bit_length() - 1, count))
    add("sticky", tiny, e - rng.integers(20, 60, count), near)
    add("powers of two", s, e, near & 0xFF800000)

    low = rng.integers(0, 130, count)
    subnormal = random_bits & 0x81FFFFFF
    add("subnormal terms", s, low, subnormal)
    add("subnormal ties", tiny, low, subnormal & 0x8000001F)
    add("subnormal, larger partial", s, low, random_bits & 0x8FFFFFFF)
    add("zeros", np.where(random_bits & 1, s, 0), low, random_bits & 0x80000000)

    high = rng.integers(340, 400, count)
    add("overflow", s, high, (random_bits & 0x80FFFFFF) | np.uint32(0x7E000000))
    edge = np.full(count, 0x7F7FFFFF, np.uint32) - rng.integers(0, 3, count).astype(np.uint32)
    add("last finite", s, rng.integers(330, 370, count), edge | (random_bits & 0x80000000))
    add("infinities", s, rng.integers(100, 509, count), (random_bits & 0x80000000) | 0x7F800000)
    add("NaN partial", s, e, random_bits | 0x7F800000)
    add("NaN scale", s, rng.integers(255, 509, count), near, none + 1)
    return classes


@pytest.mark.parametrize(
    ("name", "fabric"),
    [*((name, Fabric.GATES) for name in formats.names()), ("m2xfp", Fabric.LUTS)],
)
def test_aimed_additions(name, fabric):
    """More than a million FP32 accumulations, equal to the host's."""
    classes = aimed_additions(name, 80_000, seed=7)
    assert sum(len(vectors[0]) for vectors in classes.values()) >= 1_000_000
    columns = [np.concatenate(column) for column in zip(*classes.values(), strict=True)]
    check_additions(name, *columns, fabric=fabric)


@pytest.mark.parametrize("fabric", Fabric)
def test_aimed_additions_in_amaranth(fabric):
    classes = aimed_additions("m2xfp", 150, seed=3)
    columns = [np.concatenate(column) for column in zip(*classes.values(), strict=True)]
    check_additions("m2xfp", *columns, engine="amaranth", fabric=fabric)


def test_classes_reach_what_they_aim_at():
    classes = aimed_additions("m2xfp", 4000, seed=7)
    totals = {label: reference("m2xfp", *vectors) for label, vectors in classes.items()}
    exponents = {label: total >> 23 & 255 for label, total in totals.items()}
    assert (totals["cancellation"] << 1 == 0).sum() > 100
    assert ((exponents["subnormal terms"] == 0) & (totals["subnormal terms"] << 1 != 0)).any()
    assert {0, 0x80000000} <= set(totals["zeros"].tolist())
    assert {0x7F800000, 0xFF800000} <= set(totals["overflow"].tolist())
    assert (totals["last finite"] << 1 == 0xFF000000).any()
    assert (totals["infinities"] == 0x7FC00000).any()
    assert (totals["NaN scale"] == 0x7FC00000).all()
