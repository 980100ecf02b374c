"""A component run step by step, every pin given and seen in every cycle."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from amaranth.lib import wiring

from .fast import FastEngine, simulation
from .ports import Ports


class Pins:
    """A running simulation; `opened` makes one."""

    def __init__(self, component: wiring.Component, library, sim):
        self._library, self._sim = library, sim
        plain = list(Ports.of(component).plain.values())
        self._order = [*(p for p in plain if p.is_input), *(p for p in plain if not p.is_input)]
        self._inputs = sum(port.is_input for port in plain)
        self._numbers = (ctypes.c_int * len(plain))(*(plain.index(port) for port in self._order))
        self._words = (ctypes.c_uint32 * len(plain))(*(port.words for port in self._order))

    def advance(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run as many cycles as the inputs are long, from where the last call ended.

        Parameters
        ----------
        inputs : dict of str to uint32 array of shape (cycles, words)
            Every input by name.

        Returns
        -------
        dict
            Every output, as it was before the rising edge of each cycle.
        """
        count = len(next(iter(inputs.values())))
        arrays = [
            np.ascontiguousarray(inputs[p.name], np.uint32) for p in self._order if p.is_input
        ]
        outputs = {
            p.name: np.zeros((count, p.words), np.uint32) for p in self._order if not p.is_input
        }
        pointers = [
            rows.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32))
            for rows in (*arrays, *outputs.values())
        ]
        data = (ctypes.POINTER(ctypes.c_uint32) * len(pointers))(*pointers)
        sizes = [self._inputs, len(outputs), count, 0]
        self._library.m2xfp_pipeline(self._sim, self._numbers, self._words, data, *sizes)
        return outputs


@contextmanager
def opened(component: wiring.Component) -> Iterator[Pins]:
    """Compile a component without streams, as the engine ``fast`` does, and start it."""
    with simulation(FastEngine().prepare(component), None) as (library, sim):
        yield Pins(component, library, sim)
