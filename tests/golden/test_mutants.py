"""Seeded bugs in the golden model, each of which the checks must catch.

A mutant replaces one function or table where it is used, and the check named with it, one that
passes on the true model, must fail.
"""

import numpy as np
import pytest

from golden import bins, codes, packing, product, quantizer, scales
from golden.formats import m2xfp, mxfp4, nvfp4, smx4

from . import (
    groups,
    test_matmul,
    test_nvfp4,
    test_nvfp4_rules,
    test_properties,
    test_quantizer,
    test_scales,
    test_smx4,
    test_special_values,
)
from .comparing import assert_m2xfp, assert_mxfp4


def rng():
    return np.random.default_rng(32)


def activations():
    assert_m2xfp(groups.refined_ties(rng(), 60), "activations")
    assert_m2xfp(groups.ties(rng(), 60), "activations")


def weights():
    assert_m2xfp(np.concatenate([groups.ties(rng(), 60), groups.normal(rng(), 20)]), "weights")


def sparse_weights():
    assert_m2xfp(groups.sparse(rng(), 40), "weights")


def weight_order():
    assert_m2xfp(groups.equal_errors(rng(), 60), "weights")


def mxfp4_ties():
    assert_mxfp4(groups.ties(rng(), 60))


def power_of_two_edges():
    for rule in groups.RULES:
        test_scales.test_amax_one_ulp_around_every_power_of_two(rule, np.float32)
        test_scales.test_amax_one_ulp_around_every_threshold(rule, np.float32)


def special():
    for role in ("activations", "weights"):
        test_special_values.test_nan_groups("m2xfp", role, np.float32, np.inf)
        test_special_values.test_zeros_keep_their_sign("m2xfp", role)


def products():
    test_matmul.test_m2xfp_matches_exact_rationals(0)
    test_matmul.test_zero_terms()
    test_matmul.test_nan_accumulators_become_the_quiet_nan()
    test_matmul.test_terms_and_sums_among_the_subnormals()


def clamps():
    for rule in groups.RULES:
        test_scales.test_scales_clamp_at_both_ends(rule)


def nvfp4_all():
    for spread in (0, 4, 12):
        test_nvfp4.test_random_groups(np.float32, spread)
        test_nvfp4.test_random_groups(np.float64, spread)
    test_nvfp4.test_ties_of_scales_and_elements()
    test_nvfp4.test_groups_whose_scale_rounds_to_zero()
    for exponent in (-149, -140, -130, 0):
        test_nvfp4.test_tensor_scales_down_to_subnormals_and_zero(exponent)


def nvfp4_rules():
    for rule in test_nvfp4_rules.RULES:
        test_nvfp4_rules.test_few_bits_decided_exactly(rule, 0)
    test_nvfp4_rules.test_ties_that_only_rounding_breaks()
    test_nvfp4_rules.test_importance("four_six")
    test_nvfp4_rules.test_equal_errors_keep_the_first_candidate()


def nvfp4_product():
    test_nvfp4.test_matmul_rounds_each_group_and_then_the_tensor_scales()


def smx4_all():
    test_smx4.test_ties_and_edges_of_the_microexponent()
    test_special_values.test_zeros_keep_their_sign("smx4", "weights")


def round_trip():
    test_properties.test_packing_round_trips()


def float64_first():
    test_quantizer.test_float64_is_not_rounded_first()


CHECKS = (
    *(
        activations,
        weights,
        sparse_weights,
        weight_order,
        mxfp4_ties,
        power_of_two_edges,
        special,
        products,
    ),
    *(clamps, nvfp4_all, nvfp4_rules, nvfp4_product, smx4_all, round_trip, float64_first),
)


@pytest.mark.parametrize("check", CHECKS)
def test_the_true_model_passes(check):
    check()


def half_up(values, grid, unit=1.0):
    return np.searchsorted((grid[1:] + grid[:-1]) / 2 * unit, values, side="right")


