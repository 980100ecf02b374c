"""Properties that hold for every tensor, searched by hypothesis."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import golden
from golden import formats
from golden.packing import pack, unpack

from .comparing import bits
from .unpacking import element_codes, metadata_fields

FINITE = st.floats(width=32, min_value=-(2.0**100), max_value=2.0**100)
ANY = st.floats(width=32)
E8M0_FORMATS = [name for name in formats.names() if name != "nvfp4"]
SYMMETRIC = [name for name in formats.names() if name != "m2xfp_sg_spare"]

roles = st.sampled_from(["activations", "weights"])
few = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def tensors(values, rows=3, length=64):
    # A pool of few values makes equal magnitudes common.
    pooled = st.lists(values, min_size=1, max_size=12).flatmap(
        lambda pool: arrays.arrays(np.float32, (rows, length), elements=st.sampled_from(pool))
    )
    return pooled | arrays.arrays(np.float32, (rows, length), elements=values)


@few
@given(tensors(ANY), roles, st.sampled_from(["mxfp4", "smx4"]))
def test_encoding_a_decoded_tensor_changes_nothing(x, role, format):
    once = golden.quantize(x, role, format=format).dequantize()
    if not np.isinf(once).any():
        twice = golden.quantize(once, role, format=format).dequantize()
        np.testing.assert_array_equal(bits(twice), bits(once))


@few
@given(tensors(FINITE))
def test_encoding_decoded_activations_changes_only_midpoints(x):
    first = golden.quantize(x, "activations")
    once = first.dequantize()
    second = golden.quantize(once, "activations")
    twice = second.dequantize()
    # Two steps above an odd E2M1 code is a midpoint, which rounds up to the even code: 1.75 is
    # encoded as 2.0 less one step, 1.875. The top code, 6.0, has no code above it.
    codes = (element_codes(first).reshape(-1, 8) & 7).max(axis=1)
    midpoint = (metadata_fields(first).reshape(-1) == 3) & (codes % 2 == 1) & (codes < 7)
    changed = (bits(twice) != bits(once)).reshape(-1, 8).any(axis=1)
    np.testing.assert_array_equal(changed, midpoint)
    thrice = golden.quantize(twice, "activations").dequantize()
    np.testing.assert_array_equal(bits(thrice), bits(twice))


@few
@given(tensors(FINITE), st.booleans())
def test_decoded_weights_have_no_error_left(x, adaptive):
    once = golden.quantize(x, "weights", adaptive=adaptive).dequantize()
    twice = golden.quantize(once, "weights").dequantize()
    np.testing.assert_array_equal(twice, once)


@few
@given(tensors(FINITE))
def test_the_top_element_stays_the_top_after_decoding(x):
    first = golden.quantize(x, "activations")
    second = golden.quantize(first.dequantize(), "activations")
    tops = [(element_codes(q).reshape(-1, 8) & 7).argmax(axis=1) for q in (first, second)]
    np.testing.assert_array_equal(*tops)


@few
@given(tensors(FINITE), roles, st.sampled_from(E8M0_FORMATS), st.integers(-20, 20))
def test_scaling_by_a_power_of_two_moves_the_scales_alone(x, role, format, shift):
    x[np.abs(x) < 2.0**-90] = 0
    group = formats.get(format).group
    zero = ~x.reshape(-1, group).any(axis=1)
    before = golden.quantize(x, role, format=format)
    after = golden.quantize(np.ldexp(x, shift), role, format=format)
    np.testing.assert_array_equal(after.elements, before.elements)
    np.testing.assert_array_equal(after.metadata, before.metadata)
    moved = before.scales.reshape(-1).astype(int) + np.where(zero, 0, shift)
    np.testing.assert_array_equal(after.scales.reshape(-1), moved)


@few
@given(tensors(ANY), roles, st.sampled_from(SYMMETRIC))
def test_negation_flips_the_signs_alone(x, role, format):
    q, negated = (golden.quantize(v, role, format=format) for v in (x, -x))
    assert negated.scales.tolist() == q.scales.tolist()
    assert negated.metadata.tolist() == q.metadata.tolist()
    decoded = q.dequantize()
    finite = ~np.isnan(decoded)
    np.testing.assert_array_equal(bits(negated.dequantize()[finite]), bits(-decoded[finite]))


@few
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 4]))
def test_packing_round_trips(seed, width):
    codes = np.random.default_rng(seed).integers(0, 1 << width, (16, 5), np.uint8)
    packed = pack(codes, width)
    assert packed.shape == (5, 2 * width)
    np.testing.assert_array_equal(unpack(packed, width), codes.T)


@few
@given(tensors(ANY), roles, st.sampled_from(formats.names()))
def test_no_tensor_makes_a_warning_or_a_wild_value(x, role, format):
    decoded = golden.quantize(x, role, format=format).dequantize()
    group = formats.get(format).group
    special = ~np.isfinite(x.reshape(-1, group)).all(axis=1)
    assert (np.isnan(decoded.reshape(-1, group)).all(axis=1) == special).all()
    assert (np.isnan(decoded.reshape(-1, group)).any(axis=1) == special).all()
