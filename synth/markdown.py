"""The text of docs/synthesis.md, made from results alone."""

from collections.abc import Iterable, Mapping

from hdl import formats

from .flows import osu018
from .study import RECIPES_USED, ROWS, Job, Scaling
from .tables import number

__all__ = ["document"]

#: The paper's figures (ASPLOS 2026, TSMC 28 nm): area of an 8-lane PE tile over MXFP4's.
PAPER = {"m2xfp": "+4.0 %", "nvfp4": "+2.3 %", "mxfp4": "-"}
PAPER_OVER_NVFP4 = "+1.7 %"

_TITLES = {
    "generic": "Generic gates",
    "ice40": "iCE40",
    "ecp5": "ECP5 without DSP blocks",
    "osu018": "osu018",
}


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table, its first column to the left and the others to the right."""
    header = list(header)
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def block_kinds(result) -> dict[str, float]:
    """Area of the blocks of a column: equal ones together, and what is in none of them."""
    top = result.name
    kinds = {}
    for block in (name for name in result.blocks if name.count(".") == 1):
        inner = {n: area for n, area in result.blocks.items() if n.rpartition(".")[0] == block}
        label = block.removeprefix(f"{top}.")
        for name, area in inner.items():
            kind = f"{label}: {name.rpartition('.')[2].rstrip('0123456789').rstrip('_')}"
            kinds[kind] = kinds.get(kind, 0.0) + area
        kinds[f"{label}: rest" if inner else label] = result.blocks[block] - sum(inner.values())
    kinds["registers between"] = result.blocks[top] - sum(kinds.values())
    return kinds


def document(results: Mapping[Job | Scaling, object], tools: Mapping[str, str]) -> str:
    """Return the whole page."""
    columns = {
        job.format: result
        for job, result in results.items()
        if isinstance(job, Job) and (job.target, job.unit) == ("osu018", "column")
    }
    sections = [
        _introduction(tools),
        _column(columns),
        _overhead(columns),
        _shares(columns),
        _units(results),
        _placements(results),
        _scaling(results),
        _METHOD,
    ]
    return "\n\n".join(sections) + "\n"


def _introduction(tools: Mapping[str, str]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in tools.items())
    return (
        "# Synthesis\n\n"
        "`make report` writes this page from the present code; do not edit it. `m2xfp report "
        "--check` maps the units again and fails when a figure is off by more than 1 % from "
        "`synth/baseline.json`. Everything is measured on complete, flattened netlists: an "
        "undefined module or a cell that is not the target's stops the flow.\n\n"
        f"Tools: {versions}."
    )


def _column(columns) -> str:
    rows = []
    for format, result in columns.items():
        lanes = formats.get(format).lanes
        rows.append(
            [
                format,
                number(result.nand2),
                f"{result.nand2 / lanes:.0f}",
                f"{result.period_ns:.2f}",
                f"{result.area_period / lanes:.0f}",
                str(result.flip_flops),
                f"{result.power_mw:.1f}",
                result.recipe,
            ]
        )
    header = ["format", "NAND2", "a MAC", "period ns", "NAND2 ns a MAC", "FF", "mW", "recipe"]
    tried = [
        [
            recipe,
            f"{area:.0f}",
            f"{period:.2f}",
            f"{area * period / formats.get('m2xfp').lanes:.0f}",
        ]
        for recipe, (area, period) in columns["m2xfp"].tried.items()
    ]
    return (
        "## One column, osu018\n\n"
        "32 lanes (or a group's) with all registers and the FP32 accumulator, without the memory "
        "of partial sums. NAND2X1 is the unit of area; the period is OpenSTA's without wire load; "
        f"the power is at that period with {osu018.ACTIVITY} transitions a net and cycle.\n\n"
        + table(header, rows)
        + "\n\nThe recipe of least area x period is the one above. All of them, for m2xfp:\n\n"
        + table(["recipe", "NAND2", "period ns", "NAND2 ns a MAC"], tried)
    )


def _overhead(columns) -> str:
    rows = []
    for format in columns:
        row = [format]
        for recipe in RECIPES_USED:
            area, over = _area(columns, format, recipe), _over(columns, format, "mxfp4", recipe)
            row.append(f"{area:.0f} ({over:+.1%})")
        rows.append([*row, PAPER.get(format, "-")])
    text = (
        "## What the metadata costs\n\n"
        "Columns from one generator, NAND2 a MAC by each recipe, and how much that is over MXFP4. "
        "The paper compares 8-lane tiles that round once a subgroup; a column here rounds once a "
        "group, so its accumulator is a smaller part and the same logic weighs more; and a group "
        "of NVFP4 has 16 elements, so its accumulator serves half as many lanes.\n\n"
        + table(["format", *RECIPES_USED, "paper, over MXFP4"], rows)
    )
    if "nvfp4" in columns:
        over = ", ".join(
            f"{_over(columns, 'm2xfp', 'nvfp4', recipe):+.1%} ({recipe})" for recipe in RECIPES_USED
        )
        text += f"\n\nM2XFP over NVFP4: {over}; the paper has {PAPER_OVER_NVFP4}."
    return text


def _area(columns, format: str, recipe: str) -> float:
    return columns[format].tried[recipe][0] / formats.get(format).lanes


def _over(columns, format: str, other: str, recipe: str) -> float:
    return _area(columns, format, recipe) / _area(columns, other, recipe) - 1


def _shares(columns) -> str:
    kinds = {format: block_kinds(result) for format, result in columns.items()}
    names = list(dict.fromkeys(kind for parts in kinds.values() for kind in parts))
    rows = [
        [name]
        + [
            f"{parts.get(name, 0):.0f} ({parts.get(name, 0) / sum(parts.values()):.0%})"
            for parts in kinds.values()
        ]
        for name in names
    ]
    return (
        "## Blocks of a column\n\n"
        "NAND2 equivalents in a netlist that keeps the hierarchy, so a total differs a little "
        "from the flattened one above, which is the headline. What a block has outside its parts "
        "is its rest; that of `dot` is the weighted sum over subgroups and its registers.\n\n"
        + table(["block", *kinds], rows)
        + "\n\n![Blocks of a column](synthesis-blocks.svg)"
    )


def _units(results) -> str:
    parts = [
        f"## Units\n\nTiles have one column and {ROWS} rows; their memories are flip-flops in "
        "generic gates and osu018."
    ]
    for target, title in _TITLES.items():
        chosen = [
            (job, result)
            for job, result in results.items()
            if isinstance(job, Job) and job.target == target
        ]
        if not chosen:
            continue
        placed = {"Fmax MHz", "min", "max"}
        names = [name for name in chosen[-1][1].figures if name not in placed]
        rows = [
            [job.unit, job.format, *(number(result.figures[name]) for name in names)]
            for job, result in chosen
        ]
        parts.append(f"### {title}\n\n" + table(["unit", "format", *names], rows))
        parts += [_luts_a_mac(chosen)] if target == "ecp5" else []
    return "\n\n".join(parts)


def _luts_a_mac(chosen) -> str:
    """Say what a column costs a MAC: a CCU2C occupies two LUT4."""
    sentences = []
    for job, result in chosen:
        if job.unit == "column":
            lanes, figures = formats.get(job.format).lanes, result.figures
            luts, whole = figures["LUT4"], figures["LUT4"] + 2 * figures["CCU2C"]
            sentences.append(f"{job.format} {luts / lanes:.1f} ({whole / lanes:.1f})")
    return f"LUT4 a MAC of a column, and with those of its carry chains: {', '.join(sentences)}."


def _placements(results) -> str:
    parts = [
        "## Clock frequency on ECP5\n\n"
        "Placed and routed by nextpnr between a shift register and a register at every output, so "
        "that all paths count and every port has a place."
    ]
    for job, result in results.items():
        placement = getattr(result, "placement", None)
        if not placement:
            continue
        fmax = placement.fmax_mhz
        used = ", ".join(f"{kind} {u} of {n}" for kind, (u, n) in placement.utilization.items())
        time = 0.0
        rows = []
        for point in placement.path:
            time += point.delay_ns
            rows.append([f"`{point.signal}`", f"{time:.2f}", " ".join(point.sources)])
        parts.append(
            f"### {job.unit}, {job.format}\n\n"
            f"{placement.device}, seeds {min(fmax)} to {max(fmax)}: median "
            f"**{placement.median_mhz:.1f} MHz**, range {min(fmax.values()):.1f} to "
            f"{max(fmax.values()):.1f}. Used with the frame: {used}.\n\n"
            "Critical path of the median run:\n\n"
            + table(["signal", "ns since the clock edge", "Python"], rows)
        )
    return "\n\n".join(parts)


def _scaling(results) -> str:
    areas = {
        job.columns: result.figures for job, result in results.items() if isinstance(job, Scaling)
    }
    kinds = [kind for kind in areas[min(areas)] if kind != "total"]
    lanes = formats.get("m2xfp").lanes
    rows = [
        [str(columns), str(columns * lanes), f"{parts['total']:.0f}"]
        + [f"{parts['total'] / (columns * lanes):.0f}"]
        + [f"{parts.get(kind, 0) / parts['total']:.0%}" for kind in kinds]
        for columns, parts in areas.items()
    ]
    header = ["columns", "MACs", "NAND2 (est.)", "a MAC", *kinds]
    return (
        "## Scaling with columns\n\n"
        f"M2XFP tiles with {ROWS} rows in generic gates, all memories as flip-flops; transistors "
        "of static CMOS gates / 4. `front` is shared by all columns: streams, decode units, "
        "control.\n\n"
        + table(header, rows)
        + "\n\n![Area a MAC against columns](synthesis-scaling.svg)"
    )


_METHOD = f"""## Method

- **generic**: `synth -noabc -flatten`, one kind of flip-flop, `abc`; NAND2 equivalents are
  transistors of static CMOS gates / 4, an estimate.
- Units are shaped for gates in generic gates and osu018, for LUTs on iCE40 and ECP5 (`--fabric`).
- **iCE40**, **ECP5**: `proc; flatten; opt_clean -purge`, then `synth_ice40` or
  `synth_ecp5 -nodsp -nowidelut`, with ABC9's `flow2` script.
- **osu018**: block by block without Yosys' own run of ABC, full adders to FAX1, `dfflibmap`,
  `abc -constr -D` by the recipes of `synth/flows/osu018.py`, then flattened. Of the recipes
  tried here ({", ".join(RECIPES_USED)}; for the decode unit all) the one of least area x period
  is reported (for a unit without flip-flops, of least area). Inputs are driven by a BUFX2 and
  arrive with the clock edge, outputs carry 15 fF and are due at the next; nets of more than 16
  pins are buffered and gates are sized. Power has one activity for all nets.
- Reproduce one row: `m2xfp synth column --target osu018 --format m2xfp`."""