def half_down(values, grid, unit=1.0):
    return np.searchsorted((grid[1:] + grid[:-1]) / 2 * unit, values, side="left")


def by_rounded_quotient(values, grid, unit=1.0):
    return codes.nearest_code(np.float32(values) / np.float32(unit), grid)


def without_sticky_bit(values):
    unsigned = bins.unsigned_of(values.dtype)
    shift = np.finfo(values.dtype).nmant - bins.INDEX_FRACTION_BITS
    return (values.view(unsigned) >> unsigned(shift)).astype(np.intp)


def by_logarithm(amax, dtype, rule, largest_exponent):
    values = np.maximum(amax.view(dtype).astype(np.float32), np.float32(1e-45))
    peak = np.float32(4 if rule in ("floor", "rtn2") else 6)
    rounding = {"floor": np.floor, "ceil": np.ceil}.get(rule, np.round)
    return np.clip(rounding(np.log2(values / peak)).astype(int) + 127, 0, 254)


def keys_of(encode):
    def keys(dtype):
        values = bins.bin_values(dtype)
        c4 = codes.nearest_code(values, codes.E2M1_VALUES)
        c6 = codes.nearest_code(values, codes.E2M3_VALUES)
        return (c4 << 5 | encode(c4, c6) & 3).astype(np.uint8)

    return keys


def serial_sum(terms):
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def last_of_equal_multipliers(bin_index, grids, exact):
    best_k = np.zeros((4, bin_index.shape[1]), np.uint8)
    best = np.full(best_k.shape, np.inf)
    for k in range(4):
        errors = m2xfp._subgroup_errors(grids[k].take(bin_index), exact)
        best_k[errors <= best] = k
        best = np.minimum(best, errors)
    return best_k, m2xfp.tree_sum(best)


search_steps = m2xfp._search_steps


def last_of_equal_steps(bin_index, exact, scale_codes, steps, grids):
    return search_steps(bin_index, exact, scale_codes, steps[::-1], grids)


encode_weights = m2xfp._encode_weights


def without_search(magnitude, scale_codes, adaptive):
    return encode_weights(magnitude, scale_codes, False)


def last_of_equal_tops(lanes, fields):
    mirrored = decode_activations(lanes[..., ::-1], fields)
    return mirrored[..., ::-1]


decode_activations = m2xfp._decode_activations


def swapped_fields(fields):
    return np.bitwise_or.reduce(fields[::-1] << m2xfp.METADATA_SHIFTS[:, None])


def swapped_nibbles(planes):
    return planes[1::2] | planes[0::2] << np.uint8(4)


def rounded_to_float32(array):
    return np.ascontiguousarray(array.T, dtype=np.float32)


def without_sign_of_zero(values):
    return (values < 0).view(np.uint8)


def no_group(planes):
    return np.zeros(planes.shape[1], bool)


def rounded_once(a, w, c=None):
    left, right = (q.dequantize().astype(np.float64) for q in (a, w))
    start = 0 if c is None else c
    return product.canonical_nan((left @ right.T + start).astype(np.float32))


def by_two_divisions(self, amax, scale_rule):
    return float(np.float32(amax) / np.float32(448) / np.float32(6))


nvfp4_errors, true_candidates = nvfp4._errors, nvfp4._candidates


def reversed_candidates(amax, tensor_scale, rule):
    return reversed(list(true_candidates(amax, tensor_scale, rule)))


def without_the_last_candidate(amax, tensor_scale, rule):
    return iter(list(true_candidates(amax, tensor_scale, rule))[:-1])


def elements_half_up(magnitude, unit):
    midpoints = (codes.E2M1_VALUES[1:] + codes.E2M1_VALUES[:-1]) / 2
    return sum((magnitude >= m * unit).astype(np.uint8) for m in midpoints) * (unit > 0)


