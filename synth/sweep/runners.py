"""Where points run: processes of this machine, or the workers of a Dask cluster."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager

from golden import InputError

from .configuration import Point

__all__ = ["cluster", "completed", "local"]

#: Seconds to wait for the scheduler of a cluster.
_TIMEOUT = 10

#: Without the present folder on the path, which may have a `synth` of its own.
_WORKER = [sys.executable, "-P", "-m", "synth.sweep.jobs"]


class _Children:
    """The processes that run points, so that none outlives the sweep."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen] = set()
        self._closed = False

    def run(self, jobs: tuple[str, ...], values: dict) -> dict:
        """Do the work of a point in a process of its own, whose death is a failed point."""
        with self._lock:
            if self._closed:
                return {"status": "failed", "message": "the sweep has ended"}
            # Its own session, so that the compilers it starts can be ended with it.
            child = subprocess.Popen(
                _WORKER,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._running.add(child)
        try:
            out, err = child.communicate(json.dumps({"jobs": jobs, "parameters": values}))
        finally:
            with self._lock:
                self._running.discard(child)
        if child.returncode == 0:
            return json.loads(out)
        said = err.strip().rpartition("\n")[2]
        return {"status": "failed", "message": f"exit status {child.returncode}: {said}"}

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            self._closed = True
            for child in self._running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGTERM)


def isolated(jobs: tuple[str, ...], values: dict) -> dict:
    """Return the outcome of a point from a process of its own; what a Dask worker calls."""
    return _Children().run(jobs, values)


@contextmanager
def local(processes: int) -> Iterator:
    """Run points on this machine, ``processes`` at a time; yields a ``submit(point)``."""
    children = _Children()
    pool = ThreadPoolExecutor(processes)
    try:
        yield lambda point: pool.submit(children.run, point.jobs, point.values)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        children.close()


@contextmanager
def cluster(address: str) -> Iterator:
    """Run points on the cluster whose scheduler is at an address; yields a ``submit(point)``.

    Raises
    ------
    InputError
        If the extra is not installed or no scheduler answers.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise InputError(
            "Dask needs the Python package distributed: pip install 'm2xfp[dask]'"
        ) from None
    try:
        client = Client(address, timeout=_TIMEOUT)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"No Dask scheduler answers at {address}: {reason}") from None
    # A point that kills its worker would be tried on others until none is left.
    with client, client.get_executor(pure=False, retries=0) as pool:
        yield lambda point: pool.submit(isolated, point.jobs, point.values)


def completed(submit, points: list[Point]) -> Iterator[tuple[Point, dict]]:
    """Submit all points and yield each with its outcome as it completes."""
    futures: dict[Future, Point] = {submit(point): point for point in points}
    for future in as_completed(futures):
        try:
            outcome = future.result()
        except Exception as error:
            # Of a cluster: a worker that died or cannot import the project.
            outcome = {"status": "failed", "message": f"{type(error).__name__}: {error}"}
        yield futures[future], outcome
