"""The options that say which unit is meant, the same for every command that builds one."""

from golden.errors import InputError

from .. import formats
from ..units import UNITS, UnitParameters


def add_parameters(parser):
    """Add ``--format``, ``--columns``, ``--rows`` and what only a core has."""
    parser.add_argument(
        "--format", choices=formats.names(), default="m2xfp", help="default: %(default)s"
    )
    parser.add_argument(
        "--columns",
        type=int,
        default=1,
        metavar="C",
        help="columns of a tile; default: %(default)s",
    )
    parser.add_argument(
        "--rows",
        type=int,
        default=UnitParameters.rows,
        metavar="R",
        help="rows of partial sums a tile keeps; default: %(default)s",
    )
    parser.add_argument(
        "--buffer-groups",
        type=int,
        default=UnitParameters.buffer_groups,
        metavar="B",
        help="groups of activations a core keeps; default: %(default)s",
    )
    parser.add_argument(
        "--accumulate", action="store_true", help="a core may start sums from a stream"
    )
    parser.add_argument("--quantize", action="store_true", help="a core may quantize its results")


def build(unit, args):
    """Build a unit of `hdl.units` from the options.

    Raises
    ------
    InputError
        When the unit refuses its parameters, with its own words.
    """
    parameters = UnitParameters(
        formats.get(args.format),
        columns=args.columns,
        rows=args.rows,
        buffer_groups=args.buffer_groups,
        accumulate=args.accumulate,
        quantize=args.quantize,
    )
    try:
        return UNITS[unit](parameters)
    except ValueError as error:
        raise InputError(str(error)) from None


def describe(unit, args):
    """Return the parameters that mean something to a unit, by name."""
    parameters = {"format": args.format}
    if unit in ("tile", "core"):
        parameters |= {"columns": args.columns, "rows": args.rows}
    if unit == "core":
        names = ("buffer_groups", "accumulate", "quantize")
        parameters |= {name: getattr(args, name) for name in names}
    return parameters
