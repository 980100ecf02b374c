"""The points that no other point beats, and their picture."""

import itertools
from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from golden import InputError

from ..plots import COLOURS, SETTINGS, svg
from .configuration import Axes, Point

__all__ = ["SUFFIXES", "coordinates", "front", "picture"]

#: Kinds of picture.
SUFFIXES = (".svg", ".png")

Coordinates = list[tuple[float, float]]


def coordinates(axes: Axes, points: list[Point], figures: list[dict]) -> Coordinates:
    """Return x and y of every point.

    Raises
    ------
    InputError
        If a point has no such figure and no such number among its parameters.
    """
    return [
        tuple(_number(axis, point.values | found) for axis in (axes.x, axes.y))
        for point, found in zip(points, figures, strict=True)
    ]


def _number(axis: str, known: dict) -> float:
    numbers = {name: v for name, v in known.items() if type(v) in (int, float)}
    if axis not in numbers:
        raise InputError(f"Axis of the plot must be one of {', '.join(numbers)}, not {axis!r}")
    return numbers[axis]


def front(axes: Axes, at: Coordinates) -> list[int]:
    """Return the indices of the points that no other beats, by x.

    A point beats another if it is at least as good on both axes and better on one.
    """
    signs = [-1 if best == "most" else 1 for best in (axes.x_best, axes.y_best)]
    cost = [(signs[0] * x, signs[1] * y) for x, y in at]
    best, kept = float("inf"), []
    for _, group in itertools.groupby(
        sorted(range(len(at)), key=cost.__getitem__), cost.__getitem__
    ):
        equals = list(group)
        if cost[equals[0]][1] < best:
            best = cost[equals[0]][1]
            kept += equals
    return sorted(kept, key=lambda i: at[i])


def picture(axes: Axes, points: list[Point], at: Coordinates, path: Path) -> bytes:
    """Draw all points, those of equal ``axes.by`` in one colour, and the line of the best."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(5.5, 3.5))
        plot = figure.subplots()
        groups: dict[str, Coordinates] = {}
        for point, place in zip(points, at, strict=True):
            groups.setdefault(str(point.values.get(axes.by, "")), []).append(place)
        for (label, places), colour in zip(groups.items(), itertools.cycle(COLOURS), strict=False):
            plot.scatter(*zip(*places, strict=True), s=18, color=colour, label=label, zorder=3)
        best = [at[index] for index in front(axes, at)]
        plot.plot(*zip(*best, strict=True), color="#666666", linewidth=1, label="best")
        plot.set_xlabel(f"{axes.x} ({axes.x_best} is best)")
        plot.set_ylabel(f"{axes.y} ({axes.y_best} is best)")
        plot.legend(frameon=False)
        if path.suffix == ".svg":
            return svg(figure)
        stream = BytesIO()
        figure.savefig(stream, format=path.suffix[1:], bbox_inches="tight")
        return stream.getvalue()
