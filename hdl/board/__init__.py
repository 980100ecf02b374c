"""A GEMM core behind two UART pins, for boards: see `docs/board.md`."""

from .frames import Kind, Reply
from .top import BoardTop
from .uart import UartReceiver, UartTransmitter

__all__ = ["BoardTop", "Kind", "Reply", "UartReceiver", "UartTransmitter"]
