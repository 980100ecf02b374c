import json

import numpy as np
import pytest

from sim.accuracy import plots, report
from sim.accuracy.configuration import Encoding, Mode
from sim.accuracy.results import verdict
from sim.accuracy.statistics import Estimate

from .samples import sample

BLOCK = {"block": 10, "tokens": 32, "outputs": 18432, "mismatches": 0, "products": 9, "cycles": 7}


def losses(m2xfp, mxfp4, nvfp4):
    return lambda encoding, mode: {"m2xfp": m2xfp, "mxfp4": mxfp4, "nvfp4": nvfp4}[encoding.format]


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.5, 0.1, "holds"),
        (-0.5, 0.1, "does not hold"),
        (0.1, 0.1, "undecided"),
        (-0.1, 0.1, "undecided"),
        (0.5, float("nan"), "undecided"),
    ],
)
def test_verdict(value, error, expected):
    assert verdict(Estimate(value, error)) == expected


def test_both_claims_hold_when_the_losses_say_so():
    text = report.reading(sample(losses(0.3, 1.0, 0.5)))
    assert "less than mxfp4 floor (paper: 70.63 %): holds here." in text
    assert "less than nvfp4 (paper: 37.30 %): holds here." in text
    assert "worse" not in text


def test_a_claim_fails_when_the_losses_say_so():
    text = report.reading(sample(losses(0.6, 1.0, 0.5)))
    assert "less than mxfp4 floor (paper: 70.63 %): holds here." in text
    assert "less than nvfp4 (paper: 37.30 %): does not hold here." in text
    assert "Both its weights and its activations are worse: groups of 32" in text


def test_the_reason_is_the_operand_that_loses():
    def loss(encoding, mode):
        if encoding.format != "m2xfp":
            return 0.5
        return 0.3 if mode is Mode.WEIGHTS else 0.8

    text = report.reading(sample(loss))
    assert "Its weights are better, its activations are worse: groups of 32" in text


def test_nothing_is_decided_within_the_noise():
    text = report.reading(sample(losses(0.5, 0.5, 0.5), noise=0.3))
    assert "holds here" not in text
    assert "does not hold" not in text


def test_the_page_has_every_figure():
    page = report.page(sample(losses(0.3, 1.0, 0.5), noise=0, gateware=BLOCK))
    assert "| m2xfp | 4.5 | W4A4 | 16.44 ± 0.00 | -0.300 ± 0.000 | 0.300 ± 0.000 |" in page
    assert "| m2xfp against nvfp4 | W4A4 | 40.0 ± 0.0 % | 40.0 ± 0.0 % | 37.30 % | holds |" in page
    assert "| m2xfp | 32 | 22.0 / 20.0 / 19.0 | 22.0 / 20.0 / 19.0 |" in page
    assert "| m2xfp | 15.00 ± 0.00 | 15.00 ± 0.00 | 15.00 ± 0.00 |" in page
    assert "4096 scored tokens in 16 sequences of 256" in page
    assert "bit for bit those of the same block" in " ".join(page.split())
    assert "is nearer to float than mxfp4 floor: holds." in page


def test_lines_are_short_outside_tables():
    page = report.page(sample(losses(0.3, 1.0, 0.5), gateware=BLOCK))
    assert all(len(line) <= 100 for line in page.splitlines() if line[:1] not in ("|", "$"))


def test_gateware_that_differs_is_reported():
    text = report.gateware_sentence({**BLOCK, "mismatches": 3})
    assert "different from golden in **3 numbers**" in text


def test_without_m2xfp_nothing_is_claimed():
    results = sample(losses(0, 1.0, 0.5), encodings=[Encoding("nvfp4", "floor")])
    assert report.reading(results) == ""
    assert "M2XFP was not among the formats of this run." in report.page(results)


def test_figures_are_written(tmp_path):
    results = sample(losses(0.3, 1.0, 0.5))
    report.write(results, tmp_path)
    lines = (tmp_path / "accuracy" / "results.jsonl").read_text().splitlines()
    facts, base, *records = [json.loads(line) for line in lines]
    assert facts["tokens"] == 4096
    assert base["log_likelihood"] == [-2.5] * 16
    assert len(records) == 2 * len(results.decoder)
    (one,) = (
        record["kl"]
        for record in records
        if (record["model"], record["encoding"], record["quantized"])
        == ("decoder", "nvfp4", "W4A4")
    )
    np.testing.assert_allclose(one, results.decoder[Encoding("nvfp4"), Mode.BOTH]["kl"], rtol=1e-5)


def test_files_are_the_same_every_time(tmp_path):
    results = sample(losses(0.3, 1.0, 0.5))
    for name in ("one", "two"):
        report.write(results, tmp_path / name)
    for file in ("accuracy.md", "accuracy/loss.svg", "accuracy/sqnr.svg"):
        first = (tmp_path / "one" / file).read_bytes()
        assert first
        assert first == (tmp_path / "two" / file).read_bytes()


def test_pictures_name_every_encoding():
    results = sample(losses(0.3, 1.0, 0.5))
    for draw in (plots.loss_against_bits, plots.layer_ratios):
        picture = draw(results).decode()
        assert all(encoding.label in picture for encoding in results.encodings)
