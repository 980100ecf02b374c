import math

import numpy as np
import pytest

from sim.accuracy.statistics import Estimate, decibels, difference, mean, reduction


def test_mean_and_its_error():
    found = mean([1.0, 2.0, 3.0, 6.0])
    assert found.value == 3
    # Sum of squares 4 + 1 + 0 + 9 = 14, over n - 1 = 3 and n = 4.
    assert found.error == pytest.approx(math.sqrt(14 / 12))


def test_one_sequence_has_no_error():
    assert math.isnan(mean([1.0]).error)
    assert math.isnan(reduction([1.0], [2.0]).error)


def test_difference_is_of_pairs():
    other = np.array([1.0, 5.0, 9.0])
    certain = difference(other - 0.25, other)
    assert (certain.value, certain.error) == (-0.25, 0)
    # Differences 1, -1 and 3: mean 1, squares 0 + 4 + 4 over n - 1 = 2 and n = 3.
    found = difference([2, 1, 6], [1, 2, 3])
    assert found.value == 1
    assert found.error == pytest.approx(math.sqrt(8 / 6))


def test_reduction_of_proportional_losses_is_certain():
    other = np.array([1.0, 2.0, 5.0])
    found = reduction(0.25 * other, other)
    assert found.value == pytest.approx(0.75)
    assert found.error == pytest.approx(0, abs=1e-12)


def test_reduction_error_against_leaving_out_by_hand():
    # Without each sequence in turn: 1 - 3/6, 1 - 2/5, 1 - 3/3 of ours 1, 2, 1 and other 1, 2, 4.
    found = reduction([1, 2, 1], [1, 2, 4])
    left = np.array([1 - 3 / 6, 1 - 2 / 5, 1 - 3 / 3])
    assert found.value == pytest.approx(1 - 4 / 7)
    assert found.error == pytest.approx(math.sqrt(2 / 3 * ((left - left.mean()) ** 2).sum()))


def test_the_error_covers_the_truth_as_often_as_it_should():
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(400):
        other = rng.gamma(4, size=16)
        found = reduction(other * rng.normal(0.5, 0.2, 16), other)
        hits += abs(found.value - 0.5) < 2 * found.error
    assert 0.88 < hits / 400 < 0.99


@pytest.mark.parametrize(("signal", "noise", "expected"), [(100, 1, 20), (1, 10, -10)])
def test_decibels(signal, noise, expected):
    assert decibels(signal, noise) == pytest.approx(expected)


def test_no_noise_is_infinitely_good():
    assert decibels(1, 0) == math.inf


def test_estimates_are_equal_by_value():
    assert Estimate(1, 2) == Estimate(1, 2)
