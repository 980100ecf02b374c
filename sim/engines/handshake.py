"""The stream protocol in Python, one object a stream; ``shim.cc`` is the same in C++."""

from collections.abc import Iterable

import numpy as np

from .errors import HangError, ProtocolError
from .jobs import IDLE_LIMIT, Lane, StreamJob
from .words import from_ints, to_ints

_MASK = 2**64 - 1


class _Pauses:
    """Seeded decisions whether to pause, one a cycle (xorshift64, its upper 32 bits)."""

    def __init__(self, lane: Lane):
        self._state = lane.seed
        self._stall = lane.stall

    def draw(self) -> bool:
        state = self._state
        state ^= (state << 13) & _MASK
        state ^= state >> 7
        state ^= (state << 17) & _MASK
        self._state = state
        return state >> 32 < self._stall


class Progress:
    """How far a stream has come: transfers made, and the cycles of the first and last one.

    ``first`` and ``last`` are -1 before the first transfer.
    """

    def __init__(self, lane: Lane):
        self.name = lane.port.name
        self.count = lane.count
        self.moved = 0
        self.first = -1
        self.last = -1

    @property
    def done(self) -> bool:
        """Whether every payload has moved."""
        return self.moved == self.count

    def _transfer(self, cycle: int) -> None:
        self.moved += 1
        self.last = cycle
        if self.first < 0:
            self.first = cycle


class Source(Progress):
    """The producer of an input stream: valid never waits for ready."""

    def __init__(self, lane: Lane):
        super().__init__(lane)
        self._pauses = _Pauses(lane)
        self._beats = to_ints(lane.beats)
        self._idle = (1 << lane.port.width) - 1
        self._waiting = False

    def drive(self) -> tuple[bool, int]:
        """Return valid and payload for the cycle that begins."""
        pause = self._pauses.draw()
        if not self._waiting and not self.done and not pause:
            self._waiting = True
        return self._waiting, self._beats[self.moved] if self._waiting else self._idle

    def observe(self, cycle: int, ready: int) -> None:
        """Take note of ready at the end of the cycle."""
        if self._waiting and ready:
            self._waiting = False
            self._transfer(cycle)


class Sink(Progress):
    """The consumer of an output stream, which also checks that payloads hold still."""

    def __init__(self, lane: Lane):
        super().__init__(lane)
        self.payloads: list[int] = []
        self._pauses = _Pauses(lane)
        self._words = lane.port.words
        self._seen = lane.stall == 0
        self._held: int | None = None
        self._ready = False

    def drive(self) -> bool:
        """Return ready for the cycle that begins."""
        pause = self._pauses.draw()
        self._ready = not self.done and self._seen and not pause
        return self._ready

    def observe(self, cycle: int, valid: int, payload: int) -> None:
        """Take note of valid and payload at the end of the cycle."""
        if self._held is not None and not (valid and payload == self._held):
            raise ProtocolError(unstable(self.name, cycle, bool(valid)))
        self._held = payload if valid and not self._ready else None
        self._seen = self._seen or bool(valid)
        if valid and self._ready and not self.done:
            self.payloads.append(payload)
            self._transfer(cycle)

    def check_drained(self, valid: int) -> None:
        """Raise if a payload is there although all were received."""
        if valid:
            raise ProtocolError(surplus(self.name, self.count))

    def words(self) -> np.ndarray:
        """Payloads received, (n, words) uint32."""
        return from_ints(self.payloads, self._words)


class Watchdog:
    """Counts cycles, and ends a run when it is complete or hangs.

    Attributes
    ----------
    cycle : int
        Cycles that have ended.
    draining : bool
        Whether all transfers were made.
    """

    def __init__(self, job: StreamJob, streams: list[Progress]):
        self.cycle = 0
        self.draining = False
        self._job = job
        self._streams = streams
        self._left = job.drain

    @property
    def moved(self) -> int:
        """Transfers of all streams so far."""
        return sum(stream.moved for stream in self._streams)

    def end_cycle(self) -> bool:
        """Note the end of a cycle and return whether to run on."""
        if self.draining:
            self._left -= 1
            return self._left > 0
        self.cycle += 1
        if all(stream.done for stream in self._streams):
            self.draining = True
            return self._left > 0
        idle = self.cycle - 1 - max(stream.last for stream in self._streams)
        if idle >= IDLE_LIMIT or self.cycle == self._job.max_cycles:
            standings = [(stream.name, stream.moved, stream.count) for stream in self._streams]
            raise HangError(hang(self.cycle, idle, standings))
        return True


def unstable(name: str, cycle: int, valid: bool) -> str:
    """Say that an output did not hold still."""
    what = "changed" if valid else "withdrew"
    return f"Stream {name} {what} a payload that was not yet accepted, in cycle {cycle}"


def surplus(name: str, count: int) -> str:
    """Say that an output has more to send than expected."""
    return f"Stream {name} offers a payload after the last of {count} expected"


def hang(cycles: int, idle: int, standings: Iterable[tuple[str, int, int]]) -> str:
    """Say which streams kept a run from ending, given name, transfers made and wanted of each."""
    waiting = ", ".join(
        f"{name} at {moved} of {count}" for name, moved, count in standings if moved < count
    )
    return f"Gave up after {cycles} cycles, the last {idle} without a transfer: {waiting}"
