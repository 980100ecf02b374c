"""What a proof is, and the words that many of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from ..checker import Checker

__all__ = [
    "BIT_VECTORS",
    "COMPOSED",
    "CONTRACT",
    "COUNTED",
    "INDUCTION",
    "OPAQUE",
    "Proof",
]

BIT_VECTORS = "SMT over bit vectors (Bitwuzla), of the RTLIL through Yosys"
COMPOSED = "Exact per lane by SMT; sum of the heap by binary decision diagrams; composed by bounds"
INDUCTION = (
    "Induction: the set of all reachable states as a binary decision diagram, closed under every "
    "clock edge; one marked payload, whichever, is followed"
)
COUNTED = (
    "Induction: the set of all reachable states as a binary decision diagram, closed under every "
    "clock edge; a count after the documentation runs beside the block"
)
CONTRACT = (
    "A payload holds still while it waits; nothing is lost, duplicated, reordered or invented; "
    "something moves within {} cycles while both sides are willing"
)
OPAQUE = "payloads do not steer the block, so one marked payload stands for all"


@dataclass(frozen=True)
class Proof:
    """A claim about a block that a machine decides for all inputs.

    Attributes
    ----------
    name, block : str
    statement : str
        What holds.
    method : str
    assumptions : str
        What the inputs are assumed to be, and what is proved elsewhere.
    run : callable
        Puts the obligations to a `Checker`; raises `ProofError`.
    mutants : tuple of str
        Seeded bugs of the catalogue, at least one, that the proof must refute.
    quick : bool
        Whether it takes seconds.
    """

    name: str
    block: str
    statement: str
    method: str
    assumptions: str
    run: Callable[[Checker], None]
    mutants: tuple[str, ...]
    quick: bool = True
