"""The work of one point. ``python -m synth.sweep.jobs`` does it for a point on standard input."""

import contextlib
import json
import sys

import numpy as np

import golden
from golden import MismatchError
from hdl import formats
from hdl.units import UNITS, UnitParameters
from sim import engines, gemm

from ..flows import TARGETS

__all__ = ["figures", "outcome"]


def figures(jobs: list[str], values: dict) -> dict[str, float]:
    """Do the jobs of a point and return figure name -> value.

    Raises
    ------
    Exception
        Whatever a job raises: a unit that refuses its parameters, a tool that fails, a
        simulation whose outputs differ from the golden model.
    """
    return {name: value for job in jobs for name, value in _JOBS[job](values).items()}


def outcome(jobs: list[str], values: dict) -> dict:
    """Return ``{"status": "done", "figures": ...}`` or ``{"status": "failed", "message": ...}``."""
    try:
        return {"status": "done", "figures": figures(jobs, values)}
    except Exception as error:
        # A sweep outlives its points, whatever ends them.
        return {"status": "failed", "message": f"{type(error).__name__}: {error}"}


def _gemm(values: dict) -> dict[str, float]:
    rng = np.random.default_rng(values["seed"])
    shapes = {"activations": (values["m"], values["k"]), "weights": (values["n"], values["k"])}
    a, w = (
        golden.quantize(
            rng.standard_normal(shape).astype(np.float32), role, format=values["format"]
        )
        for role, shape in shapes.items()
    )
    done = gemm.run(
        a,
        w,
        engines.get(values["engine"]),
        columns=values["columns"],
        rows=values["rows"],
        stall=values["stall"],
        seed=values["seed"],
    )
    if len(done.mismatches):
        raise MismatchError(f"{len(done.mismatches)} of {done.result.size} outputs differ")
    return {
        "cycles": done.cycles,
        "MAC/cycle": round(done.macs_per_cycle, 3),
        "utilization": round(done.utilization, 5),
    }


def _synth(values: dict) -> dict[str, float]:
    options = {
        "generic": {"blocks": False},
        "ice40": {"seeds": values["placements"]},
        "ecp5": {"seeds": values["placements"]},
        "osu018": {"period_ns": values["period"], "activity": values["activity"]},
    }
    unit, target = values["unit"], values["target"]
    format = formats.get(values["format"], TARGETS[target].FABRIC)
    parameters = UnitParameters(format, columns=values["columns"], rows=values["rows"])
    result = TARGETS[target].run(UNITS[unit](parameters), unit, **options[target])
    return {name: round(value, 3) for name, value in result.figures.items()}


_JOBS = {"gemm": _gemm, "synth": _synth}


def main() -> None:
    """Read a point from standard input and write its outcome to standard output."""
    point = json.load(sys.stdin)
    # What libraries print must not end up in the answer.
    with contextlib.redirect_stdout(sys.stderr):
        answer = outcome(point["jobs"], point["parameters"])
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
