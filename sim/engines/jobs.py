"""Validated work orders that every engine carries out in the same way."""

import hashlib
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .ports import PlainPort, Ports, StreamPort
from .words import from_ints

#: Cycles without any transfer after which a run counts as hung.
IDLE_LIMIT = 5000


@dataclass(frozen=True)
class Lane:
    """One stream of a run.

    Attributes
    ----------
    port : StreamPort
        The stream.
    beats : array of uint32, shape (count, words)
        Payloads to send, or for an output zeros: the engines never write to a job.
    stall : int
        Probability of a pause, in units of 2**-32.
    seed : int
        Non-zero 64-bit start of the xorshift generator that decides the pauses.
    """

    port: StreamPort
    beats: np.ndarray
    stall: int
    seed: int

    @property
    def count(self) -> int:
        """Payloads to move."""
        return len(self.beats)


@dataclass(frozen=True)
class StreamJob:
    """Arguments of ``Engine.run_streams``, checked; see there.

    ``sources`` and ``sinks`` hold every stream of the component, also those that do nothing, and
    ``constants`` every plain input.
    """

    sources: list[Lane]
    sinks: list[Lane]
    constants: list[tuple[PlainPort, np.ndarray]]
    max_cycles: int
    drain: int

    @property
    def transfers(self) -> int:
        """Transfers of all streams together."""
        return sum(lane.count for lane in (*self.sources, *self.sinks))

    @classmethod
    def create(
        cls,
        ports: Ports,
        inputs: Mapping[str, np.ndarray],
        outputs: Mapping[str, int],
        stall: float | Mapping[str, float],
        seed: int,
        max_cycles: int | None,
        constants: Mapping[str, int],
        drain: int,
    ) -> "StreamJob":
        """Check everything against ``ports``; see ``Engine.run_streams`` for what it raises."""
        into = {name: port for name, port in ports.streams.items() if port.is_input}
        out = {name: port for name, port in ports.streams.items() if not port.is_input}
        _known("input stream", inputs, into)
        _known("output stream", outputs, out)
        stalls = _stalls(stall, ports)
        seed = operator.index(seed)

        def lane(port: StreamPort, beats: np.ndarray) -> Lane:
            return Lane(port, beats, stalls[port.name], _stream_seed(seed, port.name))

        sources = [lane(p, _rows(name, p, inputs.get(name, ()))) for name, p in into.items()]
        sinks = []
        for name, port in out.items():
            count = _natural(f"Payload count of {name}", outputs.get(name, 0))
            sinks.append(lane(port, np.zeros((count, port.words), np.uint32)))
        limit = 0 if max_cycles is None else _natural("Maximum of cycles", max_cycles, 1)
        drain = _natural("Drain", drain)
        return cls(sources, sinks, _constants(ports, constants), limit, drain)


@dataclass(frozen=True)
class PipelineJob:
    """Arguments of ``Engine.run_pipeline``, checked; see there."""

    inputs: list[tuple[PlainPort, np.ndarray]]
    outputs: list[PlainPort]
    constants: list[tuple[PlainPort, np.ndarray]]
    latency: int
    count: int

    @classmethod
    def create(
        cls,
        ports: Ports,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str],
        latency: int,
        constants: Mapping[str, int],
    ) -> "PipelineJob":
        """Check everything against ``ports``; see ``Engine.run_pipeline`` for what it raises."""
        _known("input port", inputs, {n for n, p in ports.plain.items() if p.is_input})
        _known("output port", outputs, {n for n, p in ports.plain.items() if not p.is_input})
        if not inputs or not outputs:
            raise ValueError("A pipeline run must have an input port and an output port")
        rows = {name: _rows(name, ports.plain[name], values) for name, values in inputs.items()}
        counts = {name: len(values) for name, values in rows.items()}
        if len(set(counts.values())) > 1:
            raise ValueError(f"Input ports must have equally many values, not {counts}")
        held = [pair for pair in _constants(ports, constants) if pair[0].name not in rows]
        return cls(
            [(ports.plain[name], values) for name, values in rows.items()],
            [ports.plain[name] for name in outputs],
            held,
            _natural("Latency", latency),
            next(iter(counts.values())),
        )


def _known(kind: str, names: Mapping | Sequence, known: Mapping | set) -> None:
    for name in names:
        if name not in known:
            have = ", ".join(sorted(known)) or "none"
            raise ValueError(f"Component has no {kind} {name!r}; it has {have}")


def _natural(what: str, value: int, least: int = 0) -> int:
    value = operator.index(value)
    if value < least:
        raise ValueError(f"{what} must be at least {least}, not {value}")
    return value


def _rows(name: str, port: StreamPort | PlainPort, values: np.ndarray) -> np.ndarray:
    """Return ``values`` as a contiguous (n, words) uint32 array that fits the port."""
    values = np.asarray(values)
    if not values.size:
        return np.zeros((0, port.words), np.uint32)
    if values.dtype.kind != "u" or values.dtype.itemsize > 4:
        raise TypeError(f"Payloads of {name} must be uint32, not {values.dtype}")
    rows = values[:, None] if values.ndim == 1 and port.words == 1 else values
    if rows.ndim != 2 or rows.shape[1] != port.words:
        raise ValueError(f"Payloads of {name} must have shape (n, {port.words}), not {rows.shape}")
    spare = port.width % 32
    if spare and (rows[:, -1] >> spare).any():
        raise ValueError(f"Payloads of {name} must fit in {port.width} bits")
    return np.ascontiguousarray(rows, np.uint32)


def _stalls(stall: float | Mapping[str, float], ports: Ports) -> dict[str, int]:
    if isinstance(stall, Mapping):
        _known("stream", stall, ports.streams)
        by_name = {name: stall.get(name, 0.0) for name in ports.streams}
    else:
        by_name = dict.fromkeys(ports.streams, stall)
    for name, value in by_name.items():
        if not 0 <= value < 1:
            raise ValueError(f"Stall of {name} must be at least 0 and less than 1, not {value}")
    return {name: int(value * 2**32) for name, value in by_name.items()}


def _stream_seed(seed: int, name: str) -> int:
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") | 1


def _constants(ports: Ports, values: Mapping[str, int]) -> list[tuple[PlainPort, np.ndarray]]:
    held = {name: port for name, port in ports.plain.items() if port.is_input}
    _known("input port", values, held)
    pairs = []
    for name, port in held.items():
        value = _natural(f"Value of {name}", values.get(name, 0))
        if value >> port.width:
            raise ValueError(f"Value of {name} must fit in {port.width} bits, not {value}")
        pairs.append((port, from_ints([value], port.words)))
    return pairs
