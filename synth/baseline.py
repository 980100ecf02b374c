"""The recorded figures, and the check that nothing drifted from them."""

import json
from collections.abc import Mapping
from pathlib import Path

__all__ = ["FILE", "TOLERANCE", "drift", "load", "text"]

FILE = Path(__file__).with_name("baseline.json")

#: Relative change that needs no new baseline.
TOLERANCE = 0.01

#: Figures that depend on the placer's random choices are shown, not checked.
_UNCHECKED = {"Fmax MHz", "min", "max"}

Figures = Mapping[str, Mapping[str, float]]


def load(file: Path) -> dict:
    """Read a baseline: tool versions under ``tools``, job key -> figures under ``figures``."""
    return json.loads(file.read_text())


def text(tools: Mapping[str, str], figures: Figures) -> str:
    """Return the text of a baseline file; equal figures give equal text."""
    rounded = {
        key: {name: round(value, 3) for name, value in values.items()}
        for key, values in sorted(figures.items())
    }
    return json.dumps({"tools": dict(tools), "figures": rounded}, indent=1) + "\n"


def drift(recorded: Figures, measured: Figures) -> list[str]:
    """Compare what was measured with what is recorded.

    Returns
    -------
    list of str
        One line for each figure that is off by more than `TOLERANCE` or is recorded nowhere.
    """
    lines = []
    for key, figures in measured.items():
        for name, value in figures.items():
            if name in _UNCHECKED:
                continue
            expected = recorded.get(key, {}).get(name)
            if expected is None:
                lines.append(f"{key}: {name} is {value:g}, not recorded")
            elif abs(value - expected) > TOLERANCE * abs(expected):
                change = f" ({value / expected - 1:+.1%})" if expected else ""
                lines.append(f"{key}: {name} is {value:g}, recorded {expected:g}{change}")
    return lines
