"""How bytes reach a board."""

import time
from typing import Protocol

from golden import InputError


class Transport(Protocol):
    """Bytes to and from a board."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def read(self) -> bytes:
        """Return what has come, waiting for it; nothing if nothing comes for long."""

    def send_break(self) -> None:
        """Hold the line low for 31 bits or more, and forget what has come."""


class SerialPort:
    """A serial port of the operating system, by pyserial (``m2xfp[boards]``).

    Parameters
    ----------
    port : str
        As pyserial names it: a device or a URL.
    baud : int
    timeout : float
        Seconds without a byte after which nothing more is expected.

    Raises
    ------
    golden.InputError
        If it cannot be opened.
    """

    def __init__(self, port: str, baud: int, timeout: float = 1.0):
        import serial

        try:
            self._serial = serial.serial_for_url(port, baud, timeout=timeout)
        except (serial.SerialException, ValueError) as error:
            raise InputError(f"Cannot open port {port}: {error}") from None

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._serial.write(data)

    def read(self) -> bytes:
        """Return what has come, waiting for at least one byte until the timeout."""
        first = self._serial.read(1)
        return first + self._serial.read(self._serial.in_waiting) if first else first

    def send_break(self) -> None:
        """Hold the line low for 31 bits or more, and forget what has come."""
        self._serial.send_break(max(0.05, 40 / self._serial.baudrate))
        time.sleep(0.05)
        self._serial.reset_input_buffer()

    def close(self) -> None:
        """Close the port."""
        self._serial.close()
