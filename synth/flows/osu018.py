"""osu018, a real 180 nm standard-cell library: area, clock period, power.

From a script, for tuning a block::

    from synth.flows import osu018
    result = osu018.run(Column(...), "column", period_ns=5.0)
    print(result)                    # one line: NAND2, flip-flops, ns, NAND2 ns, mW
    print(result.nand2, result.period_ns, result.area_period)
    for point in result.path: ...    # critical path: pin, cell, arrival in ns
    osu018.run(Column(...), "column", hierarchy=True).modules  # NAND2 of each block
"""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from amaranth.lib import wiring

from hdl import export

from .. import liberty, sta, yosys

__all__ = ["Result", "run"]

#: Area of NAND2X1, the unit of every figure here.
NAND2 = 24.0

#: Yosys replaces {D} by the delay target (-D picoseconds).
ABC_SCRIPT = (
    "strash; &get -n; &fraig -x; &put; scorr; dc2; strash; &get -n; &dch -f; &nf {D}; &put; "
    "buffer -c; topo; upsize {D}; dnsize {D}; stime -p"
)


@dataclass(frozen=True)
class Result:
    """Figures of one component in osu018.

    Members
    -------
    nand2
        Area of the flattened netlist, flip-flops included, in areas of NAND2X1.
    flip_flops
        Number of flip-flops.
    period_ns
        Least clock period by OpenSTA without wire load.
    power_mw
        Power at that period and ``activity`` transitions a net and cycle.
    cells
        Cell type -> count.
    path
        Critical path.
    modules
        With ``hierarchy=True``: block -> NAND2 of it and all below, in a netlist that keeps
        the hierarchy; the top module's name gives the total, a little above ``nand2``.
    """

    name: str
    nand2: float
    flip_flops: int
    period_ns: float
    power_mw: float
    activity: float
    cells: dict[str, int]
    path: tuple[sta.PathPoint, ...]
    modules: dict[str, float] = field(default_factory=dict)

    @property
    def area_period(self) -> float:
        """Area times period in NAND2 ns."""
        return self.nand2 * self.period_ns

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.nand2:.0f} NAND2, {self.flip_flops} flip-flops, "
            f"{self.period_ns:.3f} ns, {self.area_period:.0f} NAND2 ns, {self.power_mw:.2f} mW"
        )


def _script(name: str, period_ns: float, flatten: bool) -> list[str]:
    map_logic = "abc -liberty cells.lib -constr abc.constr -script abc.script"
    return [
        "read_rtlil design.il",
        f"hierarchy -check -top {name}",
        f"synth {'-flatten ' if flatten else ''}-top {name}",
        "dfflibmap -liberty cells.lib",
        "opt",
        f"{map_logic} -D {period_ns * 1000:.0f}",
        "setundef -zero",
        "splitnets",
        "opt_clean -purge",
        "tee -o stat.json stat -json",
        "read_liberty -lib -ignore_miss_func cells.lib",
        "check -mapped -assert",
        "write_verilog -noattr -noexpr -nodec netlist.v",
    ]


def _area(module: yosys.Module, areas: dict[str, float]) -> float:
    """Area of one module's own cells; fail on any cell that has none."""
    for kind in module.cells:
        # A cell of area zero, as the library's LATCH, hides area like a black box.
        if not areas.get(kind):
            raise yosys.SynthesisError(f"Cell {kind!r} is not mapped to a library cell with area")
    return sum(areas[kind] * count for kind, count in module.cells.items()) / NAND2


def _total(name: str, modules: dict[str, yosys.Module], areas: dict[str, float]) -> float:
    children = modules[name].children.items()
    return _area(modules[name], areas) + sum(
        count * _total(child, modules, areas) for child, count in children
    )


def _map(rtlil: str, name: str, period_ns: float, folder: Path, *, flatten: bool):
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(liberty.find_osu018(), folder / "cells.lib")
    (folder / "design.il").write_text(rtlil)
    (folder / "abc.constr").write_text(
        f"set_driving_cell {sta.DRIVER}\nset_load {sta.LOAD_PF * 1000}\n"
    )
    (folder / "abc.script").write_text(ABC_SCRIPT)
    yosys.run(_script(name, period_ns, flatten), folder)
    return yosys.read_statistics(folder / "stat.json", name)


def run(
    component: wiring.Component,
    name: str,
    *,
    period_ns: float = 5.0,
    activity: float = 0.1,
    hierarchy: bool = False,
    folder: Path | None = None,
) -> Result:
    """Map a component to osu018 and measure it.

    Parameters
    ----------
    component
        A component that was not elaborated before.
    name
        Name of the top module.
    period_ns
        Delay target of ABC: smaller is faster and larger.
    activity
        Transitions of each net in a clock cycle, for the power.
    hierarchy
        Also map without flattening, for `Result.modules`.
    folder
        Where to keep scripts, logs and netlist; nothing is kept by default.

    Raises
    ------
    InputError
        If OpenSTA or the library is missing.
    SynthesisError
        If a module is undefined, a cell is not mapped or a tool complains.
    """
    liberty.find_osu018()
    rtlil = export.rtlil(component, name)
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="m2xfp-") as temporary:
            return _run(rtlil, name, period_ns, activity, hierarchy, Path(temporary))
    return _run(rtlil, name, period_ns, activity, hierarchy, folder)


def _run(rtlil, name, period_ns, activity, hierarchy, folder) -> Result:
    areas = liberty.cell_areas(liberty.OSU018.read_text())
    modules = _map(rtlil, name, period_ns, folder, flatten=True)
    netlist = folder / "netlist.v"
    text = netlist.read_text()
    # OpenSTA of Debian cannot parse what Yosys writes for signed ports.
    netlist.write_text(text.replace(" signed ", " "))
    timing = sta.analyze(
        folder / "cells.lib",
        netlist.name,
        name,
        folder,
        clocked=any(cell.startswith("DFF") for cell in modules[name].cells),
        activity=activity,
    )
    kept = _map(rtlil, name, period_ns, folder / "hierarchy", flatten=False) if hierarchy else {}
    return Result(
        name=name,
        nand2=_total(name, modules, areas),
        flip_flops=sum(n for kind, n in modules[name].cells.items() if kind.startswith("DFF")),
        period_ns=timing.period_ns,
        power_mw=timing.power_mw,
        activity=activity,
        cells=modules[name].cells,
        path=timing.path,
        modules={child: _total(child, kept, areas) for child in kept},
    )
