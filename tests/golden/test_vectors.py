"""m2xfp vectors: files, bit order and values, against the reference and not the packer."""

import hashlib
import json
import subprocess
from fractions import Fraction

import numpy as np
import pytest

from golden.vectors.classes import CLASSES
from golden.vectors.units import UNITS

from . import reference
from .commands import assert_refused, m2xfp

COUNT = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors") / "v"
    status, out, err = m2xfp("vectors", folder, "--seed", 7, "--count", COUNT)
    assert (status, err) == (0, "")
    assert out == f"{folder}: 5 units, 7 input classes, {COUNT} cases each\n"
    return folder


@pytest.fixture(scope="module")
def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def rows(folder, table):
    """Read a table from its hex file: a list of dicts of field name to integer."""
    lines = (folder / table["hex"]["file"]).read_text().split()
    assert len(lines) == table["rows"]
    assert {len(line) for line in lines} == {-(-table["width"] // 4)}
    return [
        {f["name"]: int(line, 16) >> f["lsb"] & (1 << f["width"]) - 1 for f in table["fields"]}
        for line in lines
    ]


def sets(manifest, unit):
    return [entry for entry in manifest["sets"] if entry["unit"] == unit]


def lanes(value, count, width):
    return [value >> width * i & (1 << width) - 1 for i in range(count)]


def signed(value, width):
    return value - (value >> width - 1 << width)


def number(pattern):
    return np.uint32(pattern).view(np.float32)


def test_manifest_lists_every_file(folder, manifest):
    assert [(s["unit"], s["class"]) for s in manifest["sets"]] == [
        (unit, name) for unit in UNITS for name in CLASSES
    ]
    assert (manifest["seed"], manifest["count"]) == (7, COUNT)
    listed = {"manifest.json"}
    for entry in manifest["sets"]:
        for item in (entry["npz"], *(table["hex"] for table in entry["tables"])):
            digest = hashlib.sha256((folder / item["file"]).read_bytes()).hexdigest()
            assert digest == item["sha256"]
            listed.add(item["file"])
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == listed


def test_same_seed_same_bytes(folder, tmp_path):
    for seed, same in ((7, True), (8, False)):
        other = tmp_path / str(seed)
        m2xfp("vectors", other, "--seed", seed, "--count", COUNT)
        paths = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
        equal = [(folder / p).read_bytes() == (other / p).read_bytes() for p in paths]
        assert all(equal) == same
        assert any(equal) == same


def test_hex_and_npz_agree(folder, manifest):
    for entry in manifest["sets"]:
        with np.load(folder / entry["npz"]["file"]) as archive:
            names = []
            for table in entry["tables"]:
                from_hex = rows(folder, table)
                for field in table["fields"]:
                    name = field["name"]
                    names.append(name)
                    words = archive[name]
                    assert words.dtype == np.uint32
                    assert words.shape == (table["rows"], -(-field["width"] // 32))
                    values = [sum(int(w) << 32 * i for i, w in enumerate(row)) for row in words]
                    assert values == [row[name] for row in from_hex]
            assert sorted(names) == sorted(archive.files)


def test_decode(folder, manifest):
    tops = set()
    for entry in sets(manifest, "decode"):
        for row in rows(folder, entry["tables"][0]):
            codes, metadata = lanes(row["encoded"], 8, 4), row["encoded"] >> 32
            exact = reference.decode_activation(127, codes, [metadata])
            values = [signed(v, 7) for v in lanes(row["values"], 8, 7)]
            assert [Fraction(v, 8) for v in values] == exact
            top = max(range(8), key=lambda i: (codes[i] & 7, -i))
            assert row["top"] == 1 << top
            tops.add((top, metadata))
    assert len(tops) > 20


def group_fields(word):
    return word >> 136, lanes(word, 32, 4), lanes(word >> 128, 4, 2)


def test_quantizer(folder, manifest):
    nan = 0
    for entry in sets(manifest, "quantizer"):
        for row in rows(folder, entry["tables"][0]):
            x = np.array(lanes(row["x"], 32, 32), np.uint32).view(np.float32)
            if np.isfinite(x).all():
                assert group_fields(row["group"]) == reference.activation_group(x)
            else:
                assert row["group"] == 0xFF55 << 128
                nan += 1
    assert nan > 5


def decoded(word, decode):
    return decode(*group_fields(word))


def test_dot(folder, manifest):
    for entry in sets(manifest, "dot"):
        for row in rows(folder, entry["tables"][0]):
            scales = [row[name] >> 136 for name in ("activation", "weight")]
            assert row["nan"] == (255 in scales)
            if row["nan"]:
                continue
            x = decoded(row["activation"], reference.decode_activation)
            w = decoded(row["weight"], reference.decode_weight)
            exact = sum(p * q for p, q in zip(x, w, strict=True))
            assert row["exponent"] == sum(scales)
            term = signed(row["significand"], 19) * Fraction(2) ** (row["exponent"] - 260)
            assert term == exact


def test_accumulator(folder, manifest):
    reached = set()
    for entry in sets(manifest, "accumulator"):
        for row in rows(folder, entry["tables"][0]):
            partial, total = number(row["partial"]), number(row["sum"])
            if row["nan"] or np.isnan(partial):
                assert row["sum"] == 0x7FC00000
                reached.add("nan")
                continue
            term = signed(row["significand"], 19) * Fraction(2) ** (row["exponent"] - 260)
            term = reference.round_fp32(term)
            if not np.isfinite(partial) or isinstance(term, float):
                reached.add("infinity")
                continue
            exact = Fraction(float(partial)) + term
            expected = reference.round_fp32(exact)
            assert float(total) == float(expected)
            reached.add("rounded" if expected != exact else "exact")
            reached.add("subnormal" if 0 < abs(float(total)) < 2.0**-126 else "normal")
            if expected == 0 and term:
                reached.add("cancelled")
    expected = {"nan", "infinity", "rounded", "exact", "subnormal", "normal", "cancelled"}
    assert reached == expected


def test_accumulator_ties(folder, manifest):
    ties = 0
    entry = next(s for s in sets(manifest, "accumulator") if s["class"] == "ties")
    for row in rows(folder, entry["tables"][0]):
        partial = Fraction(float(number(row["partial"])))
        exact = partial + signed(row["significand"], 19) * Fraction(2) ** (row["exponent"] - 260)
        unit = Fraction(2) ** (max(reference.floor_log2(abs(exact)), -126) - 23)
        ties += (exact / unit).denominator == 2
    assert ties > COUNT // 4


def test_tile(folder, manifest):
    for entry in sets(manifest, "tile"):
        tables = {
            table["hex"]["file"].split(".")[-2]: rows(folder, table) for table in entry["tables"]
        }
        groups = len(tables["activations"]) // COUNT
        channels = len(tables["weights"]) // groups
        assert len(tables["results"]) == COUNT * channels
        for m, n in ((0, 0), (1, channels - 1), (COUNT - 1, 3)):
            left = tables["activations"][groups * m : groups * (m + 1)]
            right = tables["weights"][groups * n : groups * (n + 1)]
            acc = expected_result(
                [row["activation"] for row in left], [row["weight"] for row in right]
            )
            result = tables["results"][channels * m + n]["result"]
            assert result == (0x7FC00000 if np.isnan(acc) else acc.view(np.uint32))


def expected_result(left, right):
    acc = np.float32(0)
    for activation, weight in zip(left, right, strict=True):
        if 255 in (activation >> 136, weight >> 136):
            return np.float32(np.nan)
        x = decoded(activation, reference.decode_activation)
        w = decoded(weight, reference.decode_weight)
        term = reference.round_fp32(sum(p * q for p, q in zip(x, w, strict=True)))
        with np.errstate(over="ignore", invalid="ignore"):
            acc = acc + np.float32(float(term))
    return acc


def test_refusals(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    message = f"Cannot write {tmp_path}/full: it exists and is not an empty folder"
    assert_refused(tmp_path, message, "vectors", tmp_path / "full")
    message = f"Cannot write {tmp_path}/a/b: No such file or directory"
    assert_refused(tmp_path, message, "vectors", tmp_path / "a/b")
    message = "Count must be a positive integer, not 0"
    assert_refused(tmp_path, message, "vectors", tmp_path / "v", "--count", "0")
    message = "Seed must not be negative, but is -1"
    assert_refused(tmp_path, message, "vectors", tmp_path / "v", "--seed", "-1")


def test_systemverilog_example(folder, tmp_path, check_decode):
    def run(vectors):
        command = [check_decode, f"+vectors={vectors}", f"+count={COUNT}"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    good = run(folder)
    assert good.returncode == 0, good.stdout
    assert f"{7 * COUNT} vectors, 0 wrong" in good.stdout
    # The same unit against a vector with one bit wrong: the example must notice.
    bad = tmp_path / "bad"
    m2xfp("vectors", bad, "--seed", 7, "--count", COUNT)
    path = bad / "decode" / "ties.hex"
    lines = path.read_text().split()
    lines[3] = f"{int(lines[3], 16) ^ 1 << 50:0{len(lines[3])}x}"
    path.write_text("\n".join(lines))
    assert run(bad).returncode != 0
    assert "1 wrong" in run(bad).stdout
