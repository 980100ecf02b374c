"""The encoder of multipliers (Sg-EM): the least exact error, for every format, role and type."""

from collections.abc import Callable
from functools import partial

from ..checker import Checker
from .proof import Proof
from .sgem_lemmas import (
    choice,
    codes,
    examples,
    identity,
    magnitudes,
    scores,
    special,
    sums,
    waiting,
)
from .sgem_unit import CHOICES, Choices, Unit

LEMMAS = (magnitudes, codes, sums, scores, choice, waiting, special, examples, identity)


def encoder(check: Checker, choices: Choices, dtype: str) -> None:
    """Check all lemmas of one encoder."""
    unit = Unit(choices, dtype)
    for lemma in LEMMAS:
        lemma(check, unit)


def encoders(check: Checker, dtype: str) -> None:
    """Check the encoders of all formats and roles."""
    for choices in CHOICES:
        encoder(check, choices, dtype)


def _proof(name: str, values: str, run: Callable[[Checker], None], mutants) -> Proof:
    return Proof(
        name,
        "MultiplierEncoder of QuantizationEngine",
        f"For all eight {values} and every scale, the metadata is the lowest index of the "
        "multipliers with the least exact sum of squared errors; elements are the nearest codes "
        "under it (ties to even, saturated; the spare code if strictly nearer) with the signs of "
        "the values; NaN groups and zeros give codes and index 0; a pause keeps all registers.",
        "Lemmas from register to register by SMT over bit vectors (Bitwuzla), in exact integers; "
        "the identity of errors and scores by expanding polynomials",
        "no exponent exceeds the largest of the group",
        run,
        mutants,
        quick=False,
    )


_MUTANTS = (
    "multipliers: a tie goes to the odd code",
    "multipliers: sticky bit dropped",
    "multipliers: farthest values are dropped",
    "multipliers: 4 and 6 are shifted by one",
    "multipliers: sums wrap around",
    "multipliers: scores are not times n",
    "multipliers: squares are not times n",
    "multipliers: the last of equals wins",
    "multipliers: a NaN group keeps its signs",
    "multipliers: registers do not wait",
)
_FARTHEST = ("multipliers: farthest values are dropped",)
_SPARE = (
    "multipliers: a tie goes to the spare code",
    "multipliers: the spare code is never taken",
    "multipliers: the spare code of a negative value",
    "multipliers: a zero keeps its sign",
)

PROOFS = [
    *(
        _proof(
            f"encoder of multipliers, {choices.format} {choices.role}",
            f"FP32 values of {choices.format} {choices.role}",
            partial(encoder, choices=choices, dtype="fp32"),
            mutants,
        )
        for choices, mutants in zip(
            CHOICES,
            (_MUTANTS, _FARTHEST, _FARTHEST, (*_SPARE, "multipliers: 7 is 9"), _SPARE),
            strict=True,
        )
    ),
    *(
        _proof(
            f"encoders of multipliers, {dtype}",
            f"{dtype.upper()} values of every format and role with multipliers",
            partial(encoders, dtype=dtype),
            _MUTANTS[:1],
        )
        for dtype in ("bf16", "fp16")
    ),
]
