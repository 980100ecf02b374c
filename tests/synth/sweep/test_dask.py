"""Points on a real Dask scheduler and worker, which live in a process of their own."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.golden.commands import assert_refused, m2xfp

from .test_sweep import ROOT, SMALL, records

_CLUSTER = """
from distributed import LocalCluster
with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as c:
    print(c.scheduler_address, flush=True)
    input()
"""
#: A client outside the warnings-as-errors of these tests, as a user has it.
_M2XFP = [sys.executable, "-c", "import sys, golden.cli; sys.exit(golden.cli.main())"]


@contextmanager
def cluster():
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _CLUSTER.replace("processes=False", "processes=False, protocol='tcp://'"),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("\n")


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL.replace('"decode"', '["decode", "quantizer"]').replace('"mxfp4", ', ""))
    return path


def test_points_on_a_cluster_are_those_of_this_machine(small, tmp_path):
    there, here = tmp_path / "there.jsonl", tmp_path / "here.jsonl"
    small.write_text(small.read_text().replace(', "m2xfp"', ""))
    with cluster() as address:
        command = [*_M2XFP, "sweep", str(small), "--output", str(there), "--dask", address]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("points  2: 2 run now, 1 failed\n")
    assert m2xfp("sweep", small, "--output", here)[0] == 1
    assert sorted(map(str, records(there))) == sorted(map(str, records(here)))


def test_no_scheduler(small, tmp_path):
    output = tmp_path / "out.jsonl"
    command = [*_M2XFP, "sweep", str(small), "--output", str(output), "--dask", "nowhere://x"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    start = "m2xfp: error: No Dask scheduler answers at nowhere://x: "
    assert done.stderr.startswith(start)
    assert done.stderr.count("\n") == 1
    assert not output.exists()


def test_without_the_extra(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    message = "Dask needs the Python package distributed: pip install 'm2xfp[dask]'"
    assert_refused(tmp_path, message, "sweep", small, "--dask", "tcp://127.0.0.1:1")
