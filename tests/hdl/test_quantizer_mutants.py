"""The tests of the quantization engine notice the mistakes that such an engine can have."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Const, Mux

from hdl.quantizer import align, encode, exponents, rounding, top1, unpack
from sim import engines

from . import quantizer_cases as cases
from .test_quantizer import check


def aimed(count=40):
    """A few groups of every kind that the large tests are made of."""
    rng = np.random.default_rng(9)
    kinds = [
        cases.fp32_decisions([-127, -125, 3]),
        cases.fp32_maxima()[:: 831 // count],
        cases.heavy_tails(4 * count),
        cases.crossed_subgroups(),
    ]
    return np.concatenate([rng.choice(kind, count) for kind in kinds])


def no_sticky(significand, count):
    return Const(0, 1)


def ties_away(last, guard, rest):
    return guard


def top_by_value(monkeypatch):
    """Rank by the value before rounding; equal values as the specification has it."""
    seen = []
    code_of, top_of = encode.e2m1_code, encode.top_one

    def code(m, value, name):
        seen.append(Cat(value.significand, ~value.distance))
        return code_of(m, value, name)

    def top(m, codes):
        winner, _ = top_of(m, seen[-len(codes) :])
        return winner, top1.select(winner, codes)

    monkeypatch.setattr(encode, "e2m1_code", code)
    monkeypatch.setattr(encode, "top_one", top)


def highest(candidates):
    return Cat(bit & ~candidates[i + 1 :].any() for i, bit in enumerate(candidates))


def wrap(difference):
    return (difference + 1)[:2]


def flushed(m, fraction, exponent):
    return Mux(exponent == 0, 0, DOUBLE(m, fraction, exponent))


def no_far(m, reference, exponent, nan, name):
    return (reference - exponent)[:3] | nan.replicate(3)


def no_nan(m, reference, exponent, nan, name):
    return DISTANCE(m, reference, exponent, Const(0, 1), name)


DOUBLE = unpack.double_subnormal
DISTANCE = exponents.distance

MUTANTS = {
    "missing sticky": (rounding, "sticky", no_sticky),
    "ties away": (rounding, "round_up", ties_away),
    "lowest-index rule reversed": (top1, "lowest", highest),
    "metadata not clamped": (rounding, "clamp", wrap),
    "scale not clamped": (align, "at_least_two", lambda m, exponent: exponent),
    "scale code not clamped": (align, "lowest_code", lambda code, exponent: code),
    "subnormal flushed": (unpack, "double_subnormal", flushed),
    "distance wraps": (align, "distance", no_far),
    "NaN ignored": (align, "distance", no_nan),
}


def is_caught():
    with pytest.raises(AssertionError, match="got"):
        check(aimed(), lanes=8, engine=engines.get("amaranth"))


def test_aimed_groups_pass():
    check(aimed(), lanes=8, engine=engines.get("amaranth"))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant_is_caught(mutant, monkeypatch):
    monkeypatch.setattr(*MUTANTS[mutant])
    is_caught()


def test_top_one_by_original_value_is_caught(monkeypatch):
    top_by_value(monkeypatch)
    is_caught()
