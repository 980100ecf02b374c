"""``m2xfp inspect``: what a file of quantized tensors holds, and how far it is from the floats."""

import math

import numpy as np

from ..errors import InputError
from ..safetensors_io import SafetensorsFile
from ..tensors import SUFFIX, checked, load_tensor, split_spec
from .dequantize import open_packed

#: Elements compared with the original at a time.
BLOCK_ELEMENTS = 1 << 20


def add_arguments(parser):
    """Add the arguments of ``m2xfp inspect``."""
    parser.add_argument(
        "file", metavar="FILE", help="file of `m2xfp quantize`, or FILE.safetensors:TENSOR of one"
    )
    parser.add_argument(
        "--original",
        metavar="FILE",
        help="the floats to measure the error against: FILE.npy, FILE.safetensors:TENSOR, or "
        "FILE.safetensors with tensors of the same names",
    )


def run(args):
    """Print every tensor."""
    file, names = open_packed(args.file)
    tensors = {name: file.read(name) for name in names}
    originals = {}
    if args.original is not None:
        originals = {name: _original(args.original, name, names) for name in names}
        for name, original in originals.items():
            if original.shape != tensors[name].shape:
                raise InputError(
                    f"Original of {name!r} must have shape {tensors[name].shape}, "
                    f"not {original.shape}"
                )
    print(f"{file.path}: {file.spec.name} {file.role}, group {file.spec.group}")
    for name, quantized in tensors.items():
        for line in describe(name, quantized, originals.get(name)):
            print(line)


def _original(source, name, names):
    path, chosen = split_spec(source)
    if chosen is None and path.suffix == SUFFIX:
        return checked(f"{source}:{name}", SafetensorsFile(path).read(name))
    if len(names) > 1:
        raise InputError(f"{source} is one tensor, but the quantized file has {len(names)}")
    return load_tensor(source)


def describe(name, quantized, original=None):
    """Yield the lines of text about one tensor."""
    bits = 8 * quantized.nbytes / math.prod(quantized.shape)
    yield f"{name}"
    yield f"  shape     {quantized.shape}"
    yield f"  storage   {quantized.nbytes} bytes, {bits:g} bits an element"
    if quantized.tensor_scale is not None:
        yield f"  tensor scale {quantized.tensor_scale!s}"
    counts = metadata_histogram(quantized)
    if counts.size:
        shares = (f"{value}: {n} ({n / counts.sum():.1%})" for value, n in enumerate(counts))
        yield f"  metadata  {', '.join(shares)}"
    if original is not None:
        yield f"  error     {error_summary(quantized, original)}"


def metadata_histogram(quantized):
    """Count the values of the metadata fields, one a subgroup; empty without metadata."""
    spec = quantized.spec
    if not spec.metadata_bits:
        return np.zeros(0, np.intp)
    width = spec.metadata_bits * spec.subgroup // spec.group
    octets = np.bincount(quantized.metadata.reshape(-1), minlength=256)
    fields = np.arange(256)[:, None] >> np.arange(0, 8, width) & (1 << width) - 1
    return np.bincount(fields.reshape(-1), weights=octets.repeat(8 // width)).astype(np.intp)


def error_summary(quantized, original):
    """Compare with the original, block by block, in float64; NaN and infinities are counted."""
    signal = noise = largest = 0.0
    special = 0
    for decoded, exact in _blocks(quantized, original):
        finite = np.isfinite(decoded) & np.isfinite(exact)
        special += finite.size - np.count_nonzero(finite)
        exact = exact[finite]
        difference = decoded[finite] - exact
        signal += float(exact @ exact)
        noise += float(difference @ difference)
        largest = max(largest, float(np.abs(difference).max(initial=0.0)))
    count = math.prod(quantized.shape) - special
    relative = math.sqrt(noise / signal) if signal else 0.0
    ratio = f"{-20 * math.log10(relative):.2f} dB" if relative else "no noise"
    rms = math.sqrt(noise / count) if count else 0.0
    text = f"rms {rms:.4g}, relative {relative:.3%} (SQNR {ratio}), largest {largest:.4g}"
    return f"{text}, {special} elements not finite" if special else text


def _blocks(quantized, original):
    length = quantized.shape[-1]
    source = original.reshape(-1, length)
    step = max(1, BLOCK_ELEMENTS // length)
    for start in range(0, len(source), step):
        block = quantized.rows(start, start + step)
        yield block.dequantize().astype(np.float64), source[start : start + step].astype(np.float64)
