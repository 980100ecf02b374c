import itertools
import random

import pytest

from synth.sweep.configuration import Axes
from synth.sweep.pareto import front


def beats(one, other, axes):
    """Say from the definition whether one point beats another."""
    better = {"least": lambda a, b: a < b, "most": lambda a, b: a > b}
    wins = [
        better[best](a, b)
        for a, b, best in zip(one, other, (axes.x_best, axes.y_best), strict=True)
    ]
    losses = [
        better[best](b, a)
        for a, b, best in zip(one, other, (axes.x_best, axes.y_best), strict=True)
    ]
    return any(wins) and not any(losses)


@pytest.mark.parametrize("ends", list(itertools.product(("least", "most"), repeat=2)))
def test_the_front_is_what_nothing_beats(ends):
    axes = Axes("x", "y", *ends, by="")
    rng = random.Random(4)
    for size in [1, 2, 3, 30] * 20:
        points = [(rng.randrange(8), rng.randrange(8)) for _ in range(size)]
        expected = {i for i, p in enumerate(points) if not any(beats(q, p, axes) for q in points)}
        found = front(axes, points)
        assert set(found) == expected
        assert [points[i] for i in found] == sorted(points[i] for i in found)
