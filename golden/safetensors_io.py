"""Safetensors files, read and written one tensor at a time so that none has to fit in memory.

A file is the length of a JSON header (8 bytes, little-endian), the header, and the tensors' bytes.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np

from .errors import InputError, InputTypeError

#: Safetensors type names that have a NumPy type.
DTYPES = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "C64": np.dtype("<c8"),
}

_NAMES = {dtype: name for name, dtype in DTYPES.items()}

#: Longest header that is read, as in the safetensors library.
MAX_HEADER_BYTES = 100_000_000


@dataclass(frozen=True)
class Entry:
    """One tensor of a file.

    Attributes
    ----------
    dtype : str
        Safetensors type name.
    shape : tuple of int
        Shape.
    start : int
        Offset of its first byte in the file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int


class SafetensorsFile:
    """A file open for reading; tensors are mapped, not loaded.

    Attributes
    ----------
    path : Path
        The file.
    metadata : dict of str to str
        The ``__metadata__`` of the header.
    entries : dict of str to Entry
        The tensors, in order of their names.

    Raises
    ------
    InputError
        When the file cannot be read or is not a whole safetensors file.
    """

    def __init__(self, path):
        self.path = Path(path)
        try:
            size = self.path.stat().st_size
            with open(self.path, "rb") as stream:
                length = int.from_bytes(stream.read(8), "little")
                if size < 8 or length > min(size - 8, MAX_HEADER_BYTES):
                    raise InputError(f"{path}: not a safetensors file, or truncated")
                header = json.loads(stream.read(length))
            if not isinstance(header, dict):
                raise ValueError("the header is not an object")
            self.metadata = _metadata(header.pop("__metadata__", {}))
            entries = {name: _entry(fields, 8 + length) for name, fields in header.items()}
        except OSError as error:
            raise InputError(f"Cannot read {path}: {error.strerror or error}") from None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path}: not a safetensors file: bad header") from None
        self.entries = dict(sorted(entries.items()))
        for name, entry in self.entries.items():
            self._check_extent(name, entry, header[name]["data_offsets"], size)

    def _check_extent(self, name, entry, offsets, size):
        stop = entry.start + offsets[1] - offsets[0]
        if stop > size:
            raise InputError(f"{self.path}: truncated: tensor {name!r} ends beyond the file")
        if entry.dtype in DTYPES:
            expected = math.prod(entry.shape) * DTYPES[entry.dtype].itemsize
            if expected != stop - entry.start:
                raise InputError(
                    f"{self.path}: tensor {name!r} must have {expected} bytes, "
                    f"not {stop - entry.start}"
                )

    def entry(self, name):
        """Return the entry of a tensor, or raise `InputError` with the names there are."""
        if name not in self.entries:
            raise InputError(f"{self.path}: no tensor {name!r}; it has {listed(self.entries)}")
        return self.entries[name]

    def read(self, name):
        """Return a tensor as a read-only array mapped from the file."""
        entry = self.entry(name)
        if entry.dtype not in DTYPES:
            raise InputTypeError(
                f"{self.path}: tensor {name!r} has type {entry.dtype}, which is not supported"
            )
        dtype = DTYPES[entry.dtype]
        if 0 in entry.shape:
            return np.empty(entry.shape, dtype)
        # Mapped as bytes: the data need not be aligned to the type.
        count = math.prod(entry.shape) * dtype.itemsize
        data = np.memmap(self.path, np.uint8, "r", entry.start, (count,))
        return data.view(np.ndarray).view(dtype).reshape(entry.shape)


def listed(names, limit=8):
    """Return names as one line of text, not all of them when there are many."""
    names = [repr(name) for name in names]
    shown = ", ".join(names[:limit]) or "no tensor"
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def _metadata(fields):
    if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
        raise ValueError("metadata must map strings to strings")
    return fields


def _entry(fields, base):
    start, stop = fields["data_offsets"]
    shape = fields["shape"]
    if not all(type(n) is int and n >= 0 for n in (start, stop - start, *shape)):
        raise ValueError("offsets and shapes must not be negative")
    return Entry(str(fields["dtype"]), tuple(shape), base + start)


class SafetensorsWriter:
    """Writes a safetensors file whose tensors are known by type and shape, not yet by value.

    Parameters
    ----------
    stream : binary file object
        Where to write; the header is written at once.
    tensors : dict of str to tuple
        Name to (NumPy dtype, shape), in file order.
    metadata : dict of str to str
        The ``__metadata__`` of the header.
    """

    def __init__(self, stream, tensors, metadata):
        self._stream = stream
        self._pending = list(tensors.items())
        header, offset = {"__metadata__": metadata}, 0
        for name, (dtype, shape) in tensors.items():
            stop = offset + math.prod(shape) * np.dtype(dtype).itemsize
            header[name] = {
                "dtype": _NAMES[np.dtype(dtype)],
                "shape": list(shape),
                "data_offsets": [offset, stop],
            }
            offset = stop
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        stream.write(len(text).to_bytes(8, "little") + text)

    def write(self, name, array):
        """Write the next tensor; it must be the next one announced, as announced."""
        expected, (dtype, shape) = self._pending.pop(0)
        if (name, array.dtype, array.shape) != (expected, np.dtype(dtype), tuple(shape)):
            raise ValueError(f"Tensor {expected!r} was announced next, not {name!r}")
        self._stream.write(np.ascontiguousarray(array).data)
