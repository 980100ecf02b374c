"""Amaranth's own simulator: nothing to compile, for unit tests and small runs."""

from contextlib import nullcontext
from os import PathLike

import numpy as np
from amaranth.hdl import ClockDomain, Module, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

from .base import Engine, StreamRun
from .handshake import Sink, Source, Watchdog
from .jobs import PipelineJob, StreamJob
from .ports import PlainPort, lookup
from .words import from_ints, to_int, to_ints

#: Clock period in seconds; only the time axis of a VCD shows it.
_PERIOD = 10e-9


class AmaranthEngine(Engine):
    """Runs components in ``amaranth.sim`` with one async testbench a stream."""

    def _run_streams(self, component, job: StreamJob, vcd, progress) -> StreamRun:
        simulator = _simulator(component)
        sources = [Source(lane) for lane in job.sources]
        sinks = [Sink(lane) for lane in job.sinks]
        streams = [*sources, *sinks]
        watchdog = Watchdog(job, streams)

        async def watch(ctx):
            for port, words in job.constants:
                ctx.set(_bits(component, port), to_int(words))
            running = True
            while running:
                await ctx.tick()
                running = watchdog.end_cycle()
                if progress and watchdog.cycle % 256 == 0:
                    progress(watchdog.moved, job.transfers)

        for source in sources:
            _add_source(simulator, lookup(component, source.name), source, watchdog)
        for sink in sinks:
            _add_sink(simulator, lookup(component, sink.name), sink, watchdog)
        # Last, so that it sees what every stream did in the cycle.
        simulator.add_testbench(watch)
        _run(simulator, vcd)
        return StreamRun(
            {sink.name: sink.words() for sink in sinks},
            watchdog.cycle,
            {stream.name: stream.first for stream in streams},
            {stream.name: stream.last for stream in streams},
        )

    def _run_pipeline(self, component, job: PipelineJob, vcd) -> dict[str, np.ndarray]:
        simulator = _simulator(component)
        drives = [(_bits(component, port), to_ints(rows)) for port, rows in job.inputs]
        samples = [_bits(component, port) for port in job.outputs]
        results: list[tuple] = []

        async def bench(ctx):
            for port, words in job.constants:
                ctx.set(_bits(component, port), to_int(words))
            for cycle in range(job.count + job.latency):
                if cycle < job.count:
                    for bits, values in drives:
                        ctx.set(bits, values[cycle])
                _, _, *row = await ctx.tick().sample(*samples)
                results.append(row)

        simulator.add_testbench(bench)
        _run(simulator, vcd)
        columns = list(zip(*results[job.latency :], strict=True)) or [()] * len(job.outputs)
        return {
            port.name: from_ints(list(column), port.words)
            for port, column in zip(job.outputs, columns, strict=True)
        }


def _simulator(component: wiring.Component) -> Simulator:
    # The wrapper owns the clock, so that a component without registers can be run as well.
    wrapper = Module()
    wrapper.domains.sync = ClockDomain()
    wrapper.submodules.top = component
    simulator = Simulator(wrapper)
    simulator.add_clock(_PERIOD)
    return simulator


def _run(simulator: Simulator, vcd: str | PathLike | None) -> None:
    with simulator.write_vcd(str(vcd)) if vcd else nullcontext():
        simulator.run()


def _bits(component: wiring.Component, port: PlainPort) -> Value:
    return Value.cast(lookup(component, port.name)).as_unsigned()


def _add_source(simulator: Simulator, stream, source: Source, watchdog: Watchdog) -> None:
    payload = Value.cast(stream.payload).as_unsigned()

    async def bench(ctx):
        while True:
            valid, value = source.drive()
            ctx.set(payload, value)
            ctx.set(stream.valid, valid)
            _, _, ready = await ctx.tick().sample(stream.ready)
            source.observe(watchdog.cycle, ready)

    simulator.add_testbench(bench, background=True)


def _add_sink(simulator: Simulator, stream, sink: Sink, watchdog: Watchdog) -> None:
    payload = Value.cast(stream.payload).as_unsigned()

    async def bench(ctx):
        while True:
            ctx.set(stream.ready, sink.drive())
            _, _, valid, value = await ctx.tick().sample(stream.valid, payload)
            sink.observe(watchdog.cycle, valid, value)
            if watchdog.draining:
                sink.check_drained(valid)

    simulator.add_testbench(bench, background=True)
