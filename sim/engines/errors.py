class SimulationError(RuntimeError):
    """A simulated component broke a rule of its streams, or hung; never a user's mistake."""


class ProtocolError(SimulationError):
    """A component broke the rules of an output stream.

    It changed or withdrew a payload that was valid and not yet accepted, or it offered a payload
    after the last one the caller expected.
    """


class HangError(SimulationError):
    """No transfer took place for too long, or the run outlived ``max_cycles``.

    The message says which streams still waited and how far each had come.
    """


class BuildError(SimulationError):
    """Verilator or the C++ compiler refused a component; the message ends with its last lines."""
