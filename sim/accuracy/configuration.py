"""What is compared: number formats, scale rules, calibration, and which operands are quantized."""

import enum
from dataclasses import dataclass, replace

import numpy as np

from golden import InputError, formats
from golden.number_format import Options

#: How a calibrated encoding is written: ``FORMAT:RULE+calibrated``.
CALIBRATED = "calibrated"

#: What is compared by default besides each format with its own rule.
EXTRAS = (
    "mxfp4:ceil",
    "nvfp4:four_six",
    "nvfp4:search+calibrated",
    "m2xfp_sg+calibrated",
    "m2xfp_sg_spare+calibrated",
)


class Mode(enum.Enum):
    """Which operands of the linear layers are quantized."""

    BOTH = "W4A4"
    WEIGHTS = "weights only"
    ACTIVATIONS = "activations only"

    @property
    def weights(self) -> bool:
        """Whether weights are quantized."""
        return self is not Mode.ACTIVATIONS

    @property
    def activations(self) -> bool:
        """Whether activations are quantized."""
        return self is not Mode.WEIGHTS


@dataclass(frozen=True)
class Encoding:
    """A number format, its scale rule, and whether its weights are calibrated.

    Attributes
    ----------
    format : str
        Name in `golden.formats`.
    scale_rule : str
        One of the format's rules.
    calibrated : bool
        Whether errors of weights count by the mean square of what they are multiplied with; see
        `sim.accuracy.calibration`. Activations are quantized as without.
    """

    format: str
    scale_rule: str = "floor"
    calibrated: bool = False

    @property
    def label(self) -> str:
        """Name in tables: the format, its rule unless plain, and whether it is calibrated."""
        # MXFP4's plain rule is named because its other one stands beside it.
        plain = self.scale_rule == "floor" and self.format != "mxfp4"
        words = [self.format, *([] if plain else [self.scale_rule])]
        return " ".join([*words, *([CALIBRATED] if self.calibrated else [])])

    @property
    def uncalibrated(self) -> "Encoding":
        """The same without calibration."""
        return replace(self, calibrated=False)

    @property
    def bits(self) -> float:
        """Storage, bits an element."""
        return formats.get(self.format).bits_per_element


def default_encodings() -> tuple[Encoding, ...]:
    """Return every format with its first scale rule, each followed by its `EXTRAS`."""
    extras = [parse_encoding(text) for text in EXTRAS]
    found = []
    for name in formats.names():
        found += [Encoding(name), *(extra for extra in extras if extra.format == name)]
    return tuple(found)


def parse_encoding(text: str) -> Encoding:
    """Read ``FORMAT``, ``FORMAT:RULE``, or either followed by ``+calibrated``.

    Raises
    ------
    InputError
        If there is no such format, or it has no such rule or cannot be calibrated with it.
    """
    plain, plus, suffix = text.partition("+")
    if plus and suffix != CALIBRATED:
        raise InputError(f"After + must come {CALIBRATED}, not {suffix!r}")
    name, _, rule = plain.partition(":")
    spec = formats.get(name)
    rule = rule or spec.scale_rules[0]
    if rule not in spec.scale_rules:
        rules = ", ".join(spec.scale_rules)
        raise InputError(f"Scale rule of {name} must be one of {rules}, not {rule!r}")
    if plus:
        importance = np.ones(spec.group, np.float32)
        spec.check_options(Options("weights", rule, importance=importance))
    return Encoding(name, rule, bool(plus))
