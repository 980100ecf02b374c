"""M2XFP-SG: E2M1 elements, an E8M0 scale a group, on both sides a multiplier a subgroup.

An extension of this project, specified in ``docs/m2xfp_sg.md``. With ``spare_code`` the nibble of
E2M1's negative zero means +7 in activations and +5 in weights.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from ..bins import INDEX_FRACTION_BITS, bin_indices, magnitude_bits, sign_bits
from ..codes import E2M1_HALVES, E2M1_VALUES, E8M0_BIAS, E8M0_NAN, nearest_code
from ..number_format import Codes, NumberFormat, Operand
from ..scales import MAX_CODE, power_of_two, scale_codes

SUBGROUPS = 4
LANES = 8

#: Exponent of the largest element, 6 = 1.5 * 2**2.
LARGEST_EXPONENT = 2

#: Magnitudes in units of 2**E are limited to this, which only float64 can exceed.
LIMIT = 8

#: Nibble of the spare code, E2M1's negative zero.
SPARE = 8

#: Bit of every subgroup's field in a metadata byte.
METADATA_SHIFTS = np.arange(0, 2 * SUBGROUPS, 2, dtype=np.uint8)

#: Exponent of the first bin of the code tables: no multiplier keeps an element of 2**-4 or less.
LOWEST_EXPONENT = -5

#: Bins of one sign: eight binades, and one for the limit itself.
BINS = (8 << INDEX_FRACTION_BITS) + 1

#: Quantized magnitudes are integers in units of 2**(E - 5), exact ones in units of 2**(E - 27).
LEVEL_SHIFT, EXACT_SHIFT = 5, 27

#: Left shift that takes the square of a level to the unit of half its product with a magnitude.
SQUARE_SHIFT = EXACT_SHIFT - LEVEL_SHIFT - 1

#: Bits of a float64 magnitude below the unit 2**(E - 27).
LOW_BITS = 29
LOW_MASK = (1 << LOW_BITS) - 1


@dataclass(frozen=True)
class Role:
    """What differs between activations and weights.

    Attributes
    ----------
    numerators : tuple of int
        Multiplier of every index, times the denominator.
    denominator : int
        4 or 8.
    steps : tuple of int
        Exponents that are tried, less E.
    spare_halves : int
        Value of the spare code in units of 1/2.
    """

    numerators: tuple[int, ...]
    denominator: int
    steps: tuple[int, ...]
    spare_halves: int


#: In every tuple the first of equally good candidates wins.
ROLES = {
    "activations": Role((4, 5, 3, 1), 4, (0,), 14),
    "weights": Role((8, 7, 6, 5), 8, (0, -1, 1), 10),
}


@cache
def _bin_values():
    """Return one member of every bin of one sign, in units of 2**E (float64)."""
    index = np.arange(BINS)
    fraction = (index & (1 << INDEX_FRACTION_BITS) - 1) / (1 << INDEX_FRACTION_BITS)
    return np.ldexp(1 + fraction, (index >> INDEX_FRACTION_BITS) + LOWEST_EXPONENT)


def _bins(scaled, signs):
    """Return the bin of magnitudes in units of 2**E, at most `LIMIT`: negative ones from `BINS`."""
    bias = 1 - int(np.finfo(scaled.dtype).minexp)
    index = bin_indices(scaled)
    index -= bias + LOWEST_EXPONENT << INDEX_FRACTION_BITS
    np.maximum(index, 0, out=index)
    index += signs.astype(np.intp) * BINS
    return index


def _nibbles(role, spare_code, unit):
    """Return the nibble of every bin under a scale of `unit` * 2**E."""
    values = _bin_values()
    positive = nearest_code(values, E2M1_VALUES, unit).astype(np.uint8)
    negative = positive | np.uint8(SPARE)
    if spare_code:
        negative[positive == 0] = 0
        spare = np.abs(values - ROLES[role].spare_halves / 2 * unit)
        positive[spare < np.abs(values - E2M1_VALUES[positive] * unit)] = SPARE
    return np.concatenate([positive, negative])


@cache
def _halves(role, spare_code):
    """Return the signed value of every nibble in units of 1/2."""
    halves = E2M1_HALVES.copy()
    if spare_code:
        halves[SPARE] = ROLES[role].spare_halves
    return halves


@cache
def _tables(role, spare_code):
    """Return nibbles (uint8) and levels (int64) of every bin: (steps, 4, 2 * bins)."""
    chosen = ROLES[role]
    units = [[2.0**b * n / chosen.denominator for n in chosen.numerators] for b in chosen.steps]
    nibbles = np.array([[_nibbles(role, spare_code, unit) for unit in row] for row in units])
    magnitudes = np.abs(_halves(role, spare_code)).astype(np.float64)[nibbles] / 2
    levels = magnitudes * np.array(units)[:, :, None] * 2**LEVEL_SHIFT
    return nibbles, levels.astype(np.int64)


class _Errors:
    """Squared errors of groups, less the squares of the exact values that all candidates share.

    With a level Q and an exact magnitude X that is Q * Q * 2**21 - Q * X in units of
    2**(2 * E - 31), times the count of the element: at most 2**62 in magnitude for a group. A
    float64 has 29 bits more, kept apart: an error is an array (parts, ..., n), high part first.
    """

    def __init__(self, scaled, counts):
        self._counts = counts
        self._low = None
        if scaled.dtype == np.float64:
            exact = (scaled * 2.0 ** (EXACT_SHIFT + LOW_BITS)).astype(np.int64)
            self._low = exact & LOW_MASK
            self._high = exact >> LOW_BITS
        else:
            self._high = (scaled * scaled.dtype.type(2**EXACT_SHIFT)).astype(np.int64)

    def of_subgroups(self, levels):
        """Return the errors (parts, 4, n) of levels (32, n)."""
        high = levels << SQUARE_SHIFT
        high -= self._high
        high *= levels
        if self._low is None:
            return self._sums(high)[None]
        return carried(np.stack([self._sums(high), -self._sums(levels * self._low)]))

    def _sums(self, terms):
        if self._counts is not None:
            terms *= self._counts
        return np.add.reduce(terms.reshape(SUBGROUPS, LANES, -1), axis=1)


def carried(parts):
    """Move what the low part has beyond its bits to the high part, in place."""
    if len(parts) > 1:
        parts[0] += parts[1] >> LOW_BITS
        parts[1] &= LOW_MASK
    return parts


def less(left, right):
    """Compare errors of one shape (parts, ..., n)."""
    smaller = left[-1] < right[-1]
    for a, b in zip(left[-2::-1], right[-2::-1], strict=True):
        smaller = (a < b) | ((a == b) & smaller)
    return smaller


def _search_multipliers(bins, errors, levels):
    """Find the first index (4, n) of least error in every subgroup, and these errors."""
    best = errors.of_subgroups(levels[0].take(bins))
    best_k = np.zeros(best.shape[1:], np.uint8)
    for k in range(1, len(levels)):
        candidate = errors.of_subgroups(levels[k].take(bins))
        better = less(candidate, best)
        np.copyto(best_k, np.uint8(k), where=better)
        np.copyto(best, candidate, where=better)
    return best_k, best


def _search_steps(bins, errors, scales, levels, steps):
    """Find the first row of `levels` (n,) of least group error that needs no clamp, and its k."""
    best_row = np.zeros(len(scales), np.intp)
    best_k, best = _search_multipliers(bins, errors, levels[0])
    best = carried(best.sum(axis=1))
    for row, step in enumerate(steps[1:], 1):
        k, candidate = _search_multipliers(bins, errors, levels[row])
        candidate = carried(candidate.sum(axis=1))
        better = less(candidate, best) & (scales + step >= 0) & (scales + step <= MAX_CODE)
        np.copyto(best_row, row, where=better)
        np.copyto(best_k, k, where=better)
        np.copyto(best, candidate, where=better)
    return best_row, best_k


class M2xfpSg(NumberFormat):
    """M2XFP-SG, a multiplier a subgroup on both sides: 4.5 bits an element.

    Parameters
    ----------
    spare_code : bool
        Whether the nibble of E2M1's negative zero means +7 (activations) or +5 (weights).
    """

    group = SUBGROUPS * LANES
    subgroup = LANES
    metadata_bits = 8
    takes_importance = True

    def __init__(self, spare_code=False):
        self.spare_code = bool(spare_code)
        self.name = "m2xfp_sg_spare" if spare_code else "m2xfp_sg"

    def encode(self, x, options):
        """Encode groups; see `NumberFormat.encode`."""
        dtype = x.dtype.type
        bits = magnitude_bits(x)
        scales = scale_codes(bits.max(axis=0), dtype, "floor", LARGEST_EXPONENT)
        scaled = bits.view(dtype) * power_of_two(E8M0_BIAS - scales, dtype)
        np.fmin(scaled, dtype(LIMIT), out=scaled)  # a NaN too: its group is overwritten
        bins = _bins(scaled, sign_bits(x))
        nibbles, levels = _tables(options.role, self.spare_code)
        steps = ROLES[options.role].steps if options.adaptive else (0,)
        errors = _Errors(scaled, options.importance)
        row, k = _search_steps(bins, errors, scales, levels, steps)
        bins += (row * len(levels[0]) + k).repeat(LANES, axis=0) * levels.shape[-1]
        scales = scales + np.array(steps).take(row)
        metadata = np.bitwise_or.reduce(k << METADATA_SHIFTS[:, None])
        return Codes(nibbles.take(bins), scales.astype(np.uint8), metadata[None])

    def decode(self, elements, scales, metadata, role):
        """Decode to units of 1/8 (activations) or 1/16 (weights); see `NumberFormat.decode`."""
        chosen = ROLES[role]
        fields = (metadata >> METADATA_SHIFTS) & np.uint8(3)
        numerators = np.array(chosen.numerators, np.float32)[fields]
        halves = _halves(role, self.spare_code)[elements]
        lanes = halves.reshape(*elements.shape[:-1], SUBGROUPS, LANES)
        integers = (lanes * numerators[..., None]).reshape(elements.shape)
        exponent = scales.astype(np.int32) - (E8M0_BIAS + chosen.denominator.bit_length())
        return Operand(integers, np.ones_like(exponent), exponent, scales == E8M0_NAN)


FORMAT = M2xfpSg()
