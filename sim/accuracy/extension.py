"""What the page says of formats and methods beyond the paper's."""

from . import tables
from .configuration import Encoding, Mode, parse_encoding
from .results import Results, verdict
from .statistics import Estimate
from .wrapping import wrap

#: What is compared with what: first without calibration, then with.
PAIRS = tuple(
    (parse_encoding(ours), parse_encoding(other))
    for ours, other in (
        ("m2xfp_sg", "m2xfp"),
        ("m2xfp_sg", "nvfp4"),
        ("m2xfp_sg", "nvfp4:four_six"),
        ("m2xfp_sg_spare", "nvfp4"),
        ("m2xfp_sg_spare", "nvfp4:four_six"),
        ("m2xfp_sg+calibrated", "nvfp4:search+calibrated"),
        ("m2xfp_sg_spare+calibrated", "nvfp4:search+calibrated"),
    )
)

#: Goals: what has to be shown of these pairs, and how much less loss it takes.
GOALS = (
    (
        "20 % less loss than plain nvfp4, without calibration",
        0.2,
        [pair for pair in PAIRS if pair[1] == Encoding("nvfp4")],
    ),
    (
        "less loss than calibrated nvfp4, with the same calibration",
        0.0,
        [pair for pair in PAIRS if pair[1].calibrated],
    ),
)

_WORDS = {"holds": "reached", "does not hold": "missed", "undecided": "undecided"}


def section(results: Results) -> str:
    """Return the section, empty if none of its formats is in the results."""
    present = _present(results, PAIRS)
    if not present:
        return ""
    parts = [
        "## Subgroup scales on both operands",
        wrap(
            "`m2xfp_sg` ([specification](m2xfp_sg.md)) gives every subgroup of eight, of "
            "activations as of weights, a two-bit multiplier; it has no top-1. `m2xfp_sg_spare` "
            "also gives the code of E2M1's negative zero a value, so its elements are not E2M1 to "
            "a strict reader: an extension of the element type."
        ),
        wrap(
            "`nvfp4 four_six` and `nvfp4 search` are NVFP4 whose group scales are chosen by "
            "squared error, in both operands: the better of the scales that map a group's largest "
            "element to 6 and to 4, and the best of all E4M3 numbers that map it to 3 .. 12. The "
            "latter stands for the best that NVFP4 can do; in activations it is more than "
            "hardware would do between two layers."
        ),
        wrap(_calibration(results)),
        wrap(
            "Both operands quantized; ours less other, paired by sequence (KL, nats a token) and "
            "by article (1000 (1 - cosine) of the embedder), with the standard errors of the "
            "paired differences. Less is 1 - ours / other. Float is, for the language model, the "
            "dequantized Q4_1. A goal is reached or missed where it is two standard errors away, "
            "else undecided."
        ),
        _table(results, present),
        goals(results),
    ]
    return "\n\n".join(parts) + "\n"


def _calibration(results: Results) -> str:
    return (
        "*Calibrated* is a method, not a format: the squared error of weight k counts by the mean "
        "square of the input that it is multiplied with (relative to its mean over K, plus 0.001). "
        "The float model's inputs are measured on articles that are not scored, "
        f"{results.calibration_tokens} tokens of them for the language model (SHA-256 "
        f"`{results.calibration_sha256}`), the same articles for the embedder, and every format "
        'is given the same numbers. Activations are quantized as without, so "activations only" '
        "is not listed again."
    )


def goals(results: Results) -> str:
    """Say of every goal and both models whether it is reached, one item a goal."""
    items = []
    for title, least, pairs in GOALS:
        for ours, other in _present(results, pairs):
            found = results.paired(ours, other, Mode.BOTH)
            models = (("SmolLM2 (KL)", "kl share"), ("MiniLM (1 - cosine)", "distance share"))
            outcome = ", ".join(
                f"{model} {tables.percent(found[share])}, {_reached(found[share], least)}"
                for model, share in models
            )
            items.append(wrap(f"- **Goal: {title}.** {ours.label}: {outcome}.", indent="  "))
    return "\n".join(items)


def _reached(share: Estimate, least: float) -> str:
    return _WORDS[verdict(Estimate(share.value - least, share.error))]


def _present(results: Results, pairs) -> list[tuple[Encoding, Encoding]]:
    there = set(results.encodings)
    return [pair for pair in pairs if there.issuperset(pair)]


def _table(results: Results, pairs) -> str:
    rows = []
    for ours, other in pairs:
        found = results.paired(ours, other, Mode.BOTH)
        rows.append(
            [
                ours.label,
                other.label,
                tables.number(found["kl"], 3),
                tables.percent(found["kl share"]),
                tables.number(tables.thousand(found["distance"]), 2),
                tables.percent(found["distance share"]),
            ]
        )
    header = ["ours", "other", "KL", "less KL", "embedder", "less distance"]
    return tables.markdown(header, rows)
