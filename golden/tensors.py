"""Float tensors from files: ``FILE.npy`` or ``FILE.safetensors:TENSOR``."""

import math
import os
import warnings
from pathlib import Path
from tokenize import TokenError

import ml_dtypes
import numpy as np
from numpy.lib import format as npy

from .errors import InputError
from .quantizer import check_floats
from .safetensors_io import SafetensorsFile, listed

SUFFIX = ".safetensors"

#: NumPy evaluates the header of a ``.npy`` file as Python, and broken text gives any of these.
_HEADER_ERRORS = (ValueError, TypeError, SyntaxError, TokenError, MemoryError, RecursionError)


def split_spec(spec):
    """Split ``FILE`` or ``FILE.safetensors:TENSOR`` into a path and a tensor name or ``None``."""
    spec = os.fspath(spec)
    path, separator, name = spec.rpartition(f"{SUFFIX}:")
    return (Path(path + SUFFIX), name) if separator else (Path(spec), None)


def load_tensor(spec):
    """Read one float tensor.

    Parameters
    ----------
    spec : str
        ``FILE.npy`` or ``FILE.safetensors:TENSOR``. The type is float16, bfloat16, float32 or
        float64; a two-byte void type in a ``.npy`` file is what NumPy stores bfloat16 as.

    Returns
    -------
    array
        Read-only, mapped from the file, in the file's type.

    Raises
    ------
    InputError
        When there is no such file or tensor, the file is not whole, or the tensor is empty or a
        single number. One line.
    InputTypeError
        When the tensor is not of one of these types.
    """
    path, name = split_spec(spec)
    if name is not None:
        array = SafetensorsFile(path).read(name)
    elif path.suffix == SUFFIX:
        names = listed(SafetensorsFile(path).entries)
        raise InputError(f"{path}: name a tensor as {path}:TENSOR; the file has {names}")
    elif path.suffix == ".npy":
        array = _map_npy(path)
    else:
        raise InputError(f"File must be FILE.npy or FILE.safetensors:TENSOR, not {spec}")
    return checked(spec, array)


def checked(spec, array):
    """Return `array` if `golden.quantize` takes its type, or raise an error that names `spec`."""
    try:
        check_floats(array)
    except InputError as error:
        raise type(error)(f"{spec}: {error}") from None
    return array


def _map_npy(path):
    try:
        size = path.stat().st_size
        with open(path, "rb") as stream:
            shape, fortran, dtype = _read_npy_header(stream)
            start = stream.tell()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}") from None
    except _HEADER_ERRORS:
        raise InputError(f"{path}: not a NumPy file, or its header is damaged") from None
    if dtype.hasobject:
        raise InputError(f"{path}: tensor must be of floats, not of Python objects")
    count = math.prod(shape)
    if start + count * dtype.itemsize > size:
        raise InputError(f"{path}: truncated: {dtype.name} of shape {shape} does not fit the file")
    if dtype == np.dtype("V2"):
        dtype = np.dtype(ml_dtypes.bfloat16)
    if count == 0:
        return np.empty(shape, dtype)
    mapped = np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")
    return mapped.view(np.ndarray)


def _read_npy_header(stream):
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(stream)
    if version not in readers:
        raise ValueError(f"version {version}")
    with warnings.catch_warnings(action="ignore"):  # such as for headers by Python 2
        shape, fortran, dtype = readers[version](stream)
    if min(shape, default=0) < 0:
        raise ValueError(f"shape {shape}")
    return shape, fortran, dtype
