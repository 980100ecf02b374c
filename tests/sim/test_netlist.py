import random
import re

import pytest
from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from sim import engines
from sim.engines import netlist
from sim.engines.words import from_ints, to_ints


class Scale(wiring.Component):
    """Adds a constant and squares, one cycle later; by itself or a cell inside."""

    def __init__(self, offset, *, registered=True):
        self._offset, self._registered = offset, registered
        super().__init__({"i": In(8), "o": Out(16)})

    def elaborate(self, platform):
        m = Module()
        total = Signal(9)
        m.d.comb += total.eq(self.i + self._offset)
        square = (total * total)[:16]
        m.d[("sync" if self._registered else "comb")] += self.o.eq(square)
        return m


class Row(wiring.Component):
    """Five cells: three of one kind, one of another, and one without registers twice."""

    def __init__(self):
        super().__init__({"i": In(8), "o": Out(16).array(6)})

    def elaborate(self, platform):
        m = Module()
        cells = [Scale(1), Scale(1), Scale(1), Scale(2)]
        cells += [Scale(3, registered=False), Scale(3, registered=False)]
        for index, cell in enumerate(cells):
            m.submodules[f"cell_{index}"] = cell
            m.d.comb += [cell.i.eq(self.i ^ index), self.o[index].eq(cell.o)]
        return m


def modules(text):
    return re.findall(r"^module (\S+)\(", text, re.MULTILINE)


def test_equal_components_become_one_module():
    text = netlist.verilog(Row(), "top")
    assert modules(text).count("top") == 1
    assert sum("Scale" in name for name in modules(text)) == 2
    assert len(re.findall(r"shared_\d+_Scale cell_\d", text)) == 5


def test_the_shared_netlist_computes_the_same():
    random.seed(3)
    values = [random.getrandbits(8) for _ in range(64)]
    inputs = {"i": from_ints(values, 1)}
    ports = [f"o__{index}" for index in range(4)]
    runs = [
        engines.get(name).run_pipeline(Row(), inputs, ports, 1) for name in ("fast", "amaranth")
    ]
    for index, offset in enumerate((1, 1, 1, 2)):
        want = [((value ^ index) + offset) ** 2 % 2**16 for value in values]
        for run in runs:
            assert to_ints(run[f"o__{index}"]) == want


class Renamed(wiring.Component):
    """Two equal pairs of cells, one pair moved to another clock."""

    i: In(8)
    o: Out(16).array(2)

    def elaborate(self, platform):
        m = Module()
        for index, domain in enumerate(("sync", "other")):
            inner = Module()
            inner.submodules.cell = cell = Scale(1)
            inner.d.comb += [cell.i.eq(self.i), self.o[index].eq(cell.o)]
            m.submodules[f"pair_{index}"] = DomainRenamer(domain)(inner)
        return m


def test_what_a_transformer_changed_is_not_shared():
    text = netlist.verilog(Renamed(), "top")
    assert not any("shared" in name for name in modules(text))
    assert "other_clk" in text


def test_parameters_of_unknown_kind_are_not_compared():
    class Twin(wiring.Component):
        def __init__(self, table):
            self._table = table
            super().__init__({"i": In(8), "o": Out(8)})

        def elaborate(self, platform):
            m = Module()
            m.d.comb += self.o.eq(self.i + len(self._table))
            return m

    shared = [1]
    assert netlist._equal(Twin(shared), Twin(shared))
    assert not netlist._equal(Twin([1]), Twin([1]))


def test_yosys_errors_are_reported(monkeypatch):
    monkeypatch.setattr(netlist, "_SCRIPT", "no_such_pass\n")
    with pytest.raises(engines.BuildError, match=r"^Yosys failed on a component:\n(.|\n)*no_such"):
        netlist.verilog(Scale(1), "top")
