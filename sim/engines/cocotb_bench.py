"""The cocotb side of the ``verilator`` engine: carries out the job the environment names.

Inputs change at the falling clock edge, at 0 ns of a 10 ns cycle. Everything is sampled just
before the rising edge: with Verilator, a coroutine that wakes up at the edge sees registers
that have already changed.
"""

import json
import os

import cocotb
import numpy as np
from cocotb.triggers import Timer

from .errors import SimulationError
from .handshake import Sink, Source, Watchdog
from .jobs import Lane, StreamJob
from .ports import StreamPort
from .words import from_ints, to_int, to_ints

_SAMPLE, _EDGE, _PERIOD = 4, 5, 10


@cocotb.test()
async def run_job(dut) -> None:
    """Run the job and write its results, or the rule the component broke."""
    with np.load(os.environ["M2XFP_JOB"]) as file:
        arrays = dict(file)
    spec = json.loads(str(arrays.pop("__spec__")))
    for name in spec["constants"]:
        getattr(dut, name).value = to_int(arrays[name][0])
    if spec["clock"]:
        dut.rst.value = 0
    run = {"streams": _run_streams, "pipeline": _run_pipeline}[spec["kind"]]
    results, outcome = {}, {"error": None}
    try:
        results = await run(dut, spec, arrays, outcome)
    except SimulationError as error:
        outcome["error"] = (type(error).__name__, str(error))
    np.savez(os.environ["M2XFP_RESULTS"], __spec__=json.dumps(outcome), **results)


async def _run_streams(dut, spec: dict, arrays: dict, outcome: dict) -> dict[str, np.ndarray]:
    lanes = [
        [_lane(lane, arrays[lane["name"]], is_input) for lane in spec[side]]
        for side, is_input in (("sources", True), ("sinks", False))
    ]
    job = StreamJob(*lanes, [], spec["max_cycles"], spec["drain"])
    sources, sinks = [Source(lane) for lane in job.sources], [Sink(lane) for lane in job.sinks]
    streams = [*sources, *sinks]
    watchdog = Watchdog(job, streams)
    faults: list[SimulationError] = []
    for source in sources:
        cocotb.start_soon(_produce(dut, source, watchdog))
    for sink in sinks:
        cocotb.start_soon(_consume(dut, sink, watchdog, faults))
    running = True
    while running:
        _set_clock(dut, spec, 0)
        await Timer(_EDGE, "ns")
        if faults:
            raise faults[0]
        running = watchdog.end_cycle()
        _set_clock(dut, spec, 1)
        await Timer(_PERIOD - _EDGE, "ns")
    outcome["cycles"] = watchdog.cycle
    outcome["first"] = {stream.name: stream.first for stream in streams}
    outcome["last"] = {stream.name: stream.last for stream in streams}
    return {sink.name: sink.words() for sink in sinks}


def _lane(spec: dict, beats: np.ndarray, is_input: bool) -> Lane:
    port = StreamPort(spec["name"], is_input, spec["width"])
    return Lane(port, beats, spec["stall"], spec["seed"])


def _set_clock(dut, spec: dict, level: int) -> None:
    if spec["clock"]:
        dut.clk.value = level


async def _produce(dut, source: Source, watchdog: Watchdog) -> None:
    payload, valid, ready = _handles(dut, source.name)
    while True:
        valid.value, payload.value = source.drive()
        await Timer(_SAMPLE, "ns")
        source.observe(watchdog.cycle, int(ready.value))
        await Timer(_PERIOD - _SAMPLE, "ns")


async def _consume(dut, sink: Sink, watchdog: Watchdog, faults: list[SimulationError]) -> None:
    payload, valid, ready = _handles(dut, sink.name)
    while True:
        ready.value = sink.drive()
        await Timer(_SAMPLE, "ns")
        offered = int(valid.value)
        value = int(payload.value.to_unsigned()) if offered else 0
        try:
            sink.observe(watchdog.cycle, offered, value)
            if watchdog.draining:
                sink.check_drained(offered)
        except SimulationError as error:
            # Raised here it would end the test before the results are written.
            faults.append(error)
        await Timer(_PERIOD - _SAMPLE, "ns")


def _handles(dut, name: str) -> list:
    return [getattr(dut, f"{name}__{member}") for member in ("payload", "valid", "ready")]


async def _run_pipeline(dut, spec: dict, arrays: dict, outcome: dict) -> dict[str, np.ndarray]:
    drives = [(getattr(dut, name), to_ints(arrays[name])) for name in spec["inputs"]]
    samples = {name: ([], words) for name, words in spec["outputs"]}
    for cycle in range(spec["count"] + spec["latency"]):
        _set_clock(dut, spec, 0)
        if cycle < spec["count"]:
            for handle, values in drives:
                handle.value = values[cycle]
        await Timer(_EDGE - 1, "ns")
        if cycle >= spec["latency"]:
            for name, (values, _) in samples.items():
                values.append(int(getattr(dut, name).value.to_unsigned()))
        await Timer(1, "ns")
        _set_clock(dut, spec, 1)
        await Timer(_PERIOD - _EDGE, "ns")
    return {name: from_ints(values, words) for name, (values, words) in samples.items()}
