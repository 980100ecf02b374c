"""osu018, a real 180 nm standard-cell library: area, clock period, power.

From a script, for tuning a block::

    from synth.flows import osu018
    result = osu018.run(Column(...), "column")
    print(result)                    # one line: NAND2, flip-flops, ns, NAND2 ns, mW, recipe
    print(result.nand2, result.period_ns, result.area_period)
    for point in result.path: ...    # critical path: pin, cell, arrival in ns
    osu018.run(Column(...), "column", blocks=True).blocks        # NAND2 of each block
    osu018.run(Column(...), "column", recipes=["balanced"])       # one recipe only: quicker
"""

import logging
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from amaranth.lib import wiring

from hdl import export
from hdl.fabric import Fabric

from .. import liberty, netlist, sta, yosys

__all__ = ["ACTIVITY", "FABRIC", "NAND2", "RECIPES", "Result", "run"]

#: What components that are measured here should be shaped for.
FABRIC = Fabric.GATES

_log = logging.getLogger(__name__)

#: Area of NAND2X1, the unit of every figure here.
NAND2 = 24.0

#: Transitions of each net in a clock cycle that the power is stated at.
ACTIVITY = 0.1

#: Buffers for nets of more than 16 pins, then sizing: one unbuffered net dominates otherwise.
_SIZE = "topo; buffer -c -N 16; upsize {D}; dnsize {D}; stime -p"

#: Rebalances sums of products for depth. Without it the carries of adders stay ripples, which
#: no mapper undoes.
_SHALLOW = "strash; ifraig; scorr; st; if -g -K 6 -C 8; strash"

#: Recipe name -> ABC script. Yosys replaces {D} by the delay target (-D picoseconds).
RECIPES = {
    "compact": f"strash; ifraig; scorr; strash; dch -f; amap -m -F 20; {_SIZE}",
    "area": f"strash; ifraig; scorr; dc2; strash; dch -f; amap -m -F 20; {_SIZE}",
    "balanced": f"{_SHALLOW}; dch -f; amap -m -F 20; {_SIZE}",
    "quick": f"{_SHALLOW}; &get -n; &dch -f; &nf -R 20 -F 10 {{D}}; &put; {_SIZE}",
    "fast": f"{_SHALLOW}; dch -f; map -B 0.9 {{D}}; {_SIZE}",
}


#: Maps full adders of Yosys to the library's: smaller and faster than gates.
_ADDER = """\
(* techmap_celltype = "$fa" *)
module full_adder (A, B, C, X, Y);
    parameter WIDTH = 1;
    input [WIDTH-1:0] A, B, C;
    output [WIDTH-1:0] X, Y;
    genvar i;
    generate for (i = 0; i < WIDTH; i = i + 1) begin : bits
        FAX1 adder (.A(A[i]), .B(B[i]), .C(C[i]), .YC(X[i]), .YS(Y[i]));
    end endgenerate
endmodule
"""


@dataclass(frozen=True)
class Result:
    """Figures of one component in osu018.

    Members
    -------
    recipe
        Which of `RECIPES` was best; the other figures are its.
    nand2
        Area of the flattened netlist, flip-flops included, in areas of NAND2X1.
    flip_flops
        Number of flip-flops.
    period_ns
        Least clock period by OpenSTA without wire load; without flip-flops the longest delay.
    power_mw
        Power at that period and ``activity`` transitions a net and cycle.
    cells
        Cell type -> count.
    path
        Critical path.
    tried
        Recipe -> (NAND2, ns) for all that were tried.
    blocks
        Block -> NAND2 of it and all below, in a netlist that keeps the hierarchy; its total is a
        little above ``nand2``. Empty unless asked for.
    """

    name: str
    recipe: str
    nand2: float
    flip_flops: int
    period_ns: float
    power_mw: float
    activity: float
    cells: dict[str, int]
    path: tuple[sta.PathPoint, ...]
    tried: dict[str, tuple[float, float]] = field(default_factory=dict)
    blocks: dict[str, float] = field(default_factory=dict)

    @property
    def area_period(self) -> float:
        """Area times period in NAND2 ns."""
        return self.nand2 * self.period_ns

    @property
    def figures(self) -> dict[str, float]:
        """Headline figures by column title."""
        return {
            "NAND2": self.nand2,
            "FF": self.flip_flops,
            "period ns": self.period_ns,
            "NAND2 ns": self.area_period,
            "power mW": self.power_mw,
        }

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.nand2:.0f} NAND2, {self.flip_flops} flip-flops, "
            f"{self.period_ns:.3f} ns, {self.area_period:.0f} NAND2 ns, {self.power_mw:.2f} mW "
            f"({self.recipe})"
        )


