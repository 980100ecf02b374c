"""The number formats: every module of this package defines one, as ``FORMAT``."""

import importlib
import pkgutil
from functools import cache

from ..errors import InputError

#: The format when none is named.
DEFAULT = "m2xfp"


@cache
def _registry():
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    return {module.FORMAT.name: module.FORMAT for module in modules}


def names():
    """Return the names of all formats, the default first."""
    return tuple(sorted(_registry(), key=lambda name: (name != DEFAULT, name)))


def scale_rules():
    """Return the scale rules of all formats, those of the default first."""
    rules = (rule for name in names() for rule in get(name).scale_rules)
    return tuple(dict.fromkeys(rules))


def get(name):
    """Return the format object called `name`.

    Raises
    ------
    InputError
        When no format has that name.
    """
    try:
        return _registry()[name]
    except (KeyError, TypeError):
        known = ", ".join(names())
        raise InputError(f"Format must be one of {known}, not {name!r}") from None
