"""One quantizer with many parameters, as plain as can be: an error for each candidate."""

from dataclasses import dataclass, replace
from math import log2

import numpy as np

from golden.codes import E2M1_VALUES, E2M3_VALUES

GROUP = 32

MIDPOINTS = (E2M1_VALUES[1:] + E2M1_VALUES[:-1]) / 2

#: Elements quantized at a time: temporaries fit a second-level cache.
CHUNK = 1 << 15

#: Bits for the top element of a subgroup -> E2M3 codes it may be moved by.
TOP_MOVES = {0: (), 1: (-1, 1), 2: (-1, 0, 1, 2)}


#: Multipliers that one bit chooses from.
Pair = tuple[float, float]


@dataclass(frozen=True)
class Variant:
    """A way to quantize one operand in groups of 32 with a power-of-two scale.

    Attributes
    ----------
    name : str
        What it is, in a table.
    role : str
        ``"activations"`` or ``"weights"``.
    multipliers : tuple of float
        Of a subgroup's scale; the first of equally good ones is taken.
    steps : tuple of int
        Exponents that are tried for the group, relative to the rule's.
    subgroup : int
        Elements that share a multiplier.
    threshold : float
        Significand of the group's amax, 1 to 2, above which the rule's exponent is one higher.
    top_bits : int
        Bits that refine the largest element of a subgroup: a key of `TOP_MOVES`.
    """

    name: str
    role: str
    multipliers: tuple[float, ...]
    steps: tuple[int, ...] = (0,)
    subgroup: int = 8
    threshold: float = 2.0
    top_bits: int = 0

    @property
    def bits(self) -> float:
        """Storage, bits an element."""
        return 4 + 8 / GROUP + (log2(len(self.multipliers)) + self.top_bits) / self.subgroup

    def quantize(self, x: np.ndarray) -> np.ndarray:
        """Quantize a float32 array (..., K) along K and decode it again."""
        groups = x.reshape(-1, GROUP)
        decoded = np.empty_like(groups)
        step = CHUNK // GROUP
        for start in range(0, len(groups), step):
            decoded[start : start + step] = self._groups(groups[start : start + step])
        return decoded.reshape(x.shape)

    def _groups(self, x: np.ndarray) -> np.ndarray:
        magnitude = np.abs(x.astype(np.float64))
        significand, exponent = np.frexp(magnitude.max(axis=1))
        # frexp has its significand in 0.5 .. 1.
        exponent += -1 - 2 + (2 * significand > self.threshold)
        scaled = np.ldexp(magnitude, -exponent[:, None]).reshape(len(x), -1, self.subgroup)
        best, least = None, None
        for step in self.steps:
            values, errors = self._subgroups(scaled, 2.0**step)
            total = errors.sum(axis=1)
            if best is None:
                best, least = values, total
            better = total < least
            best[better], least[better] = values[better], total[better]
        return np.copysign(np.ldexp(best.reshape(x.shape), exponent[:, None]), x)

    def _subgroups(self, scaled: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the best values (n, subgroups, lanes) and their errors (n, subgroups)."""
        best, least = None, None
        for multiplier in self.multipliers:
            values = self._values(scaled, unit * multiplier)
            errors = np.square(values - scaled).sum(axis=2)
            if best is None:
                best, least = values, errors
            better = errors < least
            best[better], least[better] = values[better], errors[better]
        return best, least

    def _values(self, scaled: np.ndarray, scale: float) -> np.ndarray:
        codes = np.zeros(scaled.shape, np.uint8)
        for code, midpoint in enumerate(MIDPOINTS * scale):
            codes += scaled > midpoint if code % 2 == 0 else scaled >= midpoint
        values = E2M1_VALUES.take(codes) * scale
        if self.top_bits:
            self._refine(values, codes, scaled, scale)
        return values

    def _refine(self, values, codes, scaled, scale) -> None:
        """Move the largest element of every subgroup, the first of equals, to its best value."""
        top = codes.argmax(axis=2)[..., None]
        code = 4 * np.take_along_axis(codes, top, axis=2).astype(np.int64)
        moves = np.clip(code + np.array(TOP_MOVES[self.top_bits]), 0, len(E2M3_VALUES) - 1)
        candidates = E2M3_VALUES[moves] * scale
        errors = np.abs(candidates - np.take_along_axis(scaled, top, axis=2))
        best = errors.argmin(axis=2)[..., None]
        np.put_along_axis(values, top, np.take_along_axis(candidates, best, axis=2), axis=2)


#: What `m2xfp_sg` does, which the others of the role are compared with.
ACTIVATIONS = Variant("m2xfp_sg", "activations", (1, 5 / 4, 3 / 4, 1 / 4))
WEIGHTS = Variant("m2xfp_sg", "weights", (1, 7 / 8, 6 / 8, 5 / 8), steps=(0, -1, 1))


def _others(base: Variant, four: Pair, sixteen: tuple[float, ...], top: Pair) -> list[Variant]:
    """Return what was tried for both roles, with multipliers for each use of the two bits."""
    return [
        replace(base, name="exponent up where amax is above 1.75 * 2^n", threshold=1.75),
        replace(base, name="exponent up where amax is above 1.5 * 2^n", threshold=1.5),
        replace(base, name=f"subgroups of 4, {_listed(four)}", subgroup=4, multipliers=four),
        replace(base, name="subgroups of 16, 16 multipliers", subgroup=16, multipliers=sixteen),
        replace(base, name=f"{_listed(top)}, 1 bit for the top", multipliers=top, top_bits=1),
        replace(base, name="no multiplier, 2 bits for the top", multipliers=(1,), top_bits=2),
    ]


def _listed(pair: Pair) -> str:
    return "multipliers " + " and ".join(f"{8 * value:g}/8" for value in pair)


#: Everything that is measured. The multipliers are the best of a few on the calibration text.
VARIANTS = (
    ACTIVATIONS,
    replace(ACTIVATIONS, name="exponents E and E + 1 tried", steps=(0, 1)),
    replace(ACTIVATIONS, name="exponents E and E - 1 tried", steps=(0, -1)),
    *_others(
        ACTIVATIONS,
        four=(9 / 8, 7 / 8),
        sixteen=tuple(k / 16 for k in range(5, 21)),
        top=(9 / 8, 5 / 8),
    ),
    WEIGHTS,
    replace(WEIGHTS, name="exponent E only", steps=(0,)),
    *_others(
        WEIGHTS,
        four=(1, 10 / 8),
        sixteen=tuple(k / 32 for k in range(32, 16, -1)),
        top=(1, 10 / 8),
    ),
)
