"""``m2xfp dequantize``: a file of quantized tensors back to float32."""

import math
from pathlib import Path

import numpy as np

from ..atomic import replacing
from ..errors import InputError
from ..packed_file import PackedFile
from ..safetensors_io import SafetensorsWriter, listed
from ..tensors import SUFFIX, split_spec
from .progress import progress_bar


def add_arguments(parser):
    """Add the arguments of ``m2xfp dequantize``."""
    parser.add_argument(
        "input", metavar="IN", help="file of `m2xfp quantize`, or FILE.safetensors:TENSOR of one"
    )
    parser.add_argument(
        "output", metavar="OUT", help="FILE.safetensors, or FILE.npy for a single tensor"
    )


def run(args):
    """Decode tensor by tensor; the output appears when it is whole."""
    file, names = open_packed(args.input)
    suffix = Path(args.output).suffix
    if suffix not in (SUFFIX, ".npy"):
        raise InputError(f"Output must be a {SUFFIX} or .npy file, not {args.output}")
    if suffix == ".npy" and len(names) > 1:
        raise InputError(
            f"A .npy file holds one tensor, and {args.input} has {listed(names)}: "
            f"name one as {file.path}:TENSOR"
        )
    shapes = {name: file.read(name).shape for name in names}
    with replacing(args.output) as stream, progress_bar() as progress:
        task = progress.add_task("dequantize", total=sum(map(math.prod, shapes.values())))
        if suffix == ".npy":
            np.save(stream, file.read(names[0]).dequantize())
            return
        announced = {name: (np.float32, shape) for name, shape in shapes.items()}
        writer = SafetensorsWriter(stream, announced, {})
        for name, shape in shapes.items():
            writer.write(name, file.read(name).dequantize())
            progress.advance(task, math.prod(shape))


def open_packed(source):
    """Open ``FILE`` or ``FILE.safetensors:TENSOR``: the file, and the tensors that are meant."""
    path, name = split_spec(source)
    file = PackedFile(path)
    if name is None:
        return file, file.names
    file.shape(name)
    return file, (name,)
