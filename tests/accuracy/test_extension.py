import pytest

from sim.accuracy import extension, report, tables
from sim.accuracy.configuration import Mode, default_encodings, parse_encoding

from .samples import sample

#: KL of what the goals are about.
LOSSES = {
    "nvfp4": 0.5,
    "nvfp4 four_six": 0.45,
    "nvfp4 search calibrated": 0.3,
    "m2xfp_sg": 0.45,
    "m2xfp_sg_spare": 0.35,
    "m2xfp_sg calibrated": 0.33,
    "m2xfp_sg_spare calibrated": 0.27,
}


def full(noise=0, **changes):
    losses = LOSSES | changes
    return sample(
        lambda encoding, mode: losses.get(encoding.label, 0.6), default_encodings(), noise=noise
    )


def items(results):
    return [" ".join(item.split()) for item in extension.goals(results).split("\n- ")]


def test_every_encoding_that_is_compared_is_a_default():
    assert {encoding for pair in extension.PAIRS for encoding in pair} <= set(default_encodings())


def test_goals_are_judged_one_by_one():
    strict, spare, calibrated, both = items(full())
    assert "20 % less loss than plain nvfp4, without calibration.** m2xfp_sg: " in strict
    assert "SmolLM2 (KL) 10.0 ± 0.0 %, missed, MiniLM (1 - cosine) 10.0 ± 0.0 %, missed." in strict
    assert "m2xfp_sg_spare: SmolLM2 (KL) 30.0 ± 0.0 %, reached" in spare
    assert "m2xfp_sg calibrated: SmolLM2 (KL) -10.0 ± 0.0 %, missed" in calibrated
    assert "m2xfp_sg_spare calibrated: SmolLM2 (KL) 10.0 ± 0.0 %, reached" in both


def test_a_goal_within_the_noise_is_undecided():
    strict = items(full(noise=0.2, m2xfp_sg=0.4))[0]
    assert strict.count("undecided") == 2


def test_differences_are_paired():
    page = extension.section(full())
    assert (
        "| m2xfp_sg | nvfp4 | -0.050 ± 0.000 | 10.0 ± 0.0 % | -2.50 ± 0.00 | 10.0 ± 0.0 % |" in page
    )
    assert "(SHA-256 `" + "cd" * 32 + "`)" in " ".join(page.split())


def test_the_section_is_on_the_page():
    page = report.page(full())
    assert "## Subgroup scales on both operands\n\n`m2xfp_sg` ([specification]" in page
    assert all(len(line) <= 100 for line in page.splitlines() if line[:1] not in ("|", "$"))


def test_the_papers_comparison_leaves_extensions_out():
    compared = {other.label for _, other, _ in report.pairs(full())}
    assert compared == {"mxfp4 floor", "mxfp4 ceil", "nvfp4", "smx4"}


def test_without_these_formats_nothing_is_said():
    results = sample(lambda *_: 0.5)
    assert extension.section(results) == ""
    assert extension.goals(results) == ""


@pytest.mark.parametrize("mode", Mode)
def test_calibration_is_listed_where_it_changes_something(mode):
    table = tables.decoder(full())
    assert (f"| nvfp4 search calibrated | 4.5 | {mode.value} |" in table) == mode.weights


def test_pairs_have_the_same_calibration():
    for ours, other in extension.PAIRS:
        assert ours.calibrated == other.calibrated
    assert parse_encoding("nvfp4:search+calibrated") in extension.PAIRS[-1]
