from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl import export
from synth import netlist, scaling
from synth.flows import generic

from .components import Adder, Chain, Register


class Columns(wiring.Component):
    """Two equal columns and a third that only has a like name."""

    d: In(8)
    enable: In(1)
    q: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.column_0 = first = Chain()
        m.submodules.column_1 = second = Chain()
        m.submodules.column_2 = third = Register()
        m.d.comb += [
            first.d.eq(self.d),
            second.d.eq(self.d),
            third.d.eq(self.d),
            first.enable.eq(self.enable),
            second.enable.eq(self.enable),
            third.enable.eq(self.enable),
            self.q.eq(first.q + second.q + third.q),
        ]
        return m


def test_a_component_without_columns_is_left_alone():
    text = export.rtlil(Adder(), "adder")
    assert scaling.merge_columns(text).split() == text.split()


def test_only_equal_columns_are_merged(tmp_path):
    text = export.rtlil(Columns(), "tile")
    merged = scaling.merge_columns(text)
    assert "module \\tile.column_1\n" not in merged
    assert "module \\tile.column_2\n" in merged
    assert merged.count("cell \\tile.column_0 ") == 2

    whole = generic.map_blocks(text, "tile", tmp_path / "whole")
    few = generic.map_blocks(merged, "tile", tmp_path / "few")
    assert netlist.flat(few, "tile") == netlist.flat(whole, "tile")
    assert len(few) == len(whole) - 3
