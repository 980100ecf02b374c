"""The package agrees with the official PyTorch quantizer on every group it was run on."""

from pathlib import Path

import numpy as np
import pytest

import golden

VECTORS = Path(__file__).parent / "data" / "official_quantizer.npz"
FAMILIES = ("laplace_outlier", "normal", "sparse", "student_t", "ties", "uniform", "wide")
CASES = (
    ("mxfp4", "mxfp4", "activations"),
    ("act", "m2xfp", "activations"),
    ("wt", "m2xfp", "weights"),
)


@pytest.fixture(scope="module")
def vectors():
    with np.load(VECTORS) as data:
        return dict(data)


def test_no_family_is_forgotten(vectors):
    assert {key.split("/")[0] for key in vectors} == set(FAMILIES)
    assert len(vectors) == len(FAMILIES) * (1 + len(CASES))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("field", "format", "role"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dequantized_values_are_equal(vectors, family, field, format, role, dtype):
    x = vectors[f"{family}/x"].astype(dtype)
    assert x.shape == (400, 32)
    got = golden.quantize(x, role, format=format).dequantize()
    # Values, not bits: the official code loses the sign of a negative zero, which spec section 2
    # keeps.
    np.testing.assert_array_equal(got, vectors[f"{family}/{field}"])
