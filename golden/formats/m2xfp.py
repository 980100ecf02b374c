"""M2XFP: E2M1 elements, an E8M0 scale a group of 32, two bits of metadata a subgroup of 8.

In activations the metadata refines the top-1 element of the subgroup (Elem-EM, spec section 2);
in weights it multiplies the subgroup by 1 + k/4 (Sg-EM, spec section 3).
"""

from functools import cache

import numpy as np

from ..bins import bin_indices, bin_values, magnitude_bits, sign_bits
from ..codes import E2M1_HALVES, E2M1_VALUES, E2M3_VALUES, E8M0_BIAS, E8M0_NAN, nearest_code
from ..number_format import Codes, NumberFormat, Operand
from ..scales import MAX_CODE, SCALE_RULES, power_of_two, scale_codes
from ..sums import tree_sum

SUBGROUPS = 4
LANES = 8

#: E2M3 magnitude code -> integer in units of 1/8.
EIGHTHS = (8 * E2M3_VALUES).astype(np.float32)

#: Exponent of the largest element, 6 = 1.5 * 2**2.
LARGEST_EXPONENT = 2

#: Exponent steps of the adaptive weight search.
STEPS = (-1, 0, 1)

#: Bit of every subgroup's field in a metadata byte.
METADATA_SHIFTS = np.arange(0, 2 * SUBGROUPS, 2, dtype=np.uint8)

#: Rank of a lane among equal magnitudes: the lowest index wins. It sits at bits 4..2 of a key.
LANE_RANK = (np.arange(LANES - 1, -1, -1, dtype=np.uint8) << 2)[:, None]


@cache
def _activation_keys(dtype):
    """Bin -> byte: E2M1 code in bits 7..5 (and room for the lane rank), metadata in bits 1..0.

    The metadata is what the element would have if it were the top-1.
    """
    values = bin_values(dtype)
    c4 = nearest_code(values, E2M1_VALUES)
    c6 = nearest_code(values, E2M3_VALUES)
    encoded = np.clip(c6 + 1, 4 * c4, 4 * c4 + 3)
    return (c4 << 5 | encoded & 3).astype(np.uint8)


def _encode_activations(magnitude, scales):
    """Return E2M1 magnitude codes (32, n) and metadata bytes (n,)."""
    dtype = magnitude.dtype.type
    scaled = magnitude * power_of_two(E8M0_BIAS - scales, dtype)
    keys = _activation_keys(dtype).take(bin_indices(scaled))
    lanes = keys.reshape(SUBGROUPS, LANES, -1)
    lanes |= LANE_RANK
    # The greatest key is the top-1: largest code first, then the lowest index.
    fields = lanes.max(axis=1) & np.uint8(3)
    return keys >> np.uint8(5), _pack_fields(fields)


def _pack_fields(fields):
    """Pack (4, n) two-bit metadata fields to bytes (n,): subgroup j at bit 2j."""
    return np.bitwise_or.reduce(fields << METADATA_SHIFTS[:, None])


@cache
def _weight_codes(dtype):
    """Bin of |w| / 2**E -> E2M1 code under scale 2**(E + step) * (1 + k/4): (3, 4, bins)."""
    values = bin_values(dtype)
    scales = [[2.0**step * (1 + k / 4) for k in range(4)] for step in STEPS]
    codes = [[nearest_code(values, E2M1_VALUES, scale) for scale in row] for row in scales]
    return np.array(codes, np.uint8)


@cache
def _weight_grids(dtype):
    """Bin of |w| / 2**E -> quantized magnitude in units of 2**E: (3, 4, bins) float64."""
    scales = np.ldexp(1 + np.arange(4) / 4, np.array(STEPS)[:, None])
    return E2M1_VALUES[_weight_codes(dtype)] * scales[:, :, None]


def _subgroup_errors(quantized, exact):
    """Return the squared errors (4, n) of magnitudes (32, n); `quantized` is overwritten."""
    quantized -= exact
    quantized *= quantized
    return tree_sum(quantized.reshape(SUBGROUPS, LANES, -1).transpose(1, 0, 2))


def _search_multipliers(bins, grids, exact):
    """Find the lowest k (4, n) of least error in every subgroup, and the group errors (n,)."""
    best_k = np.zeros((SUBGROUPS, bins.shape[1]), np.uint8)
    best = _subgroup_errors(grids[0].take(bins), exact)
    for k in range(1, 4):
        errors = _subgroup_errors(grids[k].take(bins), exact)
        np.copyto(best_k, np.uint8(k), where=errors < best)
        np.minimum(best, errors, out=best)
    return best_k, tree_sum(best)


