"""What every number format is to the rest of the project.

A format is one object, in one file of ``golden/formats``. It knows its sizes and bus layout, how
to encode groups of floats and how to decode codes to exact integers and scales; quantization,
dequantization, matrix products, files and bus words are written once on top of that.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from .codes import E8M0_NAN
from .errors import InputError

#: The roles a tensor can have in a matrix product.
ROLES = ("activations", "weights")


@dataclass(frozen=True)
class Options:
    """How to quantize.

    Attributes
    ----------
    role : str
        ``"activations"`` or ``"weights"``.
    scale_rule : str
        One of the format's scale rules.
    adaptive : bool
        Whether M2XFP and M2XFP-SG weights search the scale exponents E - 1, E and E + 1.
    tensor_scale : float or None
        The scale of the whole tensor, for a format that has one: an exact float32 value.
    importance : array or None
        How much the error of each element counts: floats (K,) where a tensor is quantized, the
        integers of `golden.importance` (group, n) where its groups are encoded.
    """

    role: str
    scale_rule: str = "floor"
    adaptive: bool = True
    tensor_scale: float | None = None
    importance: np.ndarray | None = None


@dataclass(frozen=True)
class Codes:
    """Unpacked codes of n groups, the group axis last, as encoders produce them.

    Attributes
    ----------
    elements : uint8 array of shape (group, n)
        One element code a byte.
    scales : uint8 array of shape (n,)
        Scale codes.
    metadata : uint8 array of shape (metadata bytes, n)
        Metadata bytes of each group.
    """

    elements: np.ndarray
    scales: np.ndarray
    metadata: np.ndarray


@dataclass(frozen=True)
class Operand:
    """Decoded groups, exact: an element is integer * significand * 2**exponent.

    Attributes
    ----------
    integers : float32 array of shape (rows, groups, group)
        Signed integers; a negative zero code is -0.0.
    significand : int32 array of shape (rows, groups)
        Significand of the scale: 1 for a power of two.
    exponent : int32 array of shape (rows, groups)
        Exponent of one integer step of the group.
    nan : bool array of shape (rows, groups)
        Whether the group is NaN; its other fields mean nothing then.
    """

    integers: np.ndarray
    significand: np.ndarray
    exponent: np.ndarray
    nan: np.ndarray

    def factors(self):
        """Return significand * 2**exponent as exact float64, NaN for a NaN group."""
        exact = np.ldexp(self.significand.astype(np.float64), self.exponent)
        return np.where(self.nan, np.nan, exact)


class NumberFormat(ABC):
    """A block floating-point format.

    Attributes
    ----------
    name : str
        Name in the registry and in files.
    group : int
        Elements that share one scale, consecutive along K.
    subgroup : int
        Elements that share one metadata field; equal to `group` without metadata.
    element_bits : int
        Width of one packed element code.
    scale_bits : int
        Width of one scale code.
    metadata_bits : int
        Width of the metadata of one group.
    scale_rules : tuple of str
        Scale rules the format can use, the default first.
    has_tensor_scale : bool
        Whether the whole tensor has one more FP32 scale.
    nan_scale : int
        Scale code that makes a group NaN.
    takes_importance : bool
        Whether its weights can be quantized by importance.
    """

    name: str
    group: int
    subgroup: int
    element_bits: int = 4
    scale_bits: int = 8
    metadata_bits: int = 0
    scale_rules: tuple[str, ...] = ("floor",)
    has_tensor_scale: bool = False
    nan_scale: int = E8M0_NAN
    takes_importance: bool = False

    @property
    def word_bits(self):
        """Width of the bus word of one group: elements lowest, then metadata, then scale."""
        return self.elements_bits + self.metadata_bits + self.scale_bits

    @property
    def elements_bits(self):
        """Width of the packed elements of one group."""
        return self.group * self.element_bits

    @property
    def bits_per_element(self):
        """Storage cost: every bit of a group's word shared among its elements."""
        return self.word_bits / self.group

    @abstractmethod
    def encode(self, x, options):
        """Encode groups of floats.

        Parameters
        ----------
        x : float32 or float64 array of shape (group, n)
            C-contiguous; element i of each group in row i. May hold NaN and infinities: the
            caller overwrites what comes out for such groups.
        options : Options
            How to quantize.

        Returns
        -------
        Codes
        """

    @abstractmethod
    def decode(self, elements, scales, metadata, role):
        """Decode element codes exactly.

        Parameters
        ----------
        elements : uint8 array of shape (..., group)
            Element codes.
        scales : uint8 array of shape (...)
            Scale codes.
        metadata : uint8 array of shape (..., metadata bytes)
            Metadata bytes of each group.
        role : str
            ``"activations"`` or ``"weights"``.

        Returns
        -------
        Operand
        """

    def nan_metadata(self, role):
        """Return the metadata byte of a NaN group."""
        return 0

    def tensor_scale(self, amax, scale_rule):
        """Return the scale of a tensor from its largest finite magnitude, if it has one."""
        raise NotImplementedError(f"Format {self.name} has no tensor scale")

    def check_shape(self, shape):
        """Raise `InputError` unless `shape` is (..., K), not empty, with K made of groups."""
        if not shape or min(shape) < 1:
            raise InputError(f"Shape must be of positive integers, not {tuple(shape)}")
        if shape[-1] % self.group:
            raise InputError(
                f"Last axis K must be a multiple of {self.group} for {self.name}, not {shape[-1]}"
            )

    def check_options(self, options):
        """Raise `InputError` when the format cannot quantize as asked."""
        if options.role not in ROLES:
            raise InputError(f"Role must be activations or weights, not {options.role!r}")
        if options.scale_rule not in self.scale_rules:
            rules = ", ".join(self.scale_rules)
            raise InputError(
                f"Scale rule of {self.name} must be one of {rules}, not {options.scale_rule!r}"
            )
        if options.importance is not None:
            if not self.takes_importance:
                raise InputError(f"Format {self.name} takes no importance")
            if options.role != "weights":
                raise InputError(f"Importance is for weights, not {options.role}")
