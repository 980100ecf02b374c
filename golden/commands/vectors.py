"""``m2xfp vectors``: test vectors for hardware teams."""

from ..atomic import new_folder
from ..errors import InputError
from ..vectors.classes import CLASSES
from ..vectors.units import FORMATS, UNITS
from ..vectors.writer import generate
from .progress import progress_bar


def add_arguments(parser):
    """Add the arguments of ``m2xfp vectors``."""
    parser.add_argument("folder", metavar="DIR", help="folder to create")
    parser.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0], help="default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--count",
        type=int,
        default=256,
        help="cases a unit and class (rows for the tile); default: %(default)s",
    )


def run(args):
    """Write the vectors; the folder appears when it is whole."""
    if args.seed < 0:
        raise InputError(f"Seed must not be negative, but is {args.seed}")
    if args.count < 1:
        raise InputError(f"Count must be a positive integer, not {args.count}")
    sets = len(UNITS) * len(CLASSES)
    with new_folder(args.folder) as folder, progress_bar() as progress:
        task = progress.add_task("vectors", total=sets)
        generate(folder, args.seed, args.count, args.format, lambda: progress.advance(task))
    print(
        f"{args.folder}: {len(UNITS)} units, {len(CLASSES)} input classes, {args.count} cases each"
    )
