import numpy as np
import pytest

import golden
from golden import InputError
from sim.accuracy.study import section
from sim.accuracy.study.variants import ACTIVATIONS, VARIANTS, WEIGHTS, Variant


def tensor(rows=64, k=96):
    rng = np.random.default_rng(3)
    x = (rng.standard_t(3, (rows, k)) * np.exp2(rng.integers(-8, 9, (rows, 1)))).astype(np.float32)
    x[0, :32], x[1, 3] = 0, -0.0
    return x


@pytest.mark.parametrize("variant", [ACTIVATIONS, WEIGHTS], ids=lambda variant: variant.role)
def test_the_first_of_each_role_is_m2xfp_sg(variant):
    expected = golden.quantize(tensor(), variant.role, format="m2xfp_sg").dequantize()
    np.testing.assert_array_equal(variant.quantize(tensor()), expected)


def test_two_bits_for_the_top_are_the_activations_of_m2xfp():
    (variant,) = (v for v in VARIANTS if v.role == "activations" and v.top_bits == 2)
    expected = golden.quantize(tensor(), "activations").dequantize()
    np.testing.assert_array_equal(variant.quantize(tensor()), expected)


def test_one_multiplier_is_mxfp4():
    plain = Variant("", "activations", (1,))
    shifted = Variant("", "activations", (1,), threshold=1.5)
    for variant, rule in ((plain, "floor"), (shifted, "ceil")):
        expected = golden.quantize(tensor(), "weights", format="mxfp4", scale_rule=rule)
        np.testing.assert_array_equal(variant.quantize(tensor()), expected.dequantize())


def test_names_and_bits():
    assert len({(variant.role, variant.name) for variant in VARIANTS}) == len(VARIANTS)
    assert {variant.bits for variant in VARIANTS} == {4.5}
    assert Variant("", "weights", (1, 0.5), subgroup=16).bits == 4.25 + 1 / 16


def test_more_candidates_have_less_error():
    x = tensor()

    def error(variant):
        return np.square(variant.quantize(x).astype(np.float64) - x).sum()

    (both,) = (v for v in VARIANTS if v.name == "exponents E and E + 1 tried")
    assert error(both) < error(ACTIVATIONS)
    (fixed,) = (v for v in VARIANTS if v.name == "exponent E only")
    assert error(WEIGHTS) < error(fixed)


def records(*losses):
    rng = np.random.default_rng(1)
    noise = rng.normal(1, 0.01, 8)
    return [
        {"role": "weights", "name": name, "bits": bits, "kl": (loss * noise).tolist()}
        for name, bits, loss in losses
    ]


def test_what_helps_is_said():
    found = records(("m2xfp_sg", 4.5, 0.2), ("worse", 4.5, 0.3), ("same", 4.5, 0.2))
    assert section.better(found) == []
    assert "None of them has less loss at no more bits." in section.section(found)
    found += records(("good", 4.5, 0.1), ("16 multipliers", 4.5, 0.1), ("dear", 4.75, 0.1))
    text = section.section(found)
    assert (
        "Less loss at no more bits: weights, good; weights, 16 multipliers (a product with" in text
    )
    assert "| worse | 4.5 | 0.30" in text
    assert "| same | 4.5 | 0.20" in text
    assert [line.rsplit("| ", 1)[1] for line in text.splitlines() if "| 4." in line] == [
        " |",
        "more |",
        "no difference |",
        "less |",
        "less |",
        "less |",
    ]
    assert section.section([]) == ""


def test_records_are_kept(tmp_path):
    path = tmp_path / "study.jsonl"
    assert section.kept(path) == []
    found = records(("m2xfp_sg", 4.5, 0.2), ("worse", 4.5, 0.3))
    path.write_bytes(section.lines(found))
    assert section.kept(path) == found
    path.write_text("text\n")
    with pytest.raises(InputError, match=rf"^Cannot read the study {path}: .*$"):
        section.kept(path)
