"""The model's cycles are the gateware's, to the cycle."""

import numpy as np
import pytest

import golden
from hdl import formats
from hdl.core import GemmCore
from sim import core as sim_core
from sim import cycles, engines
from sim.model import schedule
from sim.model.machine import Machine
from sim.model.storage import Fallback
from sim.model.tiling import Product, Tiling

#: Format and columns of as many multipliers, rows: fewer and more than columns and row distance.
CORES = [("m2xfp", 2, 8), ("m2xfp", 7, 4), ("nvfp4", 4, 8), ("mxfp4", 1, 3)]


def run(format, columns, rows, commands):
    """Run commands (M, N, groups, accumulate) back to back on a core, every result compared.

    Returns their busy counts, and the cycles from the first command to the last status word.
    """
    core = GemmCore(
        formats.get(format), columns=columns, rows=rows, buffer_groups=64, accumulate=True
    )
    rng = np.random.default_rng(3)
    spec = golden.formats.get(format)
    frames = {"activations": [], "weights": [], "c": []}
    gemms, expected = [], []
    for m, n, groups, accumulate in commands:
        gemm = sim_core.Gemm.on(core, m, groups, n, accumulate=accumulate)
        a, w = (
            golden.quantize(
                rng.standard_normal((size, groups * spec.group)).astype(np.float32),
                role,
                format=format,
            )
            for size, role in ((m, "activations"), (n, "weights"))
        )
        c = rng.standard_normal((m, n)).astype(np.float32) if accumulate else None
        beats = {
            "activations": gemm.activation_beats(golden.group_words(a)),
            "weights": gemm.weight_beats(golden.group_words(w)),
        }
        for name, words in beats.items():
            frames[name].append(sim_core.framed(words, spec.word_bits))
        if accumulate:
            frames["c"].append(sim_core.framed(gemm.c_beats(c), 32 * columns))
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
        got = gemm.untile(beats[:, :columns])
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
    busy, total = run(
        format, columns, rows, [(*edge, index % 3 == 1) for index, edge in enumerate(edges)]
    )
    core = GemmCore(formats.get(format), columns=columns, rows=rows, buffer_groups=64)
    assert dict(zip(edges, busy, strict=True)) == {
        edge: cycles.command_cycles(core, *edge) for edge in edges
    }
    lanes = golden.formats.get(format).group
    machine = Machine(lanes=lanes, columns=columns, rows=rows)
    model = [schedule.product_cycles(machine, format, *edge, rows) for edge in edges]
    assert total == sum(model)


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
    _, total = run("m2xfp", 2, 8, [(m, 3, 2, False), (m, 3, 2, True), (m, 3, 1, True)])
    assert found == total


def test_rows_that_do_not_fit_are_commands_of_their_own():
    machine = Machine(lanes=32, columns=2, rows=8)
    product = Product(14, 3, 4, 144, 144)
    tiling = Tiling(schedule.ORDER, 6, 2, 4)
    assert schedule.commands(machine, product, tiling) == {(6, 3, 4): 2, (2, 3, 4): 1}
    found = schedule.layer_cycles(machine, "m2xfp", product, tiling, Fallback())
    assert found == run("m2xfp", 2, 8, [(6, 3, 4, False), (6, 3, 4, False), (2, 3, 4, False)])[1]


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
    assert found[0, 0] == run("m2xfp", 2, 4, [(4, 3, 2, False)])[1]
    assert found[1, 0] == run("m2xfp", 2, 4, [(4, 3, 4, False)])[1]
    assert found[0, 1] == run("m2xfp", 2, 8, [(8, 3, 2, False)])[1]
    assert found[1, 1] == run("m2xfp", 2, 8, [(8, 3, 4, False)])[1]


@pytest.mark.parametrize(
    ("weights", "activations", "passes"),
    [(0, 0, 1), (1, 1, 4), (1, 0, 2), (0, 1, 2), (0.25, 0.25, 1.75), (0.5, 0.25, 2.0)],
)
def test_passes_of_four_bits(weights, activations, passes):
    """With equal shares s it is 1 + 3 s; 0.5 and 0.25 are half once, a quarter twice and four."""
    fallback = Fallback(weights, activations)
    assert schedule.passes(fallback) == passes
    assert sum(schedule.shares(fallback).values()) == 1
