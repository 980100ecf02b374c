"""The code tables and the rounding rule against ml_dtypes and gfloat."""

import gfloat
import ml_dtypes
import numpy as np
import pytest
from gfloat.formats import format_info_ocp_e2m1, format_info_ocp_e2m3, format_info_ocp_e4m3

from golden import codes

TABLES = [
    (codes.E2M1_VALUES, ml_dtypes.float4_e2m1fn, format_info_ocp_e2m1),
    (codes.E2M3_VALUES, ml_dtypes.float6_e2m3fn, format_info_ocp_e2m3),
    (codes.E4M3_VALUES, ml_dtypes.float8_e4m3fn, format_info_ocp_e4m3),
]


def bfloat16_magnitudes():
    patterns = np.arange(0x7F80, dtype=np.uint16)  # up to the largest finite
    return patterns.view(ml_dtypes.bfloat16).astype(np.float32)


@pytest.mark.parametrize(("table", "dtype", "info"), TABLES)
def test_values_are_those_of_both_libraries(table, dtype, info):
    patterns = np.arange(len(table), dtype=np.uint8)
    np.testing.assert_array_equal(table, patterns.view(dtype).astype(np.float64))
    np.testing.assert_array_equal(table, gfloat.decode_ndarray(info, patterns))


def test_values_are_those_of_the_standard():
    assert codes.E2M1_VALUES.tolist() == [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    assert codes.E2M3_VALUES.tolist() == [
        *(0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875),
        *(1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875),
        *(2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75),
        *(4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5),
    ]
    np.testing.assert_array_equal(codes.E2M1_VALUES, codes.E2M3_VALUES[::4])
    assert (codes.E4M3_VALUES[[1, 7, 8, 126]] == [2**-9, 7 * 2**-9, 2**-6, 448]).all()


@pytest.mark.parametrize(("table", "dtype", "info"), TABLES)
def test_rounding_of_every_bfloat16_magnitude(table, dtype, info):
    values = bfloat16_magnitudes()
    expected = np.where(values > table[-1], len(table) - 1, 0)
    inside = values <= table[-1]
    expected[inside] = values[inside].astype(dtype).view(np.uint8)
    got = codes.nearest_code(values.astype(np.float64), table)
    np.testing.assert_array_equal(got, expected)
    rounded = gfloat.round_ndarray(info, values.astype(np.float64), sat=True)
    np.testing.assert_array_equal(table[got], rounded)


@pytest.mark.parametrize("unit", [1.0, 1.25, 1.5, 1.75, 0.3])
def test_rounding_around_every_midpoint(unit):
    for table, *_ in TABLES:
        midpoints = (table[1:] + table[:-1]) / 2 * unit
        lower = np.arange(len(midpoints))
        even = lower + lower % 2
        np.testing.assert_array_equal(codes.nearest_code(midpoints, table, unit), even)
        below = np.nextafter(midpoints, 0)
        np.testing.assert_array_equal(codes.nearest_code(below, table, unit), lower)
        above = np.nextafter(midpoints, np.inf)
        np.testing.assert_array_equal(codes.nearest_code(above, table, unit), lower + 1)
