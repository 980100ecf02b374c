"""What the page says of the variants."""

import json
from pathlib import Path

from golden import InputError

from .. import tables
from ..results import verdict
from ..statistics import Estimate, difference, mean, reduction
from ..wrapping import wrap

#: What a variant would cost gateware, by a word of its name.
_COSTS = {
    "16 multipliers": "a product with a number of five bits instead of two shift-adds",
    "top": "the search for the top element again",
}
_OUTCOMES = {"holds": "less", "does not hold": "more", "undecided": "no difference"}


def section(records: list[dict]) -> str:
    """Return the section, empty without records."""
    if not records:
        return ""
    sequences = len(records[0]["kl"])
    parts = [
        "## What was tried instead",
        wrap(
            "Variants of `m2xfp_sg`, one operand quantized and the other float, on the first "
            f"{sequences} sequences: KL in nats a token against the dequantized Q4_1, and the "
            "paired difference to `m2xfp_sg` with its standard error; the last column counts two "
            "of these as a difference. They are searched by least squared error, like `m2xfp_sg` "
            "itself, with the best multipliers of a few on the calibration text, and are in no "
            "format. `m2xfp accuracy --study --report docs` measures them again "
            "(`sim/accuracy/study/`)."
        ),
        *(_table(records, role) for role in dict.fromkeys(r["role"] for r in records)),
    ]
    if helped := better(records):
        parts.append(wrap(f"Less loss at no more bits: {'; '.join(helped)}."))
    else:
        parts.append("None of them has less loss at no more bits.")
    return "\n\n".join(parts) + "\n"


def better(records: list[dict]) -> list[str]:
    """Return the variants that lose less than the first of their role, at no more bits."""
    found = []
    for record in records:
        base = _base(records, record["role"])
        if record["bits"] <= base["bits"] and _outcome(record, base) == _OUTCOMES["holds"]:
            found.append(f"{record['role']}, {record['name']}{_cost(record['name'])}")
    return found


def _cost(name: str) -> str:
    return "".join(f" ({cost})" for word, cost in _COSTS.items() if word in name)


def lines(records: list[dict]) -> bytes:
    """Return the records as lines of JSON."""
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


def kept(path: Path) -> list[dict]:
    """Return the records that a report wrote before, none if there is no file.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read the study {path}: {error}") from None


def _base(records: list[dict], role: str) -> dict:
    return next(record for record in records if record["role"] == role)


def _outcome(record: dict, base: dict) -> str:
    less: Estimate = reduction(record["kl"], base["kl"])
    return _OUTCOMES[verdict(less)]


def _table(records: list[dict], role: str) -> str:
    base = _base(records, role)
    rows = []
    for record in records:
        if record["role"] == role:
            itself = record is base
            rows.append(
                [
                    record["name"],
                    f"{record['bits']:g}",
                    tables.number(mean(record["kl"]), 3),
                    "" if itself else tables.number(difference(record["kl"], base["kl"]), 3),
                    "" if itself else _outcome(record, base),
                ]
            )
    return tables.markdown([role, "bits", "KL", "to m2xfp_sg", "loss"], rows)
