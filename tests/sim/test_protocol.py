import re

import numpy as np
import pytest

from sim import engines
from sim.engines.words import from_ints, to_ints
from tests.sim.components import Example, Fault

PAIRS = from_ints(list(range(20)), 3)
QUICK = ("amaranth", "fast")


@pytest.fixture(scope="module")
def example():
    return Example()


def run(name, example, fault, **options):
    return engines.get(name).run_streams(
        example,
        {"pairs": PAIRS},
        {"sums": 20},
        constants={"fault": fault.value},
        stall=0.3,
        seed=1,
        drain=10,
        **options,
    )


@pytest.mark.parametrize("name", QUICK)
def test_no_fault_no_complaint(example, name):
    assert to_ints(run(name, example, Fault.NONE).outputs["sums"]) == list(range(20))


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (
            Fault.CHANGES,
            engines.ProtocolError,
            r"^Stream sums changed a payload that was not yet accepted, in cycle \d+$",
        ),
        (
            Fault.WITHDRAWS,
            engines.ProtocolError,
            r"^Stream sums withdrew a payload that was not yet accepted, in cycle \d+$",
        ),
        (
            Fault.WAITS,
            engines.HangError,
            r"^Gave up after \d+ cycles, the last 5000 without a transfer: "
            r"pairs at 1 of 20, sums at 0 of 20$",
        ),
        (
            Fault.REPEATS,
            engines.ProtocolError,
            r"^Stream sums offers a payload after the last of 20 expected$",
        ),
        (
            Fault.DROPS,
            engines.HangError,
            r"^Gave up after \d+ cycles, the last 5000 without a transfer: sums at 19 of 20$",
        ),
    ],
)
def test_faults_are_caught(example, name, fault, kind, message):
    with pytest.raises(kind, match=message):
        run(name, example, fault)


def test_engines_complain_in_the_same_cycle(example):
    said = set()
    for name in QUICK:
        with pytest.raises(engines.ProtocolError) as caught:
            run(name, example, Fault.CHANGES)
        said.add(str(caught.value))
    assert len(said) == 1


def test_cocotb_reports_faults_too(example, tmp_path):
    with pytest.raises(engines.ProtocolError, match=r"^Stream sums withdrew a payload that"):
        run("verilator", example, Fault.WITHDRAWS, vcd=tmp_path / "waves.vcd")
    assert (tmp_path / "waves.vcd").stat().st_size


@pytest.mark.parametrize("name", QUICK)
def test_waveforms_of_a_failed_run(example, name, tmp_path):
    with pytest.raises(engines.ProtocolError):
        run(name, example, Fault.CHANGES, vcd=tmp_path / "waves.vcd")
    assert re.search(r"^\$enddefinitions", (tmp_path / "waves.vcd").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", QUICK)
def test_longest_run(example, name):
    message = (
        r"^Gave up after 7 cycles, the last \d+ without a transfer: "
        r"pairs at \d+ of 20, sums at \d+ of 20$"
    )
    with pytest.raises(engines.HangError, match=message):
        run(name, example, Fault.NONE, max_cycles=7)


@pytest.mark.parametrize("name", QUICK)
def test_a_surplus_is_seen_only_in_the_drain(example, name):
    """A test that takes fewer payloads than there are may do so."""
    inputs = {"pairs": np.zeros((2, 3), np.uint32)}
    engine = engines.get(name)
    assert len(engine.run_streams(example, inputs, {"sums": 1}).outputs["sums"]) == 1
    with pytest.raises(engines.ProtocolError, match=r"^Stream sums offers a payload after the"):
        engine.run_streams(example, inputs, {"sums": 1}, drain=1)
