"""What the engines share: the calls users make, their validation, and what a run returns."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
from amaranth.lib import wiring

from .jobs import PipelineJob, StreamJob
from .ports import Ports


@dataclass(frozen=True)
class StreamRun:
    """What :meth:`Engine.run_streams` returns.

    Attributes
    ----------
    outputs : dict
        Output stream -> its payloads, uint32 of shape (count, words).
    cycles : int
        Clock cycles up to and including the last transfer.
    first, last : dict
        Stream -> cycle (from 0) of its first and last transfer; -1 if it made none.
    """

    outputs: dict[str, np.ndarray]
    cycles: int
    first: dict[str, int]
    last: dict[str, int]


class Engine(ABC):
    """A simulator that runs any component made of stream ports or of plain ports.

    Payloads and values travel as uint32 arrays of shape (n, words), lowest word first, where
    words is the width divided by 32, rounded up; (n,) will do where one word is enough.
    All engines give the same payloads in the same cycles for the same ``stall`` and ``seed``.
    """

    def run_streams(
        self,
        component: wiring.Component,
        inputs: Mapping[str, np.ndarray],
        outputs: Mapping[str, int],
        *,
        stall: float | Mapping[str, float] = 0.0,
        seed: int = 0,
        vcd: str | PathLike | None = None,
        max_cycles: int | None = None,
        constants: Mapping[str, int] | None = None,
        drain: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> StreamRun:
        """Send ``inputs``, collect ``outputs``, and check the streams' rules meanwhile.

        The clock starts without a reset, from the initial values. While an input stream is not
        valid its payload is all ones. With ``stall``, an output that stalls is not ready before
        it has first been valid, so a component that waits for ready does not start.

        Parameters
        ----------
        component : wiring.Component
            The component; it is elaborated anew for every call, or taken from a cache.
        inputs : dict
            Input stream -> payloads to send, all of them. Streams left out stay idle.
        outputs : dict
            Output stream -> number of payloads to wait for. Streams left out are never ready.
        stall : float or dict
            Probability in [0, 1) that a stream pauses in a cycle, for all streams or by name.
        seed : int
            Seed of the pauses; every stream derives its own sequence from it and its name.
        vcd : path, optional
            Where to write the waveforms, also of a run that fails.
        max_cycles : int, optional
            Longest run. Without it a run ends when nothing moves for ``IDLE_LIMIT`` cycles.
        constants : dict, optional
            Plain input port -> value to hold; others hold zero.
        drain : int
            Cycles to run on after the last transfer, in which no output may become valid.
        progress : callable, optional
            Called now and then with the transfers made and the total.

        Returns
        -------
        StreamRun
            The payloads received and when they moved.

        Raises
        ------
        TypeError, ValueError
            If an argument does not fit the component; the message names the port.
        ProtocolError
            If an output drops or changes a payload that waits, or sends one too many.
        HangError
            If the transfers do not come to an end.
        """
        job = StreamJob.create(
            Ports.of(component), inputs, outputs, stall, seed, max_cycles, constants or {}, drain
        )
        return self._run_streams(component, job, vcd, progress)

    def run_pipeline(
        self,
        component: wiring.Component,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str],
        latency: int,
        *,
        constants: Mapping[str, int] | None = None,
        vcd: str | PathLike | None = None,
    ) -> dict[str, np.ndarray]:
        """Apply one vector a cycle to plain ports and return what comes out.

        Parameters
        ----------
        component : wiring.Component
            A component with plain ports and the same latency from each input to each output.
        inputs : dict
            Input port -> values, (n, words) uint32 with the same n for all.
        outputs : list
            Output ports to sample.
        latency : int
            Registers between inputs and outputs: row i of a result is sampled ``latency`` clock
            edges after row i of the inputs was applied; 0 for combinational components.
        constants : dict, optional
            Input port -> value to hold; other inputs hold zero.
        vcd : path, optional
            Where to write the waveforms.

        Returns
        -------
        dict
            Output port -> (n, words) uint32.

        Raises
        ------
        TypeError, ValueError
            If an argument does not fit the component; the message names the port.
        """
        ports = Ports.of(component)
        job = PipelineJob.create(ports, inputs, outputs, latency, constants or {})
        return self._run_pipeline(component, job, vcd)

    @abstractmethod
    def _run_streams(self, component, job: StreamJob, vcd, progress) -> StreamRun: ...

    @abstractmethod
    def _run_pipeline(self, component, job: PipelineJob, vcd) -> dict[str, np.ndarray]: ...
