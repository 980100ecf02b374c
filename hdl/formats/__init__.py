"""Gateware halves of the number formats, one file a format; see :class:`Format`."""

from ..fabric import Fabric
from .base import Format
from .m2xfp import M2xfp
from .m2xfp_sg import M2xfpSg, M2xfpSgSpare
from .mxfp4 import Mxfp4
from .nvfp4 import Nvfp4

__all__ = ["Format", "get", "names"]

_FORMATS = {kind.name: kind for kind in (M2xfp, M2xfpSg, M2xfpSgSpare, Mxfp4, Nvfp4)}


def names() -> list[str]:
    """Return the names of the formats that have gateware."""
    return list(_FORMATS)


def get(name: str, fabric: Fabric = Fabric.GATES) -> Format:
    """Return the gateware half of a format, shaped for gates or for LUTs.

    Raises
    ------
    ValueError
        If no format has that name.
    """
    if name not in _FORMATS:
        raise ValueError(f"Format must be one of {', '.join(_FORMATS)}, not {name!r}")
    return _FORMATS[name](fabric=fabric)
