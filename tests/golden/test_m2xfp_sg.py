"""M2XFP-SG, strict and with the spare code: every code against brute force in exact rationals."""

import re
from fractions import Fraction
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import golden
from golden import formats
from golden.importance import COUNT_BITS, counts

from . import groups, reference_sg
from .comparing import bits
from .reference import round_fp32
from .unpacking import element_codes, metadata_fields

ROLES = ("activations", "weights")
VARIANTS = ("m2xfp_sg", "m2xfp_sg_spare")

both = pytest.mark.parametrize("format", VARIANTS)
roles = pytest.mark.parametrize("role", ROLES)
wide = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def stored(q):
    """Return (scale code, element codes, metadata fields) of every group."""
    rows = zip(q.scales.reshape(-1), element_codes(q), metadata_fields(q), strict=True)
    return [(int(s), codes.tolist(), fields.tolist()) for s, codes, fields in rows]


def assert_sg(x, role, format, counted=None, **options):
    """Check every stored code of finite groups x (n, 32)."""
    q = golden.quantize(x, role, format=format, **options)
    spare, adaptive = format == "m2xfp_sg_spare", options.get("adaptive", True)
    for group, got in zip(x, stored(q), strict=True):
        expected = reference_sg.group(group, role, spare, adaptive, counted)
        assert got == expected, f"{format} {role}: {group!r}"


def sg_ties(rng, count, dtype=np.float32):
    """Midpoints under every multiplier, those of the spare codes too, and a float beside them."""
    midpoints = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 4.5, 5.5, 6.5])
    multipliers = np.array([1, 5 / 4, 3 / 4, 1 / 4, 7 / 8, 5 / 8])
    points = np.multiply.outer(midpoints, multipliers).reshape(-1)
    x = rng.choice(points[points < 8], (count, 32)).astype(dtype)
    moved = np.nextafter(x, dtype(rng.choice([0, 8])))
    x = np.where(rng.random(x.shape) < 0.3, moved, x)
    x[np.arange(count), rng.integers(0, 32, count)] = rng.choice([4, 6, 7.5], count)
    return groups.signed(rng, x * np.exp2(rng.integers(-20, 20, (count, 1)))).astype(dtype)


def coarse(rng, count, dtype=np.float32, density=0.4):
    """Small multiples of 1/4 and many zeros: several candidates have equal errors."""
    x = rng.integers(0, 30, (count, 32)) / 4 * (rng.random((count, 32)) < density)
    x[:, 5] = rng.choice([0, 4, 5, 7], count)
    return groups.signed(rng, x * np.exp2(rng.integers(-20, 20, (count, 1)))).astype(dtype)


def almost_equal(rng, count):
    """Float64 groups whose candidates tie but for bits that float32 does not have."""
    x = coarse(rng, count, np.float64, 0.2)
    return x * (1 + rng.choice([-1, 1], x.shape) * np.exp2(-rng.integers(26, 53, x.shape)))


@both
@roles
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_normal_values(format, role, dtype):
    low, high = (-12, 10) if dtype == np.float16 else (-30, 30)
    assert_sg(groups.normal(np.random.default_rng(1), 20, low, high, dtype), role, format)


@both
@roles
@wide
def test_ties(format, role, dtype):
    assert_sg(sg_ties(np.random.default_rng(2), 60, dtype), role, format)


@both
@roles
@wide
def test_equal_errors(format, role, dtype):
    assert_sg(coarse(np.random.default_rng(3), 60, dtype), role, format)
    assert_sg(groups.sparse(np.random.default_rng(4), 30, dtype), role, format)


@both
@roles
def test_errors_that_differ_in_the_last_bits_of_float64(format, role):
    rng = np.random.default_rng(5)
    x = almost_equal(rng, 80)
    assert_sg(x, role, format)
    # The bits matter: rounded to float32 first, some groups are encoded otherwise.
    rounded = golden.quantize(x.astype(np.float32), role, format=format)
    assert stored(golden.quantize(x, role, format=format)) != stored(rounded)


