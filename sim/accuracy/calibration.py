"""How strongly each input of a layer is driven, from a text that is not scored.

An error of weight k is multiplied with input k: its square counts by the mean square of that input.
The same numbers go to every format that can use them.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from golden import InputError
from golden.atomic import replacing

from .model import FloatLinears
from .quantize import Importance

#: Added to the mean squares, whose mean over K is 1.
FLOOR = 1e-3


class Recorder(FloatLinears):
    """The linear layers as they are, which remember the sums of the squares of their inputs.

    Attributes
    ----------
    sums : dict of str to float64 tensor
        Layer -> sum over tokens (K,).
    """

    def __init__(self, weights: dict[str, torch.Tensor]):
        super().__init__(weights)
        self.sums: dict[str, torch.Tensor] = {}

    def __call__(self, names: Sequence[str], x: torch.Tensor) -> list[torch.Tensor]:
        """Compute the layers of these names."""
        squares = x.square().sum(0, dtype=torch.float64)
        self.sums = added([self.sums, dict.fromkeys(names, squares)])
        return super().__call__(names, x)


def added(parts: Iterable[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Add the sums of several texts, in their order."""
    total: dict[str, torch.Tensor] = {}
    for part in parts:
        for name, sums in part.items():
            total[name] = total[name] + sums if name in total else sums
    return total


def importance(sums: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Return sums of squares as mean squares relative to their mean over K, plus `FLOOR`."""
    return {name: (total / total.mean() + FLOOR).numpy() for name, total in sums.items()}


def digest(found: Importance) -> str:
    """Return a hash of all the numbers."""
    hashed = hashlib.sha256()
    for name in sorted(found):
        hashed.update(name.encode() + found[name].tobytes())
    return hashed.hexdigest()


class Calibration:
    """The importance of every input of every layer of a model, computed when first asked for.

    Parameters
    ----------
    folder : Path
        Where the numbers are kept.
    ingredients : str
        Hashes of what they depend on: the model and the text.
    capture : callable
        Returns the sums of squares of a float model's inputs.
    """

    def __init__(
        self, folder: Path, ingredients: str, capture: Callable[[], dict[str, torch.Tensor]]
    ):
        key = hashlib.sha256(ingredients.encode()).hexdigest()
        self._path = folder / f"calibration-{key[:32]}.npz"
        self._capture = capture
        self._found: dict[str, np.ndarray] | None = None

    def __call__(self) -> dict[str, np.ndarray]:
        """Return layer -> float64 (K,).

        Raises
        ------
        InputError
            If the file cannot be read or written.
        """
        if self._found is None:
            self._found = self._load() if self._path.exists() else self._compute()
        return self._found

    def _load(self) -> dict[str, np.ndarray]:
        try:
            with np.load(self._path) as file:
                return dict(file)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"Cannot read the calibration {self._path}: {error}") from None

    def _compute(self) -> dict[str, np.ndarray]:
        found = importance(self._capture())
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"Cannot write {self._path}: {error.strerror}") from None
        with replacing(self._path) as stream:
            np.savez(stream, **found)
        return found
