"""Quantization: checks, then the format's encoder on cache-sized chunks in threads."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import ml_dtypes
import numpy as np

from . import formats
from .bins import magnitude_bits, unsigned_of
from .errors import InputError, InputTypeError
from .importance import columns, counts
from .number_format import Options
from .packing import pack
from .quantized import Quantized

#: Input types, exact in float64.
FLOAT_TYPES = tuple(np.dtype(t) for t in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64))

#: Elements a chunk: its temporaries fit a second-level cache.
CHUNK_ELEMENTS = 1 << 16


def quantize(
    x,
    role,
    *,
    format="m2xfp",
    scale_rule="floor",
    adaptive=True,
    importance=None,
    threads=None,
):
    """Quantize a tensor along its last axis (spec sections 2 to 5 and 8).

    Parameters
    ----------
    x : array of shape (..., K)
        float16, bfloat16 (ml_dtypes), float32 or float64. K is a multiple of the group. Every
        decision is exact on the value as given. A group with a NaN or an infinity becomes a NaN
        group.
    role : str
        ``"activations"`` or ``"weights"``: M2XFP encodes them differently.
    format : str
        One of `golden.formats.names`: ``"m2xfp"``, ``"m2xfp_sg"``, ``"m2xfp_sg_spare"``,
        ``"mxfp4"``, ``"nvfp4"`` or ``"smx4"``.
    scale_rule : str
        ``"floor"``, ``"ceil"``, ``"rtn1"`` or ``"rtn2"`` (spec section 4), for formats with an
        E8M0 scale; ``"floor"``, ``"four_six"`` or ``"search"`` for NVFP4 (`golden.formats.nvfp4`).
    adaptive : bool
        For M2XFP and M2XFP-SG weights: search the exponents E - 1, E, E + 1 (default), or keep E.
    importance : array of shape (K,), optional
        For weights in M2XFP-SG, or in NVFP4 with a rule that searches: how much the squared error
        of weight k counts, not negative. Only ratios inside a group matter, to 20 bits of the
        largest (`golden.importance`).
    threads : int, optional
        Threads to use; one a processor by default. The result does not depend on it.

    Returns
    -------
    Quantized

    Raises
    ------
    InputError
        When the shape, the role, the format, the scale rule or the importance is not one of these.
    InputTypeError
        When the type of `x` or of `importance` is not one of these.
    """
    spec = formats.get(format)
    options = Options(role, scale_rule, bool(adaptive), importance=importance)
    spec.check_options(options)
    if threads is not None and threads < 1:
        raise InputError(f"Threads must be a positive integer, not {threads}")
    x = np.asarray(x)
    check_floats(x)
    spec.check_shape(x.shape)
    groups = x.reshape(-1, spec.group)
    if spec.has_tensor_scale:
        scale = spec.tensor_scale(_finite_amax(groups), scale_rule)
        options = replace(options, tensor_scale=scale)
    if importance is not None:
        options = replace(options, importance=counts(importance, x.shape[-1], spec.group))
    elements, scales, metadata = _encode_chunks(groups, spec, options, threads)
    lead = x.shape[:-1]
    return Quantized(
        elements.reshape(*lead, -1),
        scales.reshape(*lead, -1),
        metadata.reshape(*lead, x.shape[-1] // spec.group * (spec.metadata_bits // 8)),
        role,
        format,
        x.shape,
        None if options.tensor_scale is None else np.float32(options.tensor_scale),
    )


def check_floats(x):
    """Raise `InputError` unless `x` is a non-empty array of a float type that is accepted."""
    if x.dtype.newbyteorder("=") not in FLOAT_TYPES:
        raise InputTypeError(
            f"Tensor must be float16, bfloat16, float32 or float64, not {x.dtype.name}"
        )
    if x.ndim == 0:
        raise InputError("Tensor must have at least one axis, not be a single number")
    if x.size == 0:
        raise InputError(f"Tensor must not be empty, but its shape is {x.shape}")


def processors():
    """Return the number of processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _planes(groups):
    """Return groups (n, group) as float32 or float64 planes (group, n)."""
    wide = np.float64 if groups.dtype.itemsize == 8 else np.float32
    return np.ascontiguousarray(groups.T, dtype=wide)


def _special_groups(planes):
    """Return a mask (n,) of the groups that hold a NaN or an infinity."""
    unsigned = unsigned_of(planes.dtype)
    infinity = np.array(np.inf, planes.dtype).view(unsigned)
    return magnitude_bits(planes).max(axis=0) >= infinity


def _finite_amax(groups):
    """Return the largest magnitude among the groups without NaN or infinity, as a float."""
    largest = 0.0
    step = max(1, CHUNK_ELEMENTS // groups.shape[1])
    for start in range(0, len(groups), step):
        with np.errstate(invalid="ignore"):  # a signalling NaN
            planes = _planes(groups[start : start + step])
        finite = planes[:, ~_special_groups(planes)]
        largest = max(largest, float(np.abs(finite).max(initial=0.0)))
    return largest


def _of_chunk(options, start, count):
    """Return the options of consecutive groups: the counts of their elements for the whole K."""
    if options.importance is None:
        return options
    return replace(options, importance=columns(options.importance, start, count))


def _encode_chunks(groups, spec, options, threads):
    """Encode groups (n, group) to packed elements (n, bytes), scales (n,), metadata (n, bytes)."""
    count = len(groups)
    elements = np.empty((count, spec.elements_bits // 8), np.uint8)
    scales = np.empty(count, np.uint8)
    metadata = np.empty((count, spec.metadata_bits // 8), np.uint8)
    step = max(1, CHUNK_ELEMENTS // spec.group)

    def encode(start):
        chunk = slice(start, start + step)
        with np.errstate(all="ignore"):  # NaN groups are replaced; errors may overflow
            planes = _planes(groups[chunk])
            codes = spec.encode(planes, _of_chunk(options, start, planes.shape[1]))
        special = _special_groups(planes)
        codes.elements[:, special] = 0
        codes.scales[special] = spec.nan_scale
        codes.metadata[:, special] = spec.nan_metadata(options.role)
        elements[chunk] = pack(codes.elements, spec.element_bits)
        scales[chunk] = codes.scales
        metadata[chunk] = codes.metadata.T

    starts = range(0, count, step)
    workers = min(len(starts), threads or processors())
    if workers == 1:
        for start in starts:
            encode(start)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(encode, starts):
                pass
    return elements, scales, metadata