@both
@roles
@wide
def test_around_every_power_of_two(format, role, dtype):
    exponents = range(-149, 128) if dtype == np.float32 else range(-1074, 1024, 13)
    x = groups.around_powers_of_two(dtype, exponents)
    assert_sg(x[::11], role, format)


@both
@roles
def test_subnormals_and_both_clamps(format, role):
    rng = np.random.default_rng(6)
    x = rng.uniform(-1, 1, (24, 32)) * np.exp2(rng.integers(-149, -120, (24, 1)))
    x[::4] = rng.integers(-5, 6, (6, 32)) * 2.0**-149
    assert_sg(x.astype(np.float32), role, format)
    exponents = rng.choice([-1000, -140, -128, 124, 126, 127, 129, 131, 140, 1000], (40, 1))
    x = rng.uniform(-2, 2, (40, 32)) * np.exp2(exponents)
    x[::5, 3] = 0.9 * 2.0**131  # one huge element among others at the clamp
    assert_sg(x, role, format)


@both
def test_fixed_weights(format):
    rng = np.random.default_rng(7)
    x = np.concatenate([groups.normal(rng, 20), coarse(rng, 20)])
    assert_sg(x, "weights", format, adaptive=False)


@both
@wide
def test_importance(format, dtype):
    rng = np.random.default_rng(8)
    x = np.concatenate([groups.normal(rng, 20, dtype=dtype), coarse(rng, 40, dtype)])
    for spread in (0, 3, 12):
        importance = rng.uniform(0.5, 1, 32) * np.exp2(rng.integers(-spread, spread + 1, 32))
        importance[rng.integers(0, 32, 3)] = 0
        m = max(Fraction(float(v)) for v in importance)
        e = next(e for e in range(-20, 20) if m < Fraction(2) ** e)
        expected = [round(Fraction(float(v)) * Fraction(2) ** (20 - e)) for v in importance]
        assert_sg(x, "weights", format, expected, importance=importance)
    assert_sg(x[::3], "weights", format, [0] * 32, importance=np.zeros(32))


def test_importance_of_float64_reaches_the_bound():
    # Every count is the largest, every element the limit: the widest sums there are.
    x = np.full((2, 32), 2.0**131)
    x[1] = np.nextafter(2.0**130, 0)
    ones = np.nextafter(np.full(32, 2.0), 0)
    assert counts(ones, 32, 32).tolist() == [[1 << COUNT_BITS] * 32]
    for format in VARIANTS:
        assert_sg(x, "weights", format, [1 << COUNT_BITS] * 32, importance=ones)


