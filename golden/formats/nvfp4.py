"""NVFP4: E2M1 elements, an E4M3 scale a group of 16, and one FP32 scale a tensor.

With amax the largest magnitude of the groups without NaN or infinity:

- tensor scale ts = RNE_fp32(amax / (448 * 6)), at most the largest finite FP32. It is 0 for an
  all-zero tensor, and for one so small that the quotient rounds to 0.
- group scale s = RNE_e4m3(group amax / (6 * ts)), saturating at 448 (0 when ts is 0).
- element c = RNE_e2m1(|x| / (s * ts)), 0 when s is 0; the sign bit is that of x.

All three are decided on exact products (of 24-bit, 4-bit and 3-bit significands, which fit
float64), never on a rounded quotient. A NaN group has scale code 0x7F and elements 0. Only bits
6..0 of a scale code are read: the scale is unsigned.

That is the rule ``floor``. Two more rules try several group scales and keep the first of least
squared error; their tensor scale is RNE_fp32(amax / (256 * 6)), which leaves room for group scales
that are half as large again:

- ``four_six``: the scale that maps the group's amax to 6, then the one that maps it to 4 (J. Cook
  et al., "Four Over Six", arXiv 2512.02010).
- ``search``: every E4M3 number from RNE_e4m3(group amax / (12 * ts)) to RNE_e4m3(group amax /
  (3 * ts)), the smallest first: those that map the group's amax to 3 .. 12.

The error of an element is (value * (s * ts) - |x|)^2 in float64, the group's is summed in the
fixed order (((e0+e1)+(e2+e3))+((e4+e5)+(e6+e7)))+(the same of e8..e15). With an importance each
square is multiplied with the element's count (`golden.importance`) before that.
"""

from fractions import Fraction

import numpy as np

from ..bins import sign_bits
from ..codes import (
    E2M1_HALVES,
    E2M1_VALUES,
    E4M3_EXPONENTS,
    E4M3_NAN,
    E4M3_SIGNIFICANDS,
    E4M3_VALUES,
    nearest_code,
)
from ..errors import InputError
from ..number_format import Codes, NumberFormat, Operand
from ..sums import tree_sum

#: Scale rule -> largest group scale where the tensor's largest element becomes 6.
LARGEST_SCALES = {"floor": 448, "four_six": 256, "search": 256}


class Nvfp4(NumberFormat):
    """NVFP4: sign * E2M1 * E4M3 * tensor scale."""

    name = "nvfp4"
    group = 16
    subgroup = 16
    scale_rules = tuple(LARGEST_SCALES)
    has_tensor_scale = True
    nan_scale = E4M3_NAN
    takes_importance = True

    def check_options(self, options):
        """Raise `InputError` when the format cannot quantize as asked."""
        super().check_options(options)
        if options.importance is not None and options.scale_rule == "floor":
            raise InputError(
                "Importance for nvfp4 needs the scale rule four_six or search, not floor"
            )

    def tensor_scale(self, amax, scale_rule):
        """Return RNE_fp32(amax / (448 * 6)) or that of the rule, decided exactly, as a float."""
        ratio = Fraction(amax) / (LARGEST_SCALES[scale_rule] * 6)
        tiny = np.finfo(np.float32).smallest_subnormal
        quantum = max(Fraction(2) ** (_floor_log2(ratio) - 23), Fraction(float(tiny)))
        nearest = round(ratio / quantum) * quantum
        return float(min(nearest, Fraction(float(np.finfo(np.float32).max))))

    def encode(self, x, options):
        """Encode groups; see `NumberFormat.encode`."""
        magnitude = np.abs(x).astype(np.float64)
        scales, elements = _first_of_least_error(magnitude, options)
        elements |= sign_bits(x) << np.uint8(3)
        return Codes(elements, scales.astype(np.uint8), np.empty((0, x.shape[1]), np.uint8))

    def decode(self, elements, scales, metadata, role):
        """Decode groups to units of 1/2, without the tensor scale; see `NumberFormat.decode`."""
        code = scales & np.uint8(127)
        nan = code == E4M3_NAN
        finite = np.where(nan, 0, code)
        return Operand(
            E2M1_HALVES[elements], E4M3_SIGNIFICANDS[finite], E4M3_EXPONENTS[finite] - 1, nan
        )


def _floor_log2(ratio):
    """Return floor(log2(ratio)) of a non-negative rational; some integer for 0."""
    exponent = ratio.numerator.bit_length() - ratio.denominator.bit_length()
    return exponent if Fraction(2) ** exponent <= ratio else exponent - 1


def _first_of_least_error(magnitude, options):
    """Return scale codes (n,) and element codes (16, n) of the first best candidate of the rule."""
    candidates = _candidates(magnitude.max(axis=0), options.tensor_scale, options.scale_rule)
    best = next(candidates)
    unit = E4M3_VALUES[best] * options.tensor_scale
    best_elements = _element_codes(magnitude, unit)
    best_errors = None
    for scales in candidates:
        if best_errors is None:
            best_errors = _errors(best_elements, unit, magnitude, options.importance)
        unit = E4M3_VALUES[scales] * options.tensor_scale
        elements = _element_codes(magnitude, unit)
        errors = _errors(elements, unit, magnitude, options.importance)
        better = errors < best_errors
        np.copyto(best, scales, where=better)
        np.copyto(best_elements, elements, where=better)
        np.copyto(best_errors, errors, where=better)
    return best, best_elements


def _errors(elements, unit, magnitude, counts):
    """Return the squared errors (n,) of element codes (16, n) at scales unit (n,)."""
    terms = E2M1_VALUES.take(elements)
    terms *= unit
    terms -= magnitude
    terms *= terms
    if counts is not None:
        terms *= counts
    return tree_sum(terms)


def _candidates(amax, tensor_scale, rule):
    """Yield the scale codes (n,) that a rule tries for groups of these largest magnitudes."""
    if rule != "search":
        for target in (6, 4)[: 1 + (rule == "four_six")]:
            yield _group_scales(amax, tensor_scale, target)
        return
    lowest, highest = (_group_scales(amax, tensor_scale, target) for target in (12, 3))
    for step in range(1 + int((highest - lowest).max(initial=0))):
        yield np.minimum(lowest + step, highest)


def _group_scales(amax, tensor_scale, target):
    """Return the E4M3 code nearest to amax / (target * tensor scale), for groups (n,)."""
    if tensor_scale == 0:
        return np.zeros(amax.shape, np.intp)
    return nearest_code(amax, E4M3_VALUES, target * tensor_scale)


def _element_codes(magnitude, unit):
    """Return the E2M1 codes nearest to magnitude (16, n) / unit (n,), 0 where unit is 0."""
    codes = np.zeros(magnitude.shape, np.uint8)
    for code, midpoint in enumerate((E2M1_VALUES[1:] + E2M1_VALUES[:-1]) / 2):
        threshold = midpoint * unit
        # A tie between `code` and `code + 1` goes to the even one.
        codes += magnitude > threshold if code % 2 == 0 else magnitude >= threshold
    return codes * (unit > 0)


FORMAT = Nvfp4()
