"""Seeded bugs in M2XFP-SG of the golden model, each of which the checks must catch."""

from dataclasses import replace

import numpy as np
import pytest

from golden import importance as importances
from golden import product
from golden.formats import m2xfp_sg

from . import groups
from . import test_m2xfp_sg as sg
from . import test_mutants as shared


def sg_codes():
    for format in sg.VARIANTS:
        for role in sg.ROLES:
            x = np.concatenate([sg.sg_ties(shared.rng(), 30), groups.normal(shared.rng(), 10)])
            sg.assert_sg(x, role, format)


def sg_order():
    for role in sg.ROLES:
        sg.test_equal_errors("m2xfp_sg", role, np.float32)


def sg_float64():
    sg.test_errors_that_differ_in_the_last_bits_of_float64("m2xfp_sg", "activations")
    sg.test_errors_that_differ_in_the_last_bits_of_float64("m2xfp_sg", "weights")


def sg_clamps():
    sg.test_subnormals_and_both_clamps("m2xfp_sg", "weights")


def sg_zeros():
    sg.test_zeros()


def sg_importance():
    sg.test_importance("m2xfp_sg", np.float32)
    sg.test_importance_of_float64_reaches_the_bound()


def sg_products():
    sg.test_matmul_rounds_each_exact_group_sum("m2xfp_sg_spare", 12)


CHECKS = (sg_codes, sg_order, sg_float64, sg_clamps, sg_zeros, sg_importance, sg_products)


@pytest.mark.parametrize("check", CHECKS)
def test_the_true_model_passes(check):
    check()


def last_of_equal_errors(left, right):
    return ~errors_less(right, left)


errors_less = m2xfp_sg.less


def high_parts_alone(left, right):
    return left[0] < right[0]


def without_carry(parts):
    return parts


def roles_with(role, **changes):
    return {**m2xfp_sg.ROLES, role: replace(m2xfp_sg.ROLES[role], **changes)}


def strict_nibbles(role, spare_code, unit):
    return sg_nibbles(role, False, unit)


sg_nibbles = m2xfp_sg._nibbles

TALL_ACTIVATIONS = roles_with("activations", numerators=(5, 4, 3, 1))
RISING_WEIGHTS = roles_with("weights", numerators=(5, 6, 7, 8))
STEPS_FROM_BELOW = roles_with("weights", steps=(-1, 0, 1))
SPARE_OF_WEIGHTS = roles_with("activations", spare_halves=10)

MUTANTS = [
    (sg_codes, m2xfp_sg, "nearest_code", shared.half_up),
    (sg_codes, m2xfp_sg, "nearest_code", shared.half_down),
    (sg_codes, m2xfp_sg, "bin_indices", shared.without_sticky_bit),
    (sg_codes, m2xfp_sg, "_nibbles", strict_nibbles),
    (sg_zeros, m2xfp_sg, "_nibbles", strict_nibbles),
    (sg_codes, m2xfp_sg, "ROLES", TALL_ACTIVATIONS),
    (sg_codes, m2xfp_sg, "ROLES", RISING_WEIGHTS),
    (sg_codes, m2xfp_sg, "ROLES", SPARE_OF_WEIGHTS),
    (sg_products, m2xfp_sg, "ROLES", SPARE_OF_WEIGHTS),
    (sg_order, m2xfp_sg, "ROLES", STEPS_FROM_BELOW),
    (sg_order, m2xfp_sg, "less", last_of_equal_errors),
    (sg_float64, m2xfp_sg, "less", high_parts_alone),
    (sg_float64, m2xfp_sg, "carried", without_carry),
    (sg_float64, m2xfp_sg, "LOW_MASK", (1 << 24) - 1),
    (sg_codes, m2xfp_sg, "SQUARE_SHIFT", 20),
    (sg_clamps, m2xfp_sg, "MAX_CODE", 255),
    (sg_codes, m2xfp_sg, "LIMIT", 7),
    (sg_zeros, m2xfp_sg, "sign_bits", shared.without_sign_of_zero),
    (sg_importance, importances, "COUNT_BITS", 12),
    (sg_products, product, "accumulate", shared.rounded_once),
]

TABLES = (m2xfp_sg._tables, m2xfp_sg._halves)


@pytest.fixture
def fresh_tables():
    for table in TABLES:
        table.cache_clear()
    yield
    for table in TABLES:
        table.cache_clear()


@pytest.mark.usefixtures("fresh_tables")
@pytest.mark.parametrize("mutant", MUTANTS, ids=shared.name_of)
def test_mutant_is_caught(mutant, monkeypatch):
    check, target, name, replacement = mutant
    monkeypatch.setattr(target, name, replacement)
    with pytest.raises(AssertionError):
        check()
