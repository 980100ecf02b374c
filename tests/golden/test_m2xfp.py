"""M2XFP codes, every one, against the exact-rational reference on aimed groups."""

import numpy as np
import pytest

import golden
from golden import formats

from . import groups
from .comparing import assert_m2xfp
from .unpacking import element_codes, metadata_fields

ROLES = ("activations", "weights")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("rule", groups.RULES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_normal_values(role, rule, dtype):
    low, high = (-12, 10) if dtype == np.float16 else (-30, 30)
    assert_m2xfp(groups.normal(np.random.default_rng(1), 25, low, high, dtype), role, rule)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_at_every_midpoint(role, dtype):
    assert_m2xfp(groups.ties(np.random.default_rng(2), 120, dtype), role)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_of_the_refined_element(dtype):
    assert_m2xfp(groups.refined_ties(np.random.default_rng(3), 300, dtype), "activations")


def test_fixed_weights():
    rng = np.random.default_rng(4)
    x = np.concatenate([groups.normal(rng, 40), groups.ties(rng, 40)])
    assert_m2xfp(x, "weights", adaptive=False)
    for rule in groups.RULES:
        assert_m2xfp(x[::8], "weights", rule, adaptive=False)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_groups_that_several_scales_fit_exactly(role, dtype):
    assert_m2xfp(groups.sparse(np.random.default_rng(33), 60, dtype), role)


def test_weight_errors_are_summed_in_the_specified_order():
    assert_m2xfp(groups.equal_errors(np.random.default_rng(5), 150), "weights")


def group(*values):
    x = np.zeros(32)
    x[: len(values)] = values
    return x


def test_worked_example_of_the_specification():
    q = golden.quantize(group(5.7, 1.2, -0.5, 0, 2.3, -1.8, 0.9, 3.1), "activations")
    assert q.scales.tolist() == [127]
    assert element_codes(q)[0, :8].tolist() == [7, 2, 1 | 8, 0, 4, 4 | 8, 2, 5]
    assert metadata_fields(q)[0].tolist() == [0, 1, 1, 1]
    assert q.dequantize()[:8].tolist() == [5.5, 1, -0.5, 0, 2, -2, 1, 3]


@pytest.mark.parametrize(
    ("value", "code", "metadata", "decoded"), [(4.4, 6, 2, 4.5), (3.55, 6, 0, 3.75)]
)
def test_worked_examples_of_the_encoding(value, code, metadata, decoded):
    x = group(value)
    x[8] = 4
    q = golden.quantize(x, "activations")
    assert element_codes(q)[0, 0] == code
    assert metadata_fields(q)[0, 0] == metadata
    assert q.dequantize()[0] == np.float32(decoded)


def test_lowest_index_is_the_top_of_equals():
    q = golden.quantize(group(-5.0, 5.5, 6.0, 7.0, 5.7), "activations")
    # All but the first are 6 as well: 5.0 rounds to the even code, 4.0, and drops out.
    assert element_codes(q)[0, :5].tolist() == [6 | 8, 7, 7, 7, 7]
    assert q.dequantize()[:5].tolist() == [-4, 5.5, 6, 6, 6]


def test_zero_with_metadata_zero_decodes_to_zero():
    arrays = (np.zeros((1, 16), np.uint8), np.array([[127]], np.uint8), np.zeros((1, 1), np.uint8))
    q = golden.Quantized(*arrays, "activations", "m2xfp", (1, 32))
    assert not q.dequantize().any()


def test_largest_decoded_magnitude():
    arrays = [np.array([row], np.uint8) for row in ([0x77] * 16, [127], [255])]
    activations = golden.Quantized(*arrays, "activations", "m2xfp", (1, 32)).dequantize()[0]
    assert activations.tolist() == ([7.0] + [6.0] * 7) * 4
    weights = golden.Quantized(*arrays, "weights", "m2xfp", (1, 32)).dequantize()[0]
    assert weights.tolist() == [6 * 1.75] * 32


def test_top_element_of_every_combination_of_magnitudes():
    spec, chunk = formats.get("m2xfp"), 1 << 18
    plain = np.array([0, 4, 8, 12, 16, 24, 32, 48])
    for start in range(0, 1 << 24, chunk):
        index = np.arange(start, start + chunk, dtype=np.uint32)
        codes = (index[:, None] >> np.arange(0, 24, 3, dtype=np.uint32) & 7).astype(np.uint8)
        metadata = np.full((chunk // 4, 1), 255, np.uint8)
        scales = metadata[:, 0] - np.uint8(128)
        decoded = spec.decode(codes.reshape(-1, 32), scales, metadata, "activations").integers
        # Metadata 3 makes the top element, and no other, larger than its plain value.
        refined = decoded.reshape(-1, 8) != plain[codes]
        np.testing.assert_array_equal(refined, first_largest(codes))


def first_largest(codes):
    """Return the one-hot of the first of the largest of eight, found pair by pair."""
    top, best = np.zeros(len(codes), np.uint8), codes[:, 0].copy()
    for lane in range(1, 8):
        greater = codes[:, lane] > best
        top[greater] = lane
        np.maximum(best, codes[:, lane], out=best)
    return top[:, None] == np.arange(8)
