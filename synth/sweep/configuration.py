"""The TOML file that describes a sweep, and every mistake in it."""

import itertools
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from golden import InputError

from . import parameters
from .parameters import JOBS, REQUIRED

__all__ = ["Axes", "Point", "Sweep", "load"]

_SECTIONS = ("jobs", "parameters", "pareto")
_PARETO = {"x": None, "y": None, "x_best": "least", "y_best": "least", "by": ""}
_BEST = ("least", "most")


@dataclass(frozen=True)
class Point:
    """One parameter point.

    Attributes
    ----------
    jobs : tuple of str
    values : dict
        Every parameter of the jobs.
    """

    jobs: tuple[str, ...]
    values: dict[str, object]

    @property
    def key(self) -> str:
        """Text that is equal for equal points."""
        return json.dumps([self.jobs, self.values], sort_keys=True)

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.values.items())


@dataclass(frozen=True)
class Axes:
    """What the plot compares: two figures, which end of each is best, and what groups points."""

    x: str
    y: str
    x_best: str
    y_best: str
    by: str


@dataclass(frozen=True)
class Sweep:
    """A sweep: its points without repetition, and its plot if there is one."""

    points: list[Point]
    axes: Axes | None


def load(path: Path) -> Sweep:
    """Read a configuration.

    Raises
    ------
    InputError
        With one line for every mistake.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    mistakes = [
        f"Section must be one of {', '.join(_SECTIONS)}, not {name!r}"
        for name in table
        if name not in _SECTIONS
    ]
    points = _points(table, mistakes)
    axes = _axes(table["pareto"], mistakes) if "pareto" in table else None
    if axes and axes.by and points and axes.by not in points[0].values:
        mistakes.append(f"pareto.by must be a parameter of the jobs, not {axes.by!r}")
    if mistakes:
        raise InputError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return Sweep(points, axes)


def _points(table: dict, mistakes: list[str]) -> list[Point]:
    jobs = table.get("jobs")
    if not isinstance(jobs, list) or not jobs or any(job not in JOBS for job in jobs):
        mistakes.append(f"jobs must be a list of {' and '.join(JOBS)}, not {jobs!r}")
        return []
    given = table.get("parameters", {})
    if not isinstance(given, dict):
        mistakes.append(f"parameters must be a table, not {given!r}")
        return []
    jobs = tuple(job for job in JOBS if job in jobs)
    before = len(mistakes)
    swept = {
        name: value if isinstance(value, list) else [value]
        for name, value in given.items()
        if _checked(name, value, jobs, mistakes)
    }
    mistakes += [
        f"Parameter {name} is missing: it must be {parameter.rule}"
        for name, parameter in parameters.known(jobs).items()
        if parameter.default is REQUIRED and name not in given
    ]
    return [] if len(mistakes) > before else _product(jobs, swept, mistakes)


def _checked(name: str, value: object, jobs: tuple[str, ...], mistakes: list[str]) -> bool:
    known = parameters.known(jobs)
    if name not in known:
        mistakes.append(f"Parameter must be one of {', '.join(known)}, not {name!r}")
        return False
    if value == []:
        mistakes.append(f"Parameter {name} must have a value, not an empty list")
        return False
    wrong = [
        v for v in (value if isinstance(value, list) else [value]) if not known[name].accepts(v)
    ]
    mistakes += [f"Parameter {name} must be {known[name].rule}, not {v!r}" for v in wrong]
    return not wrong


def _product(jobs: tuple[str, ...], swept: dict, mistakes: list[str]) -> list[Point]:
    points, refused = {}, {}
    for values in itertools.product(*swept.values()):
        try:
            point = Point(jobs, parameters.complete(jobs, dict(zip(swept, values, strict=True))))
            points[point.key] = point
        except InputError as error:
            refused[f"Parameter {error}"] = None
    mistakes += refused
    return list(points.values())


def _axes(given: object, mistakes: list[str]) -> Axes | None:
    before = len(mistakes)
    if not isinstance(given, dict):
        mistakes.append(f"pareto must be a table, not {given!r}")
        return None
    for name, value in given.items():
        if name not in _PARETO:
            mistakes.append(f"pareto must have {', '.join(_PARETO)}, not {name!r}")
        elif not isinstance(value, str):
            mistakes.append(f"pareto.{name} must be a string, not {value!r}")
        elif name.endswith("_best") and value not in _BEST:
            mistakes.append(f"pareto.{name} must be one of {', '.join(_BEST)}, not {value!r}")
    mistakes += [
        f"pareto.{name} is missing: it must name a figure or parameter"
        for name, default in _PARETO.items()
        if default is None and name not in given
    ]
    return None if len(mistakes) > before else Axes(**(_PARETO | given))
