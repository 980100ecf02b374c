"""The options that say which unit is meant, the same for every command that builds one."""

from golden.errors import InputError

from .. import formats
from ..fabric import Fabric
from ..units import UNITS, UnitParameters


def add_parameters(parser, *, fabric="gates"):
    """Add ``--format``, ``--fabric``, ``--columns``, ``--rows`` and what only a core has.

    Parameters
    ----------
    fabric
        What the help says of ``--fabric`` left out.
    """
    parser.add_argument(
        "--format", choices=formats.names(), default="m2xfp", help="default: %(default)s"
    )
    parser.add_argument(
        "--fabric",
        choices=[fabric.value for fabric in Fabric],
        help=f"what the gateware is shaped for, standard cells or FPGAs; default: {fabric}",
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


def build(unit, args, fabric=Fabric.GATES):
    """Build a unit of `hdl.units` from the options, for ``fabric`` unless they name another.

    Raises
    ------
    InputError
        When the unit refuses its parameters, with its own words.
    """
    parameters = UnitParameters(
        formats.get(args.format, Fabric(args.fabric) if args.fabric else fabric),
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


def describe(unit, args, fabric=Fabric.GATES):
    """Return the parameters that mean something to a unit, by name."""
    parameters = {"format": args.format, "fabric": args.fabric or fabric.value}
    if unit in ("tile", "core"):
        parameters |= {"columns": args.columns, "rows": args.rows}
    if unit == "core":
        names = ("buffer_groups", "accumulate", "quantize")
        parameters |= {name: getattr(args, name) for name in names}
    return parameters