@both
def test_importance_belongs_to_columns_whatever_the_chunks(format, monkeypatch):
    rng = np.random.default_rng(9)
    x, importance = rng.standard_normal((7, 96)), rng.uniform(0, 1, 96).astype(np.float32)
    whole = golden.quantize(x, "weights", format=format, importance=importance)
    monkeypatch.setattr("golden.quantizer.CHUNK_ELEMENTS", 5 * 32)
    cut = golden.quantize(x, "weights", format=format, importance=importance, threads=2)
    assert stored(cut) == stored(whole)
    for column in range(0, 96, 32):
        part = slice(column, column + 32)
        alone = golden.quantize(x[:, part], "weights", format=format, importance=importance[part])
        assert stored(alone) == stored(whole)[column // 32 :: 3]


@both
def test_importance_lowers_the_error_it_weighs(format):
    rng = np.random.default_rng(10)
    x, importance = rng.standard_normal((64, 128)), rng.lognormal(0, 2, 128)
    plain = golden.quantize(x, "weights", format=format)
    weighed = golden.quantize(x, "weights", format=format, importance=importance)
    before, after = (((q.dequantize() - x) ** 2 @ importance).sum() for q in (plain, weighed))
    assert after < 0.9 * before


@pytest.mark.parametrize(
    ("importance", "kind", "message"),
    [
        (np.ones(64, int), golden.InputTypeError, "Importance must be floats, not int64"),
        (np.ones((1, 64)), golden.InputError, r"Importance must have shape \(64,\), not \(1, 64\)"),
        (np.ones(32), golden.InputError, r"Importance must have shape \(64,\), not \(32,\)"),
        (
            np.r_[np.ones(60), -1, np.nan, 0, 0],
            golden.InputError,
            "Importance must not be negative, infinite or NaN, but entry 60 is -1.0",
        ),
        (
            np.r_[np.ones(63), np.inf],
            golden.InputError,
            "Importance must not be negative, infinite or NaN, but entry 63 is inf",
        ),
    ],
)
def test_bad_importance_is_refused(importance, kind, message):
    with pytest.raises(kind, match=f"^{message}$"):
        golden.quantize(np.ones((2, 64)), "weights", format="m2xfp_sg", importance=importance)


@pytest.mark.parametrize(
    ("format", "role", "message"),
    [
        ("m2xfp_sg", "activations", "Importance is for weights, not activations"),
        ("m2xfp", "weights", "Format m2xfp takes no importance"),
    ],
)
def test_importance_where_it_has_no_meaning_is_refused(format, role, message):
    with pytest.raises(golden.InputError, match=f"^{message}$"):
        golden.quantize(np.ones((2, 64)), role, format=format, importance=np.ones(64))


@both
@roles
def test_every_code_decodes(format, role):
    codes = np.tile(np.arange(16, dtype=np.uint8), 2)
    elements = np.tile(codes[0::2] | codes[1::2] << 4, (256, 1)).astype(np.uint8)
    scales = np.arange(256, dtype=np.uint8)[:, None]
    for byte in (0b11100100, 0b00011011, 0, 255):
        metadata = np.full((256, 1), byte, np.uint8)
        q = golden.Quantized(elements, scales, metadata, role, format, (256, 32))
        decoded = q.dequantize()
        fields = [byte >> 2 * j & 3 for j in range(4)]
        for scale in range(255):
            exact = reference_sg.decode(scale, codes.tolist(), fields, role, "spare" in format)
            for value, expected in zip(decoded[scale].tolist(), exact, strict=True):
                overflow = abs(expected) >= 2**128
                assert np.isinf(value) if overflow else Fraction(value) == expected
        assert np.isnan(decoded[255]).all()


def operands(rng, spread, format):
    x, y = rng.standard_normal((2, 5, 96)) * np.exp2(rng.integers(-spread, spread + 1, (2, 5, 1)))
    return golden.quantize(x, "activations", format=format), golden.quantize(
        y, "weights", format=format
    )


@both
@pytest.mark.parametrize("spread", [0, 12, 70])
def test_matmul_rounds_each_exact_group_sum(format, spread):
    rng = np.random.default_rng(spread)
    a, w = operands(rng, spread, format)
    c = rng.standard_normal((5, 5)).astype(np.float32)
    spare = format == "m2xfp_sg_spare"
    left, right = (
        [reference_sg.decode(*group, q.role, spare) for group in stored(q)] for q in (a, w)
    )
    for m, n in np.ndindex(5, 5):
        acc = Fraction(float(c[m, n]))
        for g in range(3):
            pairs = zip(left[3 * m + g], right[3 * n + g], strict=True)
            acc = round_fp32(acc + round_fp32(sum(p * q for p, q in pairs)))
        assert Fraction(float(golden.matmul(a, w, c)[m, n])) == acc


@pytest.mark.parametrize(
    ("format", "nibble", "largest"), [("m2xfp_sg", 7, 184320), ("m2xfp_sg_spare", 8, 215040)]
)
def test_largest_group_sum(format, nibble, largest):
    left, right = (np.full((1, 16), n * 17, np.uint8) for n in (nibble, 7))
    scale = np.array([[127]], np.uint8)
    metadata = [np.array([[byte]], np.uint8) for byte in (0b01010101, 0)]
    a = golden.Quantized(left, scale, metadata[0], "activations", format, (1, 32))
    w = golden.Quantized(right, scale, metadata[1], "weights", format, (1, 32))
    assert golden.matmul(a, w)[0, 0] * 128 == largest < 1 << 18


def test_worked_example_of_the_page():
    page = (Path(__file__).parents[2] / "docs" / "m2xfp_sg.md").read_text()
    x = np.zeros((1, 32))
    x[0, :8] = [float(v) for v in re.search(r"subgroup 0 = (.*) and", page)[1].split(",")]
    rows = re.findall(
        r"^\| (\w+), (strict|spare code) \| (\d+) \| (\d) \| ([\d ]+) \| (.*) \|$", page, re.M
    )
    assert len(rows) == 4
    for role, variant, scale, index, codes, decoded in rows:
        q = golden.quantize(x, role, format=VARIANTS[variant == "spare code"])
        lanes = [int(code) for code in codes.split()]
        assert stored(q) == [(int(scale), lanes + [0] * 24, [int(index), 0, 0, 0])]
        values = np.array([float(v) for v in decoded.split(",")])
        np.testing.assert_array_equal(bits(q.dequantize()[0, :8]), bits(values))


def test_zeros():
    x = np.array([[0.0, -0.0] * 16, [6.0, -1e-6] * 16], np.float32)
    for role in ROLES:
        strict, spare = (golden.quantize(x, role, format=format) for format in VARIANTS)
        assert element_codes(strict).tolist() == [[0, 8] * 16, [7, 8] * 16]
        assert element_codes(spare).tolist() == [[0, 0] * 16, [7, 0] * 16]
        assert strict.scales[:, 0].tolist() == spare.scales[:, 0].tolist() == [0, 127]
        assert not strict.metadata.any()


def test_the_spare_code_is_used_on_positive_values_only():
    x = np.random.default_rng(11).standard_normal((200, 64)).astype(np.float32)
    for role in ROLES:
        q = golden.quantize(x, role, format="m2xfp_sg_spare")
        used = element_codes(q) == 8
        assert used.mean() > 0.002
        assert (x.reshape(-1, 32)[used] > 0).all()
        strict = golden.quantize(x, role, format="m2xfp_sg")
        before, after = (((v.dequantize() - x) ** 2).sum() for v in (strict, q))
        assert after < before


def test_costs():
    for name in VARIANTS:
        spec = formats.get(name)
        assert (spec.group, spec.word_bits, spec.bits_per_element) == (32, 144, 4.5)
        assert spec.scale_rules == ("floor",)
    assert not formats.get("m2xfp_sg").spare_code
    assert formats.get("m2xfp_sg_spare").spare_code


few = settings(max_examples=40, deadline=None, derandomize=True, database=None)
values = st.lists(
    st.floats(width=32, min_value=-(2.0**20), max_value=2.0**20), min_size=1, max_size=9
).flatmap(lambda pool: arrays.arrays(np.float32, (2, 32), elements=st.sampled_from(pool)))


@few
@given(values, st.sampled_from(ROLES), st.sampled_from(VARIANTS))
def test_any_values(x, role, format):
    assert_sg(x, role, format)


@few
@given(values, st.sampled_from(VARIANTS), st.integers(0, 2**32 - 1))
def test_any_importance(x, format, seed):
    counted = np.random.default_rng(seed).integers(0, 1 << COUNT_BITS, 32)
    counted[7] = (1 << COUNT_BITS) - 1
    assert_sg(x, "weights", format, counted.tolist(), importance=counted.astype(float))


@few
@given(values, st.sampled_from(VARIANTS))
def test_decoded_weights_have_no_error_left(x, format):
    once = golden.quantize(x, "weights", format=format).dequantize()
    twice = golden.quantize(once, "weights", format=format).dequantize()
    np.testing.assert_array_equal(bits(np.abs(twice)), bits(np.abs(once)))
