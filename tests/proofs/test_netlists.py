import pytest

from hdl import export, formats
from hdl.decode import DecodeUnit
from sim.verify import netlists
from sim.verify.campaigns.registry import CAMPAIGNS
from sim.verify.proofs.dot import Subgroup
from synth.yosys import SynthesisError


def decode_unit():
    return DecodeUnit(formats.get("m2xfp"))


def test_exported_verilog_is_equivalent():
    verilog, rtlil = export.verilog(decode_unit(), "top"), export.rtlil(decode_unit(), "top")
    netlists.equivalent(verilog, rtlil)
    with pytest.raises(SynthesisError, match=r"^Yosys failed: Found \d+ unproven"):
        netlists.equivalent(netlists.broken(verilog), rtlil)


def test_ecp5_netlist_of_the_subgroup():
    campaign = CAMPAIGNS["subgroups"]
    netlist = netlists.mapped(Subgroup(formats.get("m2xfp")), "ecp5")
    tally = campaign.run_all(campaign.compile(netlist), 100_000)
    assert (tally.cases, tally.wrong) == (100_000, 0)
    assert campaign.run_all(campaign.compile(netlists.broken(netlist)), 100_000).wrong