MUTANTS = [
    (activations, m2xfp, "nearest_code", half_up),
    (activations, m2xfp, "nearest_code", half_down),
    (weights, m2xfp, "nearest_code", half_up),
    (weights, m2xfp, "nearest_code", half_down),
    (mxfp4_ties, mxfp4, "nearest_code", half_up),
    (nvfp4_all, nvfp4, "nearest_code", half_up),
    (nvfp4_all, nvfp4, "nearest_code", by_rounded_quotient),
    (activations, m2xfp, "bin_indices", without_sticky_bit),
    (weights, m2xfp, "bin_indices", without_sticky_bit),
    (mxfp4_ties, mxfp4, "bin_indices", without_sticky_bit),
    (power_of_two_edges, m2xfp, "scale_codes", by_logarithm),
    (power_of_two_edges, mxfp4, "scale_codes", by_logarithm),
    (activations, m2xfp, "_activation_keys", keys_of(lambda c4, c6: c6 + 1)),
    (activations, m2xfp, "_activation_keys", keys_of(lambda c4, c6: c6.clip(4 * c4, 4 * c4 + 3))),
    (activations, m2xfp, "LANE_RANK", m2xfp.LANE_RANK[::-1]),
    (products, m2xfp, "_decode_activations", last_of_equal_tops),
    (weight_order, m2xfp, "tree_sum", serial_sum),
    (sparse_weights, m2xfp, "_search_multipliers", last_of_equal_multipliers),
    (sparse_weights, m2xfp, "_search_steps", last_of_equal_steps),
    (weights, m2xfp, "_encode_weights", without_search),
    (clamps, m2xfp, "MAX_CODE", 255),
    (clamps, scales, "MAX_CODE", 255),
    (weights, m2xfp, "_pack_fields", swapped_fields),
    (weights, packing, "_pack_nibbles", swapped_nibbles),
    (float64_first, quantizer, "_planes", rounded_to_float32),
    (special, m2xfp, "sign_bits", without_sign_of_zero),
    (special, quantizer, "_special_groups", no_group),
    (products, product, "canonical_nan", lambda values: values),
    (products, product, "accumulate", rounded_once),
    (nvfp4_all, nvfp4.Nvfp4, "tensor_scale", by_two_divisions),
    (nvfp4_all, nvfp4, "_element_codes", elements_half_up),
    (nvfp4_rules, nvfp4, "LARGEST_SCALES", dict.fromkeys(nvfp4.LARGEST_SCALES, 448)),
    (nvfp4_rules, nvfp4, "_candidates", reversed_candidates),
    (nvfp4_rules, nvfp4, "_candidates", without_the_last_candidate),
    (nvfp4_rules, nvfp4, "tree_sum", serial_sum),
    (nvfp4_rules, nvfp4, "_errors", lambda *a: nvfp4_errors(*a[:-1], None)),
    (nvfp4_product, product, "accumulate", rounded_once),
    (smx4_all, smx4, "LARGEST_EXPONENT", 2),
    (smx4_all, smx4, "sign_bits", without_sign_of_zero),
]

TABLES = (
    m2xfp._activation_keys,
    m2xfp._weight_codes,
    m2xfp._weight_grids,
    mxfp4._code_table,
)


@pytest.fixture
def fresh_tables():
    for table in TABLES:
        table.cache_clear()
    yield
    for table in TABLES:
        table.cache_clear()


def name_of(mutant):
    check, target, name, replacement = mutant
    label = getattr(replacement, "__name__", repr(replacement))
    return f"{check.__name__}-{target.__name__}.{name}-{label}"


@pytest.mark.usefixtures("fresh_tables")
@pytest.mark.parametrize("mutant", MUTANTS, ids=name_of)
def test_mutant_is_caught(mutant, monkeypatch):
    check, target, name, replacement = mutant
    monkeypatch.setattr(target, name, replacement)
    with pytest.raises(AssertionError):
        check()
