"""The proofs by name, with what they state and the seeded bugs that they must refute."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hdl import formats

from ..checker import Checker
from . import accumulator, dot, engine_streams, lane, multipliers, tile_streams

__all__ = ["PROOFS", "Proof"]

_BITS = "SMT over bit vectors (Bitwuzla), of the RTLIL through Yosys"


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


_DOT = "Exact per lane by SMT; sum of the heap by binary decision diagrams; composed by bounds"
_STREAM = (
    "Induction: the set of all reachable states as a binary decision diagram, closed under every "
    "clock edge; one marked payload, whichever, is followed"
)
_CONTRACT = (
    "A payload holds still while it waits; nothing is lost, duplicated, reordered or invented; "
    "something moves within {} cycles while both sides are willing"
)
_OPAQUE = "payloads do not steer the block, so one marked payload stands for all"
_ADD = "SMT over bit vectors; the oracle is IEEE 754 addition of SMT-LIB, as z3 expands it"


def _with_multipliers(name: str, bounds: tuple[int, int]) -> list[Proof]:
    """Return the proofs of a variant of M2XFP-SG; bounds of subgroup and group sums."""
    format = formats.get(name)
    spare = name == "m2xfp_sg_spare"
    return [
        Proof(
            f"subgroup dot product, {name}",
            "SubgroupDot",
            f"For all codes of {name} the two rows add up to the sum of products plus 2^11; "
            f"|sum| <= {bounds[0]}.",
            _DOT,
            "none",
            partial(multipliers.subgroup, format=format),
            ("M2XFP-SG spare code: 7 * 5 is 3",) if spare else ("dot: 3 x 3 is 11",),
        ),
        Proof(
            f"group sum, {name}",
            "GroupDot",
            f"The significand is the sum of na * nw times the subgroup sums, |sum| <= {bounds[1]} "
            "< 2^18; the exponent is the sum of the scale codes; NaN if either is 255.",
            _DOT,
            "subgroup sums within their bound, as proved; multipliers are among the four of each "
            "side that decoding gives",
            partial(multipliers.group, format=format),
            ("M2XFP-SG: 4 + 1 for 2 + 1", "M2XFP-SG: no carry of -1"),
        ),
        Proof(
            f"term rounding, {name}",
            "Fp32Accumulator",
            "The rounded term is RNE_fp32(S * 2^(e - 261)) for every 19-bit S and 9-bit e, or NaN.",
            _BITS + "; the oracle shifts a wide integer and compares what is dropped with a half",
            "none",
            partial(accumulator.term_rounding, format=format),
            ("accumulator: subnormal term truncated",),
        ),
    ]


_ALL = [
    Proof(
        "lane rounding",
        "QuantizationEngine",
        "For every FP32 value and every scale, the E2M1 code and the top-1's metadata are those "
        "between whose midpoints |x| lies, ties to even, saturated.",
        _BITS,
        "the value is finite and no exponent of the group exceeds the largest",
        lane.rounding,
        ("lane: ties away from zero", "lane: sticky bit dropped", "lane: metadata not clamped"),
        quick=False,
    ),
    Proof(
        "lane of a NaN group",
        "QuantizationEngine",
        "Every element is +0 and the metadata is 1.",
        _BITS,
        "none",
        lane.nan_group,
        ("lane: NaN group keeps its values",),
    ),
    Proof(
        "subgroup dot product",
        "DecodeUnit, SubgroupDot",
        "For all codes, metadata and weights of M2XFP the two rows add up to the sum of the eight "
        "exact products plus 2^13; |sum| <= 4704.",
        _DOT,
        "none; the heap's lemma takes all bits of its operands as free",
        partial(dot.subgroup, format=formats.get("m2xfp")),
        (
            "decode: top-1 is the last of equals",
            "decode: a step down from zero",
            "dot: 3 x 3 is 11",
            "dot: carry is an AND of two",
        ),
    ),
    Proof(
        "subgroup dot product, mxfp4",
        "SubgroupDot",
        "For all codes of MXFP4 and NVFP4 the two rows add up to the sum of products plus 2^11.",
        _DOT,
        "none",
        partial(dot.subgroup, format=formats.get("mxfp4")),
        ("dot: negation forgets to add one",),
    ),
    Proof(
        "group sum",
        "GroupDot",
        "The significand is the sum of (4 + k) times the subgroup sums, |sum| <= 131712 < 2^18; "
        "the exponent is the sum of the scale codes; NaN if either is 255.",
        _DOT,
        "subgroup sums within 4704, as proved",
        dot.group,
        ("group: multiplier bits swapped", "group: scale of another cycle"),
    ),
    Proof(
        "term rounding",
        "Fp32Accumulator",
        "The rounded term is RNE_fp32(S * 2^(e - 260)) for every 19-bit S and 9-bit e, or NaN.",
        _BITS + "; the oracle shifts a wide integer and compares what is dropped with a half",
        "none",
        partial(accumulator.term_rounding, format=formats.get("m2xfp")),
        (
            "accumulator: subnormal term truncated",
            "accumulator: subnormal term ties away",
        ),
    ),
    Proof(
        "FP32 addition",
        "Fp32Accumulator",
        "The total is IEEE 754 binary32 addition, round to nearest even, subnormals included, of "
        "the rounded term and the partial sum; every NaN is 0x7FC00000.",
        _ADD,
        "the term has at most 19 significant bits, as term rounding proves",
        partial(accumulator.addition, format=formats.get("m2xfp")),
        (
            "accumulator: no sticky bit",
            "accumulator: ties away from zero",
            "accumulator: subnormal sums are normalised",
            "accumulator: cancellation gives -0",
        ),
        quick=False,
    ),
    Proof(
        "stream of the collector",
        "Collector",
        _CONTRACT.format(8) + "; every beat comes with the largest exponent of its own group.",
        _STREAM,
        _OPAQUE + "; groups of four beats of one lane, exponents 7 and 8",
        engine_streams.collector,
        ("collector: takes beats while full", "collector: keeps the last group's exponent"),
    ),
    Proof(
        "stream of the pipeline",
        "Pipeline of QuantizationEngine",
        _CONTRACT.format(8) + ", for 8, 16 and 32 lanes and encoders of latency 0 and 3.",
        _STREAM,
        _OPAQUE + "; encoders are replaced by registers of the same latency",
        engine_streams.pipeline,
        ("pipeline: moves on while a word waits", "pipeline: a word for every beat"),
    ),
    Proof(
        "stream of the result slots",
        "ResultSlots",
        _CONTRACT.format(8) + "; all columns of a row leave together.",
        _STREAM,
        _OPAQUE + "; two columns, three slots; a row enters only when a slot is free, as the "
        "proof of the tile's front shows",
        tile_streams.result_slots,
        ("tile: a waiting result is replaced by the next",),
    ),
    Proof(
        "stream of the weights",
        "WeightStore",
        "Words are handed out in order, each once, from the cycle after the swap; something moves "
        "within 8 cycles while words come and swaps are wanted.",
        _STREAM,
        _OPAQUE + "; two columns; swap only when complete",
        tile_streams.weight_store,
        ("tile: a new set starts before it is complete",),
    ),
    Proof(
        "streams of the tile's front",
        "TileFront",
        "Every beat is in control one cycle after it was taken, or two where decoding takes one, "
        "with its flags, row, swap and the next slot; never more rows reserved than slots; two "
        "beats of one row are row_distance apart; column i has its weights i cycles after a swap, "
        "in order; something moves within "
        "12 cycles while beats, weights and initial sums come and slots become free; no first beat "
        "enters without its initial sum.",
        _STREAM,
        _OPAQUE + "; two columns, four rows, two slots, row distance 3; no more rows than the tile "
        "has before end",
        tile_streams.front,
        (
            "tile: rows of the next pass follow too soon",
            "tile: results overwrite results that wait",
        ),
    ),
    *_with_multipliers("m2xfp_sg", (1152, 184320)),
    *_with_multipliers("m2xfp_sg_spare", (1344, 215040)),
]

PROOFS = {proof.name: proof for proof in _ALL}
