"""What a run tells its user, and how long it took."""

import time
from collections.abc import Callable


class Progress:
    """What a run tells its user; this one says nothing."""

    def begin(self, name: str, steps: int) -> None:
        """Begin a task of some steps."""

    def advance(self) -> None:
        """End a step."""


def timed(
    progress: Progress, title: str, steps: int, compute: Callable[[], dict]
) -> Callable[[], dict]:
    """Return the computation, told of and with its ``seconds`` added to the result."""

    def run() -> dict:
        progress.begin(title, steps)
        start = time.monotonic()
        return {**compute(), "seconds": round(time.monotonic() - start, 1)}

    return run
