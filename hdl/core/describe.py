"""Tables of the core's ports and words, out of its signature and its layouts."""

import inspect
import re

from amaranth.lib import data
from amaranth.lib.wiring import In

from .axi import STREAMS, AxiGemmCore
from .layouts import Command, Flags, Refusal, Status

__all__ = ["ports", "tables"]

#: What the streams are for, by name on the core.
_PURPOSES = {
    "commands": "commands",
    "activations": "groups of activations",
    "weights": "groups of weights",
    "c": "sums to start from",
    "results": "sums or groups",
    "status": "status records",
}


def ports(component: AxiGemmCore) -> list[tuple[str, str, int, str]]:
    """Return name, direction, width in bits and purpose of every port, in order."""
    purposes = {"aclk": "clock", "aresetn": "synchronous reset, active low"}
    prefixes = {prefix: _PURPOSES[name] for name, prefix in STREAMS.items()}
    rows = []
    for name, member in component.signature.members.items():
        prefix, _, signal = name.rpartition("_t")
        purpose = purposes.get(name) or f"{prefixes[prefix]}: T{signal.upper()}"
        rows.append((name, "input" if member.flow is In else "output", member.shape, purpose))
    return rows


def tables(component: AxiGemmCore) -> dict[str, str]:
    """Return Markdown tables by name: ports, command, status, refusal, flags."""
    return {
        "ports": _table(["port", "direction", "bits", "purpose"], ports(component)),
        "command": _word_table(Command, 64),
        "status": _word_table(Status, 32),
        "refusal": _table(["code", "name"], [(code.value, code.name.lower()) for code in Refusal]),
        "flags": _word_table(Flags, 32, first=16),
    }


def _word_table(layout: type[data.Struct], width: int, first: int = 0) -> str:
    meanings, rows = _members(layout), []
    for name, field in layout.as_shape():
        low = first + field.offset
        high = low + field.width - 1
        words = range(low // width, high // width + 1)
        bits = f"{high % width}..{low % width}" if field.width > 1 else f"{low % width}"
        rows.append((", ".join(map(str, words)), bits, f"`{name}`", meanings[name]))
    return _table(["word", "bits", "field", "meaning"], rows)


def _members(layout: type[data.Struct]) -> dict[str, str]:
    """Return the meaning of every member, as the docstring's section Members has it."""
    section = inspect.getdoc(layout).partition("Members\n-------\n")[2]
    meanings = {}
    for names, text in re.findall(r"^(\S.*?) : .*\n((?: {4}.*\n?)+)", section, re.MULTILINE):
        meaning = " ".join(text.split())
        meanings |= dict.fromkeys(names.split(", "), meaning)
    return meanings


def _table(titles: list[str], rows: list[tuple]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
