"""The model's cycles are the gateware's, to the cycle."""

import functools

import numpy as np
import pytest

import golden
from hdl import formats
from hdl.core import GemmCore, Output
from sim import core as sim_core
from sim import cycles, engines
from sim.model import schedule
from sim.model.machine import Machine
from sim.model.storage import Fallback
from sim.model.tiling import Product, Tiling

#: Format and columns of as many multipliers, rows: fewer and more than columns and row distance.
CORES = [("m2xfp", 2, 8), ("m2xfp", 7, 4), ("nvfp4", 4, 8), ("mxfp4", 1, 3)]

#: Options of a command that starts from the sums of the one before.
MORE = {"accumulate": True}


@functools.cache
def core_of(format, columns, rows):
    """Return a core, the same one for the same size: it is exported once."""
    return GemmCore(
        formats.get(format), columns=columns, rows=rows, buffer_groups=64, accumulate=True
    )


def run(core, commands):
    """Run commands (M, N, groups, options) back to back on a core, every FP32 result compared.

    Returns their busy counts, and the cycles from the first command to the last status word.
    """
    rng = np.random.default_rng(3)
    spec = golden.formats.get(core.format.name)
    frames = {"activations": [], "weights": [], "c": []}
    gemms, expected = [], []
    for m, n, groups, options in commands:
        gemm = sim_core.Gemm.on(core, m, groups, n, **options)
        a, w = (
            golden.quantize(
                rng.standard_normal((size, groups * spec.group)).astype(np.float32),
                role,
                format=spec.name,
            )
            for size, role in ((m, "activations"), (n, "weights"))
        )
        c = rng.standard_normal((m, n)).astype(np.float32) if gemm.accumulate else None
        beats = {
            "activations": gemm.activation_beats(golden.group_words(a)),
            "weights": gemm.weight_beats(golden.group_words(w)),
        }
        for name, words in beats.items():
            frames[name].append(sim_core.framed(words, spec.word_bits))
        if gemm.accumulate:
            frames["c"].append(sim_core.framed(gemm.c_beats(c), 32 * core.columns))
        gemms.append(gemm)
        expected.append(golden.accumulate(a, w, c))
    done = engines.get("fast").run_streams(
        core,
        {"commands": sim_core.command_beats(gemms)}
        | {name: np.concatenate(parts) for name, parts in frames.items() if parts},
        {
            "results": sum(gemm.result_beats for gemm in gemms),
            "status": sim_core.STATUS_WORDS * len(gemms),
        },
        drain=64,
    )
    ends = np.cumsum([gemm.result_beats for gemm in gemms])[:-1]
    for gemm, beats, want in zip(
        gemms, np.split(done.outputs["results"], ends), expected, strict=True
    ):
        if gemm.output == Output.FP32:
            got = gemm.untile(beats[:, : core.columns])
            np.testing.assert_array_equal(got.view(np.uint32), want.view(np.uint32))
    records = sim_core.statuses(done.outputs["status"])
    assert not any(record.refusal.value or record.flags.as_bits() for record in records)
    return [record.busy for record in records], done.cycles


@pytest.mark.parametrize(("format", "columns", "rows"), CORES)
def test_commands_around_every_edge(format, columns, rows):
    """Rows against blocks and row distance, channels against columns, groups; with and without C.

    `busy` of every command is the formula's, and the commands follow each other as it says.
    """
    edges = [
        (m, n, groups)
        for m in sorted({1, 5, 6, 7, rows - 1, rows, rows + 1, 2 * rows + 1})
        for n in sorted({1, max(columns - 1, 1), columns, columns + 1, 2 * columns + 1})
        for groups in (1, 2, 5)
    ]
    core = core_of(format, columns, rows)
    jobs = [(*edge, {"accumulate": index % 3 == 1}) for index, edge in enumerate(edges)]
    busy, total = run(core, jobs)
    assert dict(zip(edges, busy, strict=True)) == {
        edge: cycles.command_cycles(core, *edge) for edge in edges
    }
    lanes = golden.formats.get(format).group
    machine = Machine(lanes=lanes, columns=columns, rows=rows)
    model = [schedule.product_cycles(machine, format, *edge, rows) for edge in edges]
    assert total == sum(model)


def test_the_array_of_the_paper_with_both_results():
    """32 columns; results as FP32 and as groups. The core is that of `tests/core`'s layers."""
    core = GemmCore(
        formats.get("m2xfp"), columns=32, rows=8, buffer_groups=144, accumulate=True, quantize=True
    )
    edges = [
        (m, n, groups, output)
        for m in (1, 7, 8, 9, 17)
        for n in (1, 32, 33, 96)
        for groups in (1, 2, 18)
        for output in Output
    ]
    busy, total = run(core, [(*edge, {"output": output}) for *edge, output in edges])
    model = [
        cycles.command_cycles(core, *edge, quantized=output == Output.GROUPS)
        for *edge, output in edges
    ]
    assert busy == model
    assert total == sum(model) + cycles.STATUS_CYCLES * len(model)


