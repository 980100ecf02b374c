"""``m2xfp quantize``: float tensors of a file to a file of quantized tensors."""

import math
from pathlib import Path

from .. import formats
from ..atomic import replacing
from ..errors import InputError
from ..importance import counts
from ..number_format import ROLES, Options
from ..packed_file import PackedWriter
from ..quantizer import FLOAT_TYPES, quantize
from ..safetensors_io import DTYPES, SafetensorsFile, listed
from ..tensors import SUFFIX, checked, load_tensor, split_spec
from .progress import progress_bar


def add_arguments(parser):
    """Add the arguments of ``m2xfp quantize``."""
    parser.add_argument(
        "input",
        metavar="IN",
        help="FILE.npy, FILE.safetensors:TENSOR, or FILE.safetensors for all its 2-D float tensors",
    )
    parser.add_argument("output", metavar="OUT", help="FILE.safetensors to write")
    parser.add_argument("--role", choices=ROLES, required=True, help="what the tensors are")
    parser.add_argument(
        "--format", choices=formats.names(), default=formats.DEFAULT, help="default: %(default)s"
    )
    parser.add_argument(
        "--scale-rule",
        choices=formats.scale_rules(),
        default="floor",
        help="default: %(default)s",
    )
    parser.add_argument(
        "--fixed",
        action="store_true",
        help="m2xfp and m2xfp_sg weights: do not search the scale exponent",
    )
    parser.add_argument(
        "--importance",
        metavar="FILE",
        help="m2xfp_sg weights: how much the error of each weight along K counts, a vector as "
        "FILE.npy or FILE.safetensors:TENSOR",
    )


def run(args):
    """Quantize tensor by tensor; the output appears when it is whole."""
    spec = formats.get(args.format)
    importance = None if args.importance is None else load_tensor(args.importance)
    spec.check_options(Options(args.role, args.scale_rule, importance=importance))
    if Path(args.output).suffix != SUFFIX:
        raise InputError(f"Output must be a {SUFFIX} file, not {args.output}")
    tensors, skipped = find_tensors(args.input)
    for source, (shape, _) in tensors.items():
        try:
            spec.check_shape(shape)
            if importance is not None:
                counts(importance, shape[-1], spec.group)
        except InputError as error:
            raise InputError(f"{args.input}: tensor {source!r}: {error}") from None
    shapes = {name: shape for name, (shape, _) in tensors.items()}
    total = sum(math.prod(shape) for shape in shapes.values())
    with replacing(args.output) as stream, progress_bar() as progress:
        task = progress.add_task("quantize", total=total)
        writer = PackedWriter(stream, shapes, spec, args.role, args.scale_rule)
        for name, (shape, load) in tensors.items():
            options = {"scale_rule": args.scale_rule, "adaptive": not args.fixed}
            options |= {"format": spec.name, "importance": importance}
            writer.write(name, quantize(load(), args.role, **options))
            progress.advance(task, math.prod(shape))
    if skipped:
        print(f"skipped, not a 2-D float tensor: {listed(skipped)}")
    print(
        f"{args.output}: {len(tensors)} tensor{'s' * (len(tensors) != 1)}, {total} elements, "
        f"{spec.name} {args.role}, {spec.bits_per_element:g} bits an element"
    )


def find_tensors(source):
    """Find the tensors that the command's input names.

    Returns
    -------
    tensors : dict of str to tuple
        Name to (shape, function that returns the array).
    skipped : list of str
        Names of the tensors of a whole file that are not two-dimensional floats.
    """
    path, name = split_spec(source)
    if name is None and path.suffix == SUFFIX:
        return _all_tensors(SafetensorsFile(path))
    array = load_tensor(source)
    return {name or path.stem: (array.shape, lambda: array)}, []


def _all_tensors(file):
    tensors, skipped = {}, []
    for name, entry in file.entries.items():
        if DTYPES.get(entry.dtype) in FLOAT_TYPES and len(entry.shape) == 2:
            checked(f"{file.path}:{name}", file.read(name))
            tensors[name] = (entry.shape, lambda name=name: file.read(name))
        else:
            skipped.append(name)
    if not tensors:
        raise InputError(f"{file.path}: no 2-D float tensor; it has {listed(file.entries)}")
    return tensors, skipped
