"""What is compared: number formats, scale rules, and which operands are quantized."""

import enum
from dataclasses import dataclass

from golden import InputError, formats

#: Scale rules that are compared by default besides each format's own.
EXTRA_RULES = {"mxfp4": ("ceil",)}


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
    """A number format and its scale rule.

    Attributes
    ----------
    format : str
        Name in `golden.formats`.
    scale_rule : str
        One of the format's rules.
    """

    format: str
    scale_rule: str

    @property
    def label(self) -> str:
        """Name in tables: the format, and its rule where the format has several."""
        spec = formats.get(self.format)
        plain = len(spec.scale_rules) == 1 or (
            self.scale_rule == spec.scale_rules[0] and self.format not in EXTRA_RULES
        )
        return self.format if plain else f"{self.format} {self.scale_rule}"

    @property
    def bits(self) -> float:
        """Storage, bits an element."""
        return formats.get(self.format).bits_per_element


def default_encodings() -> tuple[Encoding, ...]:
    """Return every format with its first scale rule, and those of `EXTRA_RULES`."""
    found = []
    for name in formats.names():
        rules = formats.get(name).scale_rules
        found += [Encoding(name, rule) for rule in (rules[0], *EXTRA_RULES.get(name, ()))]
    return tuple(found)


def parse_encoding(text: str) -> Encoding:
    """Read ``FORMAT`` or ``FORMAT:RULE``.

    Raises
    ------
    InputError
        If there is no such format or the format has no such rule.
    """
    name, _, rule = text.partition(":")
    spec = formats.get(name)
    rule = rule or spec.scale_rules[0]
    if rule not in spec.scale_rules:
        rules = ", ".join(spec.scale_rules)
        raise InputError(f"Scale rule of {name} must be one of {rules}, not {rule!r}")
    return Encoding(name, rule)
