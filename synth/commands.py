"""``m2xfp synth``: cell counts, area, timing and power of units on the chosen targets."""

import json
import logging
from pathlib import Path

from golden.atomic import replacing
from golden.errors import InputError, MismatchError
from hdl.commands.parameters import add_parameters, build, describe
from hdl.units import UNITS

from . import liberty, tables, tools
from .flows import TARGETS, osu018
from .yosys import SynthesisError

_log = logging.getLogger(__name__)

#: Where the figures go unless ``--json`` says otherwise.
DEFAULT_JSON = Path("build/synth/results.json")

#: Targets that tools from PyPI alone can do.
PYPI_TARGETS = ("generic", "ice40", "ecp5")


def add_arguments(parser):
    """Add the arguments of ``m2xfp synth``."""
    parser.add_argument("units", nargs="+", metavar="UNIT", choices=UNITS, help=", ".join(UNITS))
    parser.add_argument(
        "--target",
        nargs="+",
        choices=TARGETS,
        default=PYPI_TARGETS,
        help=f"default: {' '.join(PYPI_TARGETS)}; osu018 needs the Debian packages "
        "opensta and qflow-tech-osu018",
    )
    add_parameters(parser, fabric="luts for ice40 and ecp5, else gates")
    parser.add_argument(
        "--period", type=float, default=4.0, metavar="NS", help="osu018: delay target of the mapper"
    )
    parser.add_argument(
        "--activity",
        type=float,
        default=osu018.ACTIVITY,
        help="osu018: transitions a net and cycle",
    )
    parser.add_argument(
        "--place", action="store_true", help="ice40, ecp5: place and route for the clock frequency"
    )
    parser.add_argument(
        "--seeds", type=int, default=5, metavar="N", help="placements; default: %(default)s"
    )
    parser.add_argument(
        "--json", type=Path, default=DEFAULT_JSON, metavar="FILE", help="default: %(default)s"
    )


def run(args):
    """Run every unit on every target, print tables and write the JSON file."""
    _check(args)
    # Every unit is built before the first is mapped: a bad parameter costs no time.
    targets, units = dict.fromkeys(args.target), dict.fromkeys(args.units)
    components = {
        (target, unit): build(unit, args, TARGETS[target].FABRIC)
        for target in targets
        for unit in units
    }
    if args.json == DEFAULT_JSON:
        args.json.parent.mkdir(parents=True, exist_ok=True)
    with replacing(args.json) as stream, tools.progress():
        records = []
        for target in targets:
            fabric = TARGETS[target].FABRIC
            results = [_measure(target, unit, components[target, unit], args) for unit in units]
            tables.print_results(target, results)
            records += [
                tables.record(target, describe(result.name, args, fabric), result)
                for result in results
            ]
        document = {"tools": tools.versions(args.target), "results": records}
        stream.write((json.dumps(document, indent=2) + "\n").encode())
    print(f"figures: {args.json}")


def _check(args):
    if args.seeds < 1:
        raise InputError(f"Seeds must be a positive integer, not {args.seeds}")
    if not args.period > 0:
        raise InputError(f"Period must be positive, not {args.period}")
    if not 0 <= args.activity <= 1:
        raise InputError(f"Activity must be between 0 and 1, not {args.activity}")
    if "osu018" in args.target:
        liberty.find_osu018()


def _measure(target, unit, component, args):
    options = {
        "generic": {},
        "ice40": {"seeds": args.seeds * args.place},
        "ecp5": {"seeds": args.seeds * args.place},
        "osu018": {"period_ns": args.period, "activity": args.activity, "blocks": True},
    }
    _log.info("%s: mapping %s", target, unit)
    try:
        return TARGETS[target].run(component, unit, **options[target])
    except SynthesisError as error:
        raise MismatchError(f"{unit} on {target}: {error}") from None
