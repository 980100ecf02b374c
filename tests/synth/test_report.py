"""The page is made from results alone, so made-up results show every part of it."""

import pytest

from hdl.units import STUDIED
from synth import markdown, plots, scaling, study
from synth.flows import ecp5, generic, ice40, osu018
from synth.nextpnr import PathPoint, Placement

TRIED = {recipe: (3200.0 + 320 * index, 5.0) for index, recipe in enumerate(study.RECIPES_USED)}


def made_up(job):
    if isinstance(job, study.Scaling):
        return study.Areas({"total": 100.0 * job.columns, "column": 90.0 * job.columns})
    if job.target == "osu018":
        factor = {"m2xfp": 1.2, "nvfp4": 0.55}.get(job.format, 1.0)
        tried = {name: (factor * area, period) for name, (area, period) in TRIED.items()}
        blocks = {"column": 100.0, "column.dot": 60.0, "column.dot.part_0": 25.0}
        blocks |= {"column.dot.part_1": 25.0, "column.accumulator": 30.0}
        return osu018.Result(
            "column", "balanced", tried["balanced"][0], 7, 5.0, 1.5, 0.1, {}, (), tried, blocks
        )
    if job.target == "ecp5" and job.seeds:
        path = (PathPoint("dot.sum", 7.5, ("hdl/dot.py:41",)), PathPoint("set-up", 0.5, ()))
        placement = Placement("ECP5 25k speed 6", {1: 90.0, 2: 110.0}, {"FF": (7, 9)}, path)
        return ecp5.Result(job.unit, {"LUT4": 99}, placement)
    flow = {"ecp5": ecp5.Result, "ice40": ice40.Result}.get(job.target)
    return flow(job.unit, {}) if flow else generic.Result(job.unit, 1, 2, 3.5, {})


@pytest.fixture
def results():
    work = [study.Scaling(columns) for columns in scaling.COLUMNS]
    work += study.jobs(("generic", "ice40", "ecp5", "osu018"), seeds=2)
    return {job: made_up(job) for job in work}


def test_the_page_has_every_unit_and_figure(results):
    page = markdown.document(results, {"yosys": "0.70"})
    assert "Tools: yosys 0.70." in page
    for unit in STUDIED:
        assert page.count(f"| {unit} | m2xfp |") >= 3
    # 3840 NAND2 over 32 lanes is 20 % over MXFP4's 3200.
    assert "| m2xfp | 120 (+20.0%) |" in page
    assert "median **100.0 MHz**, range 90.0 to 110.0" in page
    assert "| `dot.sum` | 7.50 | hdl/dot.py:41 |" in page
    assert "| 32 | 1024 | 3200 | 3 | 90% |" in page


def test_blocks_add_up_to_the_whole(results):
    job = next(j for j in results if getattr(j, "key", "") == "osu018 column m2xfp")
    kinds = markdown.block_kinds(results[job])
    assert kinds == {
        "dot: part": 50.0,
        "dot: rest": 10.0,
        "accumulator": 30.0,
        "registers between": 10.0,
    }


def test_pictures_depend_on_the_figures_only():
    shares = {"m2xfp": {"dot": 3.0, "accumulator": 2.0}, "mxfp4": {"dot": 2.0}}
    areas = {1: {"total": 100.0, "column": 90.0}, 2: {"total": 190.0, "column": 180.0}}
    assert plots.blocks(shares) == plots.blocks(shares)
    assert plots.scaling(areas, 32) == plots.scaling(areas, 32)
    assert plots.blocks(shares) != plots.blocks({**shares, "mxfp4": {"dot": 2.5}})
