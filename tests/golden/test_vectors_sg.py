"""m2xfp vectors of M2XFP-SG, against the brute-force reference and not the packer."""

import json
from fractions import Fraction

import numpy as np
import pytest

from . import reference, reference_sg
from .commands import m2xfp
from .test_vectors import group_fields, lanes, number, rows, sets, signed

COUNT = 12


@pytest.fixture(scope="module", params=["m2xfp_sg", "m2xfp_sg_spare"])
def made(request, tmp_path_factory):
    """Return (folder, manifest, whether the spare code is used)."""
    folder = tmp_path_factory.mktemp("vectors") / "v"
    options = ("--format", request.param, "--seed", 3, "--count", COUNT)
    assert m2xfp("vectors", folder, *options)[0] == 0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format"] == request.param
    return folder, manifest, request.param == "m2xfp_sg_spare"


def decoded(word, role, spare):
    return reference_sg.decode(*group_fields(word), role, spare)


def test_decode(made):
    folder, manifest, spare = made
    spares = 0
    for entry in sets(manifest, "decode"):
        for table, role, unit in zip(entry["tables"], reference_sg.SPARE, (8, 16), strict=True):
            assert f".{role}." in table["hex"]["file"]
            for row in rows(folder, table):
                codes, index = lanes(row["encoded"], 8, 4), row["encoded"] >> 32
                exact = reference_sg.decode(127, codes, [index], role, spare)
                values = [Fraction(signed(v, 8), unit) for v in lanes(row["values"], 8, 8)]
                assert values == exact
                spares += codes.count(8)
    assert spares > 20


def test_quantizer(made):
    folder, manifest, spare = made
    for entry in sets(manifest, "quantizer"):
        for row in rows(folder, entry["tables"][0]):
            x = np.array(lanes(row["x"], 32, 32), np.uint32).view(np.float32)
            if np.isfinite(x).all():
                expected = reference_sg.group(x, "activations", spare)
                assert group_fields(row["group"]) == expected
            else:
                assert row["group"] == 0xFF00 << 128


def test_dot(made):
    folder, manifest, spare = made
    for entry in sets(manifest, "dot"):
        for row in rows(folder, entry["tables"][0]):
            if row["nan"]:
                assert 255 in (row["activation"] >> 136, row["weight"] >> 136)
                continue
            x = decoded(row["activation"], "activations", spare)
            w = decoded(row["weight"], "weights", spare)
            term = signed(row["significand"], 19) * Fraction(2) ** (row["exponent"] - 261)
            assert term == sum(p * q for p, q in zip(x, w, strict=True))


def test_accumulator(made):
    folder, manifest, _ = made
    compared = 0
    for entry in sets(manifest, "accumulator"):
        for row in rows(folder, entry["tables"][0]):
            partial, total = number(row["partial"]), number(row["sum"])
            term = signed(row["significand"], 19) * Fraction(2) ** (row["exponent"] - 261)
            term = reference.round_fp32(term)
            if row["nan"] or not np.isfinite(partial) or isinstance(term, float):
                continue
            expected = reference.round_fp32(Fraction(float(partial)) + term)
            assert float(total) == float(expected)
            compared += 1
    assert compared > 5 * COUNT


def test_tile(made):
    folder, manifest, spare = made
    for entry in sets(manifest, "tile"):
        tables = {t["hex"]["file"].split(".")[-2]: rows(folder, t) for t in entry["tables"]}
        for m, n in ((0, 0), (COUNT - 1, 7)):
            acc = np.float32(0)
            for g in range(4):
                activation = tables["activations"][4 * m + g]["activation"]
                weight = tables["weights"][4 * n + g]["weight"]
                if 255 in (activation >> 136, weight >> 136):
                    acc = np.float32(np.nan)
                    continue
                x, w = decoded(activation, "activations", spare), decoded(weight, "weights", spare)
                term = reference.round_fp32(sum(p * q for p, q in zip(x, w, strict=True)))
                with np.errstate(over="ignore", invalid="ignore"):
                    acc = acc + np.float32(float(term))
            result = tables["results"][8 * m + n]["result"]
            assert result == (0x7FC00000 if np.isnan(acc) else acc.view(np.uint32))
