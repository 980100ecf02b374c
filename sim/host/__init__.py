"""The host of a board: products over a UART, real or simulated."""

from .session import HostError, Session
from .simulated import SimulatedBoard
from .transport import SerialPort, Transport

__all__ = ["HostError", "SerialPort", "Session", "SimulatedBoard", "Transport"]
