from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .formats import Format
from .skew import delayed


class DecodeUnit(wiring.Component):
    """Decodes one subgroup of activations into the operand that columns multiply.

    For M2XFP: the plain E2M1 codes, the top-1 as a one-hot if it has a correction, and that, so
    that a column needs no wider multiplier (paper, section 5.2; format spec, section 2).

    Parameters
    ----------
    format : Format
    pipelined : bool
        Whether the latency is ``format.decode_latency``, with a register between the search for
        the top-1 and its correction; otherwise the unit is combinational.

    Attributes
    ----------
    encoded : In(format.encoded_subgroup)
        Elements and metadata as they are stored.
    operand : Out(format.activation_subgroup)
    """

    def __init__(self, format: Format, *, pipelined: bool = False):
        self._format = _check_format(format)
        self._pipelined = pipelined
        super().__init__(
            {"encoded": In(format.encoded_subgroup), "operand": Out(format.activation_subgroup)}
        )

    @property
    def format(self) -> Format:
        """Format that is decoded."""
        return self._format

    def elaborate(self, platform):
        m = Module()
        searched = Signal(self.format.searched_subgroup)
        self.format.search(m, self.encoded, searched)
        cycles = self.format.decode_latency if self._pipelined else 0
        found = delayed(m, searched, cycles, "found", reset_less=True)
        self.format.decode_subgroup(m, found, self.operand)
        return m


class GroupDecoder(wiring.Component):
    """Decodes a group of activations: one :class:`DecodeUnit` a subgroup.

    Latency is ``format.decode_latency`` cycles for elements and the same for the scale.

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
        cycles = self.format.decode_latency
        for part, value in self.format.common_parts(self.group).items():
            later = delayed(m, value, cycles, part, reset_less=True)
            m.d.comb += self.operand[part].eq(later)
        for index in range(self.format.subgroups):
            m.submodules[f"subgroup_{index}"] = unit = DecodeUnit(self.format, pipelined=True)
            m.d.comb += [
                unit.encoded.eq(self.format.encoded(self.group, index)),
                self.operand.subgroups[index].eq(unit.operand),
            ]
        return m


def _check_format(format: Format) -> Format:
    if not isinstance(format, Format):
        raise TypeError(f"Format must be a gateware format, not {format!r}")
    return format
