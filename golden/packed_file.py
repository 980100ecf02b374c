"""Files of quantized tensors: safetensors with three arrays a tensor.

Tensor NAME is stored as ``NAME_packed``, ``NAME_scale`` and ``NAME_meta`` (uint8, the arrays of
`golden.Quantized`), and ``NAME_tensor_scale`` (one float32) for a format with a tensor scale. The
header metadata has ``format``, ``role``, ``group``, ``scale_rule`` and ``version`` (of the program
that wrote it).
"""

from importlib.metadata import version

import numpy as np

from . import formats
from .errors import InputError
from .number_format import ROLES
from .quantized import Quantized
from .safetensors_io import SafetensorsFile, SafetensorsWriter, listed

PACKED, SCALE, META, TENSOR_SCALE = "_packed", "_scale", "_meta", "_tensor_scale"


class PackedWriter:
    """Writes quantized tensors one at a time; their names and shapes are known beforehand.

    Parameters
    ----------
    stream : binary file object
        Where to write.
    shapes : dict of str to tuple of int
        Logical shapes (..., K) of the tensors, in the order they will be written.
    spec : golden.number_format.NumberFormat
        Their format.
    role : str
        Their role.
    scale_rule : str
        How their scales were chosen, for the record.
    """

    def __init__(self, stream, shapes, spec, role, scale_rule):
        tensors = {}
        for name, (*rows, length) in shapes.items():
            groups = length // spec.group
            sizes = ((PACKED, spec.elements_bits), (SCALE, spec.scale_bits))
            for suffix, bits in (*sizes, (META, spec.metadata_bits)):
                tensors[name + suffix] = (np.uint8, (*rows, groups * bits // 8))
            if spec.has_tensor_scale:
                tensors[name + TENSOR_SCALE] = (np.float32, (1,))
        metadata = {
            "format": spec.name,
            "role": role,
            "group": str(spec.group),
            "scale_rule": scale_rule,
            "version": version("m2xfp"),
        }
        self._writer = SafetensorsWriter(stream, tensors, metadata)

    def write(self, name, quantized):
        """Write the next tensor."""
        self._writer.write(name + PACKED, quantized.elements)
        self._writer.write(name + SCALE, quantized.scales)
        self._writer.write(name + META, quantized.metadata)
        if quantized.tensor_scale is not None:
            scale = np.array([quantized.tensor_scale], np.float32)
            self._writer.write(name + TENSOR_SCALE, scale)


class PackedFile:
    """A file of quantized tensors, open for reading.

    Attributes
    ----------
    path : Path
        The file.
    spec : golden.number_format.NumberFormat
        Format of its tensors.
    role : str
        Their role.
    names : tuple of str
        Their names, in order.

    Raises
    ------
    InputError
        When the file is not a whole file of quantized tensors.
    """

    def __init__(self, path):
        self._file = SafetensorsFile(path)
        self.path = self._file.path
        metadata = self._file.metadata
        missing = {"format", "role", "group", "version"} - metadata.keys()
        if missing:
            raise InputError(
                f"{path}: not a file of `m2xfp quantize`: its metadata has no {min(missing)}"
            )
        try:
            self.spec = formats.get(metadata["format"])
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        self.role = metadata["role"]
        if self.role not in ROLES:
            raise InputError(f"{path}: role must be activations or weights, not {self.role!r}")
        if metadata["group"] != str(self.spec.group):
            raise InputError(
                f"{path}: group of {self.spec.name} must be {self.spec.group}, "
                f"not {metadata['group']!r}"
            )
        entries = self._file.entries
        self.names = tuple(n.removesuffix(PACKED) for n in entries if n.endswith(PACKED))
        if not self.names:
            raise InputError(f"{path}: no quantized tensor; it has {listed(entries)}")

    def shape(self, name):
        """Return the logical shape (..., K) of a tensor."""
        if name not in self.names:
            raise InputError(f"{self.path}: no tensor {name!r}; it has {listed(self.names)}")
        shape = self._file.entry(name + PACKED).shape
        if not shape:
            raise InputError(f"{self.path}: tensor {name!r} has no axis")
        return (*shape[:-1], shape[-1] * 8 // self.spec.element_bits)

    def read(self, name):
        """Return a tensor as `Quantized`, its arrays mapped from the file."""
        shape = self.shape(name)
        scale = None
        if self.spec.has_tensor_scale:
            scale = self._tensor_scale(name)
        try:
            return Quantized(
                self._file.read(name + PACKED),
                self._file.read(name + SCALE),
                self._file.read(name + META),
                self.role,
                self.spec.name,
                shape,
                scale,
            )
        except InputError as error:
            text = str(error).removeprefix(f"{self.path}: ")
            raise InputError(f"{self.path}: tensor {name!r}: {text}") from None

    def _tensor_scale(self, name):
        scale = self._file.read(name + TENSOR_SCALE)
        if scale.dtype != np.float32 or scale.shape != (1,):
            raise InputError(f"{self.path}: tensor scale of {name!r} must be one float32")
        return scale[0]
