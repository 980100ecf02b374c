"""Run the console command inside the test process."""

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from golden.cli import main


def m2xfp(*arguments):
    """Return (exit status, standard output, standard error) of a command line."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), err.getvalue()


def assert_refused(folder, message, *arguments):
    """Check a user's mistake: one line, status 2, nothing on standard output, no new file."""
    before = sorted(folder.rglob("*"))
    status, out, err = m2xfp(*arguments)
    assert (status, out, err) == (2, "", f"m2xfp: error: {message}\n")
    assert sorted(folder.rglob("*")) == before