def _script(name: str, period_ns: float, flatten: bool) -> list[str]:
    # Without Yosys' own run of ABC, which makes ripples of fast carries. Block by block: in a
    # whole column ABC trades depth for area where the clock period is made.
    synth = f"synth -noabc -hieropt -top {name} -run"
    return [
        "read_rtlil design.il",
        f"hierarchy -check -top {name}",
        "proc",
        "opt_expr",
        "opt_clean",
        # ABC cannot use cells of two outputs; the sums that the gateware writes out are found
        # here, the additions of more than two operands become $fa themselves.
        "simplemap",
        "extract_fa -fa",
        f"{synth} coarse:fine",
        "read_liberty -lib -ignore_miss_func cells.lib",
        "techmap -map adder.v",
        f"{synth} fine:check",
        "dfflibmap -liberty cells.lib",
        "opt",
        f"abc -liberty cells.lib -constr abc.constr -script abc.script -D {period_ns * 1000:.0f}",
        *(["flatten"] if flatten else []),
        "setundef -zero",
        "opt_clean",
        "splitnets",
        "opt_clean -purge",
        "tee -o stat.json stat -json",
        "check -assert",
        "write_verilog -noattr -noexpr -nodec netlist.v",
    ]


class _Flow:
    """One component in one folder."""

    def __init__(self, component: wiring.Component, name: str, period_ns: float, folder: Path):
        self.library = liberty.find_osu018()
        areas = liberty.cell_areas(self.library.read_text())
        # A cell without area, as the library's LATCH, would hide area like a black box.
        self.areas = {cell: area / NAND2 for cell, area in areas.items() if area}
        self.name = name
        self.period_ns = period_ns
        self.folder = folder
        self.rtlil = export.rtlil(component, name)

    def nand2(self, cells: Mapping[str, int]) -> float:
        return sum(self.areas[kind] * count for kind, count in cells.items())

    def map(self, recipe: str, folder: Path, *, flatten: bool) -> dict[str, netlist.Module]:
        with yosys.workspace(folder):
            shutil.copyfile(self.library, folder / "cells.lib")
            (folder / "design.il").write_text(self.rtlil)
            (folder / "abc.constr").write_text(
                f"set_driving_cell {sta.DRIVER}\nset_load {sta.LOAD_PF * 1000}\n"
            )
            (folder / "abc.script").write_text(RECIPES[recipe])
            (folder / "adder.v").write_text(_ADDER)
            yosys.run(_script(self.name, self.period_ns, flatten), folder)
            modules = netlist.read_statistics(folder / "stat.json", self.name)
        netlist.check_cells(modules, self.areas)
        return modules

    def measure(self, recipe: str, activity: float) -> Result:
        folder = self.folder / recipe
        cells = self.map(recipe, folder, flatten=True)[self.name].cells
        file = folder / "netlist.v"
        # OpenSTA of Debian cannot parse what Yosys writes for signed ports.
        file.write_text(file.read_text().replace(" signed ", " "))
        flip_flops = sum(count for kind, count in cells.items() if kind.startswith("DFF"))
        timing = sta.analyze(
            self.library, file.name, self.name, folder, clocked=flip_flops > 0, activity=activity
        )
        result = Result(
            name=self.name,
            recipe=recipe,
            nand2=self.nand2(cells),
            flip_flops=flip_flops,
            period_ns=timing.period_ns,
            power_mw=timing.power_mw,
            activity=activity,
            cells=cells,
            path=timing.path,
        )
        _log.info("%s", result)
        return result

    def blocks(self, recipe: str) -> dict[str, float]:
        if self.rtlil.count("\nmodule ") < 2:
            return {}
        modules = self.map(recipe, self.folder / "blocks", flatten=False)
        return netlist.subtotals(modules, self.nand2)


def run(
    component: wiring.Component,
    name: str,
    *,
    period_ns: float = 4.0,
    activity: float = ACTIVITY,
    recipes: Collection[str] = tuple(RECIPES),
    blocks: bool = False,
    folder: Path | None = None,
) -> Result:
    """Map a component to osu018 by each recipe and return the best.

    The best has the least area x period; without flip-flops, the least area.

    Parameters
    ----------
    component
        The component to measure.
    name
        Name of the top module.
    period_ns
        Delay target of ABC, for mapping for delay and for sizing.
    activity
        Transitions of each net in a clock cycle, for the power.
    recipes
        Names in `RECIPES`.
    blocks
        Whether to map once more with the hierarchy kept, for `Result.blocks`.
    folder
        Where to keep scripts, logs and netlists; nothing is kept by default.

    Raises
    ------
    InputError
        If OpenSTA or the library is missing.
    SynthesisError
        If a module is undefined, a cell is not mapped or a tool complains.
    """
    with yosys.workspace(folder) as place:
        flow = _Flow(component, name, period_ns, place)
        results = [flow.measure(recipe, activity) for recipe in recipes]
        clocked = any(result.flip_flops for result in results)
        best = min(results, key=lambda r: r.area_period if clocked else r.nand2)
        return replace(
            best,
            tried={result.recipe: (result.nand2, result.period_ns) for result in results},
            blocks=flow.blocks(best.recipe) if blocks else {},
        )
