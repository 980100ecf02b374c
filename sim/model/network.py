"""Networks: the linear layers of a decoder block, built in or from a TOML file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from golden import InputError

__all__ = ["Layer", "Network", "load", "names"]

_FOLDER = Path(__file__).with_name("networks")


@dataclass(frozen=True)
class Layer:
    """A linear layer: activations (M, K) times weights (N, K).

    Attributes
    ----------
    name : str
    n, k : int
        Output channels, and elements along the reduction.
    """

    name: str
    n: int
    k: int


@dataclass(frozen=True)
class Network:
    """A network of equal blocks.

    Attributes
    ----------
    name : str
    blocks : int
        Number of blocks.
    layers : tuple of Layer
        Linear layers of one block.
    """

    name: str
    blocks: int
    layers: tuple[Layer, ...]


def names() -> list[str]:
    """Return the names of the networks that are built in."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(network: str) -> Network:
    """Return a network that is built in, or that of a TOML file.

    Parameters
    ----------
    network : str
        One of :func:`names`, or a path that ends in ``.toml``.

    Raises
    ------
    InputError
        With one line for every mistake.
    """
    path = Path(network) if network.endswith(".toml") else _FOLDER / f"{network}.toml"
    if path.parent == _FOLDER and not path.is_file():
        known = ", ".join(names())
        raise InputError(f"Network must be one of {known} or a .toml file, not {network!r}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    mistakes = _mistakes(table)
    if mistakes:
        raise InputError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    layers = tuple(Layer(name, **sizes) for name, sizes in table["layers"].items())
    return Network(table["name"], table["blocks"], layers)


def _mistakes(table: dict) -> list[str]:
    known = ("name", "blocks", "layers")
    found = [f"Key must be one of {', '.join(known)}, not {key!r}" for key in set(table) - {*known}]
    if not isinstance(table.get("name"), str):
        found.append(f"name must be a string, not {table.get('name')!r}")
    found += _not_positive("blocks", table.get("blocks"))
    layers = table.get("layers")
    if not isinstance(layers, dict) or not layers:
        return [*found, f"layers must be a table of layers, not {layers!r}"]
    for name, sizes in layers.items():
        if not isinstance(sizes, dict) or set(sizes) != {"n", "k"}:
            found.append(f"Layer {name} must have n and k, not {sizes!r}")
        else:
            found += _not_positive(f"Layer {name}: n", sizes["n"])
            found += _not_positive(f"Layer {name}: k", sizes["k"])
    return found


def _not_positive(name: str, value: object) -> list[str]:
    if type(value) is int and value > 0:
        return []
    return [f"{name} must be a positive integer, not {value!r}"]