def test_quantized_results_of_a_layer():
    """Only commands that end along K quantize: of 3 blocks of groups x 2 of rows, 2 commands."""
    machine = Machine(lanes=32, columns=32, rows=8)
    product, tiling = Product(14, 32, 5, 144, 144), Tiling(schedule.ORDER, 7, 32, 2)
    assert len(schedule.commands(machine, product, tiling)) == 2
    plain, quantized = (
        schedule.layer_cycles(machine, "m2xfp", product, tiling, Fallback(), kind)
        for kind in (False, True)
    )
    assert quantized == plain + 2 * cycles.QUANTIZE_LATENCY


@pytest.mark.parametrize(("m", "blocks"), [(1, 1), (8, 1), (11, 2), (24, 3)])
def test_a_layer_is_its_commands(m, blocks):
    """K of five groups, two at a time: every block of groups is a command, sums go on in FP32."""
    machine = Machine(lanes=32, columns=2, rows=8)
    product = Product(m, 3, 5, 144, 144)
    tiling = Tiling(schedule.ORDER, 8, 2, 2)
    assert schedule.commands(machine, product, tiling) == {(m, 3, 2): 2, (m, 3, 1): 1}
    moved = schedule.core_traffic(product, tiling)
    assert (moved.activations, moved.weights, moved.partials) == (1, blocks, 2)
    found = schedule.layer_cycles(machine, "m2xfp", product, tiling, Fallback())
    _, total = run(core_of("m2xfp", 2, 8), [(m, 3, 2, {}), (m, 3, 2, MORE), (m, 3, 1, MORE)])
    assert found == total


def test_rows_that_do_not_fit_are_commands_of_their_own():
    machine = Machine(lanes=32, columns=2, rows=8)
    product = Product(14, 3, 4, 144, 144)
    tiling = Tiling(schedule.ORDER, 6, 2, 4)
    assert schedule.commands(machine, product, tiling) == {(6, 3, 4): 2, (2, 3, 4): 1}
    found = schedule.layer_cycles(machine, "m2xfp", product, tiling, Fallback())
    assert found == run(core_of("m2xfp", 2, 8), [(6, 3, 4, {}), (6, 3, 4, {}), (2, 3, 4, {})])[1]


def test_more_than_a_command_can_say():
    """No command has more than 16 bits of anything, and together they are the product."""
    machine = Machine(lanes=32, columns=32, rows=128)
    product = Product(70_000, 128_256, 2, 144, 144)
    tiling = Tiling(schedule.ORDER, 128, 32, 2)
    found = schedule.commands(machine, product, tiling)
    assert max(max(command) for command in found) <= 65535
    assert sum(m * n * k * times for (m, n, k), times in found.items()) == 70_000 * 128_256 * 2
    # Only the last part of each may have a short block of rows or channels.
    assert {m for m, _, _ in found} == {65408, 4592}
    assert {n for _, n, _ in found} == {65504, 62752}


def test_eight_bits_are_two_sets_and_two_passes():
    """An 8-bit layer takes what a layer of twice the rows a block and twice the groups takes."""
    machine = Machine(lanes=32, columns=2, rows=4)
    product, tiling = Product(4, 3, 2, 144, 144), Tiling(schedule.ORDER, 4, 2, 2)
    found = {
        (w, a): schedule.layer_cycles(machine, "m2xfp", product, tiling, Fallback(w, a))
        for w in (0, 1)
        for a in (0, 1)
    }
    assert found[0, 0] == run(core_of("m2xfp", 2, 4), [(4, 3, 2, {})])[1]
    assert found[1, 0] == run(core_of("m2xfp", 2, 4), [(4, 3, 4, {})])[1]
    assert found[0, 1] == run(core_of("m2xfp", 2, 8), [(8, 3, 2, {})])[1]
    assert found[1, 1] == run(core_of("m2xfp", 2, 8), [(8, 3, 4, {})])[1]


@pytest.mark.parametrize(
    ("weights", "activations", "passes"),
    [(0, 0, 1), (1, 1, 4), (1, 0, 2), (0, 1, 2), (0.25, 0.25, 1.75), (0.5, 0.25, 2.0)],
)
def test_passes_of_four_bits(weights, activations, passes):
    """With equal shares s it is 1 + 3 s; 0.5 and 0.25 are half once, a quarter twice and four."""
    fallback = Fallback(weights, activations)
    assert schedule.passes(fallback) == passes
    assert sum(schedule.shares(fallback).values()) == 1
