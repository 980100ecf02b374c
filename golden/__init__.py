"""Golden model of M2XFP and the formats it is compared with: the reference, in NumPy only."""

from .errors import InputError, InputTypeError, MismatchError
from .product import accumulate, matmul
from .quantized import Quantized, group_words
from .quantizer import quantize
from .tensors import load_tensor

__all__ = [
    "InputError",
    "InputTypeError",
    "MismatchError",
    "Quantized",
    "accumulate",
    "group_words",
    "load_tensor",
    "matmul",
    "quantize",
]