def _search_steps(bins, exact, scales, steps, grids):
    """Find the lowest exponent step (n,) of least group error and its k (4, n).

    A step that would clamp the exponent is left out: it gives the codes of the step before.
    """
    best_step = np.full(len(scales), steps[0], np.int32)
    best_k = np.zeros((SUBGROUPS, len(scales)), np.uint8)
    best = np.full(len(scales), np.inf)
    for step in steps:
        k, errors = _search_multipliers(bins, grids[STEPS.index(step)], exact)
        better = (errors < best) & (scales + step >= 0) & (scales + step <= MAX_CODE)
        np.copyto(best_step, np.int32(step), where=better)
        np.copyto(best_k, k, where=better)
        np.copyto(best, errors, where=better)
    return best_step, best_k


def _encode_weights(magnitude, scales, adaptive):
    """Return E2M1 magnitude codes (32, n), metadata bytes (n,) and final scale codes (n,).

    Errors are measured in units of 2**E. In the normal range of float64 every rounding and every
    comparison is the same as in units of 1. Beyond it, a square of either kind overflows or
    underflows only for elements so far from every grid point that all candidates tie.
    """
    dtype = magnitude.dtype.type
    scaled = magnitude * power_of_two(E8M0_BIAS - scales, dtype)
    exact = magnitude * power_of_two(E8M0_BIAS - scales, np.float64)
    bins = bin_indices(scaled)
    steps = STEPS if adaptive else (0,)
    best_step, best_k = _search_steps(bins, exact, scales, steps, _weight_grids(dtype))
    table = _weight_codes(dtype)
    candidate = (4 * (best_step + 1) + best_k).repeat(LANES, axis=0)
    elements = table.take(bins + candidate * table.shape[-1])
    return elements, _pack_fields(best_k), scales + best_step


class M2xfp(NumberFormat):
    """M2XFP, the format of the paper: 4.5 bits an element."""

    name = "m2xfp"
    group = SUBGROUPS * LANES
    subgroup = LANES
    metadata_bits = 8
    scale_rules = tuple(SCALE_RULES)

    def nan_metadata(self, role):
        """Return the metadata byte of a NaN group, the same as in an all-zero group."""
        return 0x55 if role == "activations" else 0

    def encode(self, x, options):
        """Encode groups; see `NumberFormat.encode`."""
        dtype = x.dtype.type
        bits = magnitude_bits(x)
        magnitude = bits.view(dtype)
        scales = scale_codes(bits.max(axis=0), dtype, options.scale_rule, LARGEST_EXPONENT)
        if options.role == "activations":
            elements, metadata = _encode_activations(magnitude, scales)
        else:
            elements, metadata, scales = _encode_weights(magnitude, scales, options.adaptive)
        elements |= sign_bits(x) << np.uint8(3)
        return Codes(elements, scales.astype(np.uint8), metadata[None])

    def decode(self, elements, scales, metadata, role):
        """Decode groups to units of 1/8; see `NumberFormat.decode`."""
        fields = (metadata >> METADATA_SHIFTS) & np.uint8(3)
        lanes = elements.reshape(*elements.shape[:-1], SUBGROUPS, LANES)
        if role == "activations":
            integers = _decode_activations(lanes, fields)
        else:
            integers = E2M1_HALVES[lanes] * (4 + fields[..., None]).astype(np.float32)
        exponent = scales.astype(np.int32) - (E8M0_BIAS + 3)
        return Operand(
            integers.reshape(elements.shape),
            np.ones_like(exponent),
            exponent,
            scales == E8M0_NAN,
        )


def _decode_activations(lanes, fields):
    """Return integers in units of 1/8 of element codes (..., 4, 8) and metadata (..., 4)."""
    integers = 4 * E2M1_HALVES[lanes]
    codes = lanes & np.uint8(7)
    top = codes.argmax(axis=-1)[..., None]  # the first of equals
    top_code = np.take_along_axis(codes, top, axis=-1).astype(np.int32)
    refined = EIGHTHS[np.maximum(4 * top_code + fields[..., None] - 1, 0)]
    signed = np.copysign(refined, np.take_along_axis(integers, top, axis=-1))
    np.put_along_axis(integers, top, signed, axis=-1)
    return integers


FORMAT = M2xfp()
