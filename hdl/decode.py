from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .formats import Format


class DecodeUnit(wiring.Component):
    """Decodes one subgroup of activations into the operand that columns multiply.

    Combinational. For M2XFP: the plain E2M1 codes, the top-1 as a one-hot and its correction,
    so that a column needs no wider multiplier (paper, section 5.2; format spec, section 2).

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    encoded : In(format.encoded_subgroup)
        Elements and metadata as they are stored.
    operand : Out(format.activation_subgroup)
    """

    def __init__(self, format: Format):
        self._format = _check_format(format)
        super().__init__(
            {"encoded": In(format.encoded_subgroup), "operand": Out(format.activation_subgroup)}
        )

    @property
    def format(self) -> Format:
        """Format that is decoded."""
        return self._format

    def elaborate(self, platform):
        m = Module()
        self.format.decode_subgroup(m, self.encoded, self.operand)
        return m


class GroupDecoder(wiring.Component):
    """Decodes a group of activations: one :class:`DecodeUnit` a subgroup. Combinational.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    group : In(format.group)
    operand : Out(format.activation)
    """

    def __init__(self, format: Format):
        self._format = _check_format(format)
        super().__init__({"group": In(format.group), "operand": Out(format.activation)})

    @property
    def format(self) -> Format:
        """Format that is decoded."""
        return self._format

    def elaborate(self, platform):
        m = Module()
        for part, value in self.format.common_parts(self.group).items():
            m.d.comb += self.operand[part].eq(value)
        for index in range(self.format.subgroups):
            m.submodules[f"subgroup_{index}"] = unit = DecodeUnit(self.format)
            m.d.comb += [
                unit.encoded.eq(self.format.encoded(self.group, index)),
                self.operand.subgroups[index].eq(unit.operand),
            ]
        return m


def _check_format(format: Format) -> Format:
    if not isinstance(format, Format):
        raise TypeError(f"Format must be a gateware format, not {format!r}")
    return format
