"""``m2xfp sweep``: run the points of a configuration that have no line yet."""

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

from golden.atomic import replacing
from golden.errors import InputError

from .. import liberty
from . import configuration, runners, store
from .pareto import SUFFIXES, coordinates, front, picture

#: Points of the front that are listed.
LISTED = 10


def add_arguments(parser):
    """Add the arguments of ``m2xfp sweep``."""
    parser.add_argument("configuration", type=Path, metavar="CONFIG.toml")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="JSON lines, to which points are added; default: CONFIG.jsonl beside CONFIG.toml",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="picture of [pareto], .svg or .png; default: CONFIG.svg beside the output",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=int, metavar="N", help="points at a time; default: one for each core"
    )
    where.add_argument(
        "--dask", metavar="ADDRESS", help="run on the cluster of this scheduler (extra: dask)"
    )
    parser.add_argument(
        "--retry", action="store_true", help="run points again that failed in an earlier run"
    )


def run(args):
    """Run what is missing, draw the plot, and return 1 if a point failed, else 0."""
    output = args.output or args.configuration.with_suffix(".jsonl")
    plot = args.plot or output.with_suffix(".svg")
    sweep = configuration.load(args.configuration)
    _check(args, sweep, plot)
    with _terminable(), store.opened(output) as lines:
        missing = [
            point
            for point in sweep.points
            if point.key not in lines.outcomes
            or (args.retry and lines.outcomes[point.key]["status"] == "failed")
        ]
        if missing:
            _run(args, missing, lines)
        outcomes = [lines.outcomes[point.key] for point in sweep.points]
    done = [i for i, outcome in enumerate(outcomes) if outcome["status"] == "done"]
    failed = len(outcomes) - len(done)
    print(f"points  {len(outcomes)}: {len(missing)} run now, {failed} failed")
    print(f"lines   {output}")
    if sweep.axes and done:
        points = [sweep.points[i] for i in done]
        _plot(sweep.axes, points, [outcomes[i]["figures"] for i in done], plot)
    return int(failed > 0)


@contextmanager
def _terminable():
    """Treat SIGTERM as Ctrl-C: what runs is ended, what is written stays."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check(args, sweep, plot):
    if args.jobs is not None and args.jobs < 1:
        raise InputError(f"Jobs must be a positive integer, not {args.jobs}")
    if args.plot and not sweep.axes:
        raise InputError(f"{args.configuration} must have a section pareto for a plot")
    if plot.suffix not in SUFFIXES:
        raise InputError(f"Plot must be a {' or '.join(SUFFIXES)} file, not {plot}")
    if any(point.values.get("target") == "osu018" for point in sweep.points) and not args.dask:
        liberty.find_osu018()


def _run(args, points, lines):
    cores = args.jobs or len(os.sched_getaffinity(0))
    where = runners.cluster(args.dask) if args.dask else runners.local(cores)
    with where as submit:
        for count, (point, outcome) in enumerate(runners.completed(submit, points), 1):
            lines.append(point, outcome)
            said = outcome.get("message", "done").partition("\n")[0]
            print(f"[{count}/{len(points)}] {point}: {said}", file=sys.stderr, flush=True)


def _plot(axes, points, figures, path):
    at = coordinates(axes, points, figures)
    with replacing(path) as stream:
        stream.write(picture(axes, points, at, path))
    print(f"plot    {path}")
    best = front(axes, at)
    print(f"best    {len(best)} of {len(points)} in {axes.x} and {axes.y}:")
    swept = [name for name in points[0].values if len({str(p.values[name]) for p in points}) > 1]
    for index in best[:LISTED]:
        named = " ".join(f"{name}={points[index].values[name]}" for name in swept)
        print(f"        {at[index][0]:g}, {at[index][1]:g}  {named}")
    if len(best) > LISTED:
        print(f"        and {len(best) - LISTED} more")
