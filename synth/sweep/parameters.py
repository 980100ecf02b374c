"""What a point of a sweep is made of: the jobs, their parameters and the rules for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import golden.formats
from golden import InputError
from hdl import formats
from hdl.units import UNITS
from sim import engines

from ..flows import TARGETS, osu018

__all__ = ["JOBS", "REQUIRED", "Parameter", "complete", "known"]

REQUIRED = object()


@dataclass(frozen=True)
class Parameter:
    """One parameter of a point.

    Attributes
    ----------
    jobs : tuple of str
        Jobs that use it.
    default
        Its value where a configuration says nothing; `REQUIRED` for none.
    rule : str
        What a value must be, as messages say it.
    accepts : callable
        Whether a value obeys the rule.
    """

    jobs: tuple[str, ...]
    default: object
    rule: str
    accepts: Callable[[object], bool]


def _integer(jobs: tuple[str, ...], default: object, least: int) -> Parameter:
    rule = "a positive integer" if least else "an integer of at least 0"
    return Parameter(jobs, default, rule, lambda v: type(v) is int and v >= least)


def _choice(jobs: tuple[str, ...], default: object, names) -> Parameter:
    names = tuple(names)
    return Parameter(jobs, default, f"one of {', '.join(names)}", lambda v: v in names)


def _number(jobs, default, rule, accepts) -> Parameter:
    return Parameter(jobs, default, rule, lambda v: type(v) in (int, float) and accepts(v))


_BOTH, _GEMM, _SYNTH = ("gemm", "synth"), ("gemm",), ("synth",)

#: Jobs that a point may ask for, in the order in which they run.
JOBS = _BOTH

PARAMETERS: Mapping[str, Parameter] = {
    "format": _choice(_BOTH, "m2xfp", formats.names()),
    "columns": _integer(_BOTH, 1, 1),
    "rows": _integer(_BOTH, 128, 1),
    "m": _integer(_GEMM, REQUIRED, 1),
    "k": _integer(_GEMM, REQUIRED, 1),
    "n": _integer(_GEMM, REQUIRED, 1),
    "engine": _choice(_GEMM, "fast", engines.NAMES),
    "stall": _number(_GEMM, 0.0, "at least 0 and less than 1", lambda v: 0 <= v < 1),
    "seed": _integer(_GEMM, 0, 0),
    "unit": _choice(_SYNTH, REQUIRED, UNITS),
    "target": _choice(_SYNTH, REQUIRED, TARGETS),
    "period": _number(_SYNTH, 4.0, "a positive number", lambda v: 0 < v < float("inf")),
    "activity": _number(_SYNTH, osu018.ACTIVITY, "between 0 and 1", lambda v: 0 <= v <= 1),
    "placements": _integer(_SYNTH, 0, 0),
}


def known(jobs) -> dict[str, Parameter]:
    """Return the parameters that mean something to some of the jobs."""
    return {name: p for name, p in PARAMETERS.items() if set(p.jobs) & set(jobs)}


def complete(jobs, given: Mapping[str, object]) -> dict[str, object]:
    """Return a point with its defaults, in one order.

    Raises
    ------
    InputError
        If its parameters do not fit each other.
    """
    point = {name: given.get(name, p.default) for name, p in known(jobs).items()}
    if "gemm" in jobs:
        group = golden.formats.get(point["format"]).group
        if point["k"] % group:
            raise InputError(
                f"k must be a multiple of {group} for {point['format']}, not {point['k']}"
            )
    return point
