"""The short version of the evaluation: an ordering, and that it can be resumed."""

import numpy as np

from golden.cli import main
from sim.accuracy.configuration import Encoding, Mode
from sim.accuracy.decoder_run import DecoderRun
from sim.accuracy.results import Results

TOKENS = 512
ARGUMENTS = ["accuracy", "--formats", "m2xfp", "mxfp4", "--tokens", str(TOKENS), "--no-gateware"]


def test_m2xfp_loses_less_than_mxfp4(tmp_path, monkeypatch, capsys):
    arguments = [*ARGUMENTS, "--results", str(tmp_path / "results.jsonl")]
    from sim.accuracy import report

    written: list[Results] = []
    monkeypatch.setattr(report, "write", lambda results, folder: written.append(results))
    assert main([*arguments, "--report", str(tmp_path)]) == 0
    (results,) = written
    assert results.tokens == TOKENS
    for mode in Mode:
        ours = results.losses(Encoding("m2xfp", "floor"), mode, "kl")
        other = results.losses(Encoding("mxfp4", "floor"), mode, "kl")
        assert 0 < np.mean(ours) < np.mean(other)
    output = capsys.readouterr().out
    assert "| m2xfp | 4.5 | W4A4 |" in output

    # Again: everything is there, so nothing is computed.
    def fail(*_):
        raise AssertionError("computed again")

    for name in ("baseline", "score", "layers"):
        monkeypatch.setattr(DecoderRun, name, fail)
    assert main(arguments) == 0
    assert output.startswith(capsys.readouterr().out.rstrip())
