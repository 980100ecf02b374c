"""The encoder of multipliers as formulas, and what the specification says of its multipliers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import z3

from hdl.quantizer.encode import SUBGROUP
from hdl.quantizer.sgem import MULTIPLIERS, MultiplierEncoder

from ..floats import FLOATS
from ..model import Model, State
from ..terms import E2M1_HALVES, field
from .subgroup import Subgroup

#: Bits of the integers in which the lemmas compare: more than any of them needs.
BITS = 64


@dataclass(frozen=True)
class Choices:
    """Four multipliers of the specification: numerators, 2^shift below them, the spare value.

    Transcribed from the format specification, section 3, and docs/m2xfp_sg.md, sections 1 and 2.
    """

    format: str
    role: str
    numerators: tuple[int, int, int, int]
    shift: int
    spare: int = 0

    @property
    def halves(self) -> tuple[int, ...]:
        """Value of every code in halves, the spare one last."""
        return (*E2M1_HALVES, self.spare) if self.spare else E2M1_HALVES

    @property
    def code_bits(self) -> int:
        """Bits of a code within the encoder: with a spare one, 8 stands for it."""
        return 4 if self.spare else 3


_ACTIVATIONS, _WEIGHTS = (4, 5, 3, 1), (8, 7, 6, 5)
CHOICES = [
    Choices("m2xfp", "weights", (4, 5, 6, 7), 2),
    Choices("m2xfp_sg", "activations", _ACTIVATIONS, 2),
    Choices("m2xfp_sg", "weights", _WEIGHTS, 3),
    Choices("m2xfp_sg_spare", "activations", _ACTIVATIONS, 2, spare=14),
    Choices("m2xfp_sg_spare", "weights", _WEIGHTS, 3, spare=10),
]


class Unit:
    """The encoder's formulas, and where its registers keep what.

    Parameters
    ----------
    choices : Choices
    dtype : str
    """

    def __init__(self, choices: Choices, dtype: str):
        self.choices, self.float = choices, FLOATS[dtype]
        multipliers = MULTIPLIERS[choices.format, choices.role]
        encoder = MultiplierEncoder(self.float.fraction_bits, multipliers)
        self.model = Model(Subgroup(dtype, encoder, exact=True))
        self.values = z3.BitVec("values", SUBGROUP * self.float.width)
        self.largest = z3.BitVec("largest", 8)
        self.now = self.enabled(values=self.values, largest=self.largest)
        self.next = self.model.step(self.now, "next")

    def enabled(self, **inputs: z3.BitVecRef) -> State:
        """Return a cycle in which the ranks move on, from registers of any content."""
        return self.model.drive(self.model.fresh("now"), enable=z3.BitVecVal(1, 1), **inputs)

    def get(self, state: State, name: str) -> z3.BitVecRef:
        """Return a signal of the encoder."""
        return self.model.value(state, f"encoder.{name}")

    @cached_property
    def fraction(self) -> int:
        """f: magnitudes are below 8, in units of 2^-f."""
        return self.get(self.now, "y_reg_0").size() - 3

    @property
    def places(self) -> int:
        """2^places is the unit of midpoints, 2^(-2-shift), in units of magnitudes."""
        return self.fraction - 2 - self.choices.shift

    def magnitude(self, state: State, lane: int) -> z3.BitVecRef:
        """Return the register of Y."""
        return self.get(state, f"y_reg_{lane}")

    def sign(self, state: State, lane: int, rank: int) -> z3.BitVecRef:
        """Return the sign of a lane in the register of a rank."""
        return field(self.get(state, f"codes_{rank}"), lane, 1)

    def code(self, state: State, lane: int, k: int, rank: int) -> z3.BitVecRef:
        """Return the code of a lane under multiplier k in the register of a rank."""
        bits = self.choices.code_bits
        return field(self.get(state, f"codes_{rank}"), SUBGROUP + bits * (4 * lane + k), bits)

    def codes(self, state: State, k: int, rank: int) -> list[z3.BitVecRef]:
        """Return the codes of all lanes."""
        return [self.code(state, lane, k, rank) for lane in range(SUBGROUP)]

    def exist(self, codes: Sequence[z3.BitVecRef]) -> list[z3.BoolRef]:
        """Return that codes are among those that lemma 2 leaves."""
        return [z3.ULT(code, len(self.choices.halves)) for code in codes if code.size() > 3]


def wide(value: z3.BitVecRef) -> z3.BitVecRef:
    """Return an unsigned number in `BITS` bits."""
    return z3.ZeroExt(BITS - value.size(), value)


def total(terms: Iterable[z3.BitVecRef]) -> z3.BitVecRef:
    """Return an exact sum of numbers of equal width: each pair has a bit more than its parts.

    Any order gives the same sum; in pairs, adders are in like places, and solvers are quick.
    """
    terms = list(terms)
    while len(terms) > 1:
        longer = [z3.ZeroExt(1, term) for term in terms]
        terms = [a + b for a, b in zip(longer[::2], longer[1::2], strict=True)]
    return wide(terms[0])
