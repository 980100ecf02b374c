"""The default engine: the exported Verilog, compiled by Verilator, runs whole batches in C++."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from amaranth.lib import wiring

from . import compiler, glue, netlist
from .base import Engine, StreamRun
from .errors import HangError, ProtocolError
from .handshake import hang, surplus, unstable
from .jobs import IDLE_LIMIT, Lane, PipelineJob, StreamJob
from .ports import Ports
from .words import from_ints

#: Cycles between two looks at the keyboard and the progress callback.
_BATCH = 2048
_RUNNING, _COMPLETE, _UNSTABLE, _SURPLUS, _HUNG = range(5)
_WORDS = ctypes.POINTER(ctypes.c_uint32)

#: Verilog of components seen before, so that one object used many times is exported once.
_exported: WeakKeyDictionary[wiring.Component, str] = WeakKeyDictionary()


class _Stream(ctypes.Structure):
    """``Stream`` of shim.cc."""

    _fields_ = [
        ("beats", _WORDS),
        ("idle", _WORDS),
        ("count", ctypes.c_uint64),
        ("moved", ctypes.c_uint64),
        ("stall", ctypes.c_uint64),
        ("rng", ctypes.c_uint64),
        ("first", ctypes.c_int64),
        ("last", ctypes.c_int64),
        ("words", ctypes.c_uint32),
        ("waiting", ctypes.c_uint32),
        ("seen", ctypes.c_uint32),
        ("pad", ctypes.c_uint32),
    ]


class _Run(ctypes.Structure):
    """``Run`` of shim.cc."""

    _fields_ = [
        ("cycle", ctypes.c_uint64),
        ("max_cycles", ctypes.c_uint64),
        ("idle_limit", ctypes.c_uint64),
        ("drain", ctypes.c_uint64),
        ("last", ctypes.c_int64),
        ("draining", ctypes.c_uint32),
        ("culprit", ctypes.c_uint32),
        ("withdrew", ctypes.c_uint32),
        ("pad", ctypes.c_uint32),
    ]


class FastEngine(Engine):
    """Runs components in a library compiled once and kept in the user's cache.

    The first use of a component takes seconds to a minute, see ``sim.engines.cache`` for where
    the result is kept; waveforms need a second library.
    """

    def prepare(self, component: wiring.Component, *, trace: bool = False) -> Path:
        """Compile ``component`` if it is not in the cache, and return the library's path."""
        if component not in _exported:
            _exported[component] = netlist.verilog(component, "top")
        verilog = _exported[component]
        code = glue.generate(Ports.of(component), verilog, "top")
        return compiler.library(verilog, code, "top", trace=trace)

    def _run_streams(self, component, job: StreamJob, vcd, progress) -> StreamRun:
        lanes = [*job.sources, *job.sinks]
        # One slot more than a sink receives holds a payload that waits after the last.
        beats = [lane.beats for lane in job.sources]
        beats += [np.zeros((lane.count + 1, lane.port.words), np.uint32) for lane in job.sinks]
        idles = [from_ints([(1 << lane.port.width) - 1], lane.port.words) for lane in lanes]
        streams = (_Stream * (len(lanes) + 1))(*map(_stream, lanes, beats, idles))
        run = _Run(0, job.max_cycles, IDLE_LIMIT, job.drain, -1)
        sinks = ctypes.byref(streams, len(job.sources) * ctypes.sizeof(_Stream))
        order = list(Ports.of(component).plain)
        with simulation(self.prepare(component, trace=bool(vcd)), vcd) as (library, sim):
            for port, words in job.constants:
                library.m2xfp_hold(sim, order.index(port.name), _pointer(words))
            status = _RUNNING
            while status == _RUNNING:
                status = library.m2xfp_streams(sim, streams, sinks, ctypes.byref(run), _BATCH)
                if progress:
                    progress(sum(stream.moved for stream in streams), job.transfers)
        names = [lane.port.name for lane in lanes]
        _check(status, run, streams, names, len(job.sources))
        return StreamRun(
            {
                lane.port.name: rows[:-1]
                for lane, rows in zip(lanes, beats, strict=True)
                if not lane.port.is_input
            },
            run.cycle,
            dict(zip(names, (stream.first for stream in streams), strict=False)),
            dict(zip(names, (stream.last for stream in streams), strict=False)),
        )

    def _run_pipeline(self, component, job: PipelineJob, vcd) -> dict[str, np.ndarray]:
        order = list(Ports.of(component).plain)
        results = {port.name: np.zeros((job.count, port.words), np.uint32) for port in job.outputs}
        ports = [*(port for port, _ in job.inputs), *job.outputs]
        arrays = [*(rows for _, rows in job.inputs), *results.values()]
        numbers = (ctypes.c_int * len(ports))(*(order.index(port.name) for port in ports))
        words = (ctypes.c_uint32 * len(ports))(*(port.words for port in ports))
        data = (_WORDS * len(ports))(*map(_pointer, arrays))
        sizes = [len(job.inputs), len(job.outputs)]
        with simulation(self.prepare(component, trace=bool(vcd)), vcd) as (library, sim):
            for port, value in job.constants:
                library.m2xfp_hold(sim, order.index(port.name), _pointer(value))
            library.m2xfp_pipeline(sim, numbers, words, data, *sizes, job.count, job.latency)
        return results


@contextmanager
def simulation(path: Path, vcd: str | os.PathLike | None) -> Iterator[tuple]:
    """Open the library and a fresh simulation in it."""
    library = ctypes.CDLL(str(path))
    library.m2xfp_open.restype = ctypes.c_void_p
    library.m2xfp_streams.argtypes = [ctypes.c_void_p, *[ctypes.c_void_p] * 3, ctypes.c_uint64]
    library.m2xfp_hold.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    library.m2xfp_close.argtypes = [ctypes.c_void_p]
    library.m2xfp_pipeline.argtypes = [
        *[ctypes.c_void_p] * 4,
        *[ctypes.c_int] * 2,
        *[ctypes.c_uint64] * 2,
    ]
    sim = library.m2xfp_open(os.fsencode(vcd or ""))
    try:
        yield library, sim
    finally:
        library.m2xfp_close(sim)


def _pointer(words: np.ndarray):
    return words.ctypes.data_as(_WORDS)


def _stream(lane: Lane, beats: np.ndarray, idle: np.ndarray) -> _Stream:
    return _Stream(
        _pointer(beats),
        _pointer(idle),
        lane.count,
        0,
        lane.stall,
        lane.seed,
        -1,
        -1,
        lane.port.words,
        0,
        lane.stall == 0,
    )


def _check(status: int, run: _Run, streams: list[_Stream], names: list[str], first: int) -> None:
    """Raise what ``status`` says; sinks come from position ``first`` on."""
    culprit = first + run.culprit
    if status == _UNSTABLE:
        raise ProtocolError(unstable(names[culprit], run.cycle, not run.withdrew))
    if status == _SURPLUS:
        raise ProtocolError(surplus(names[culprit], streams[culprit].count))
    if status == _HUNG:
        standings = [(n, s.moved, s.count) for n, s in zip(names, streams, strict=False)]
        raise HangError(hang(run.cycle, run.cycle - 1 - run.last, standings))
