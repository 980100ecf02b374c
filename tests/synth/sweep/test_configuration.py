import pytest

from golden import InputError
from hdl.units import UNITS
from synth.sweep import configuration
from tests.golden.commands import assert_refused

GEMM = 'jobs = ["gemm"]\n[parameters]\nm = 4\nk = 32\nn = 2\n'


def load(folder, text):
    path = folder / "sweep.toml"
    path.write_text(text)
    return configuration.load(path)


def test_points_are_the_product_of_the_lists(tmp_path):
    sweep = load(tmp_path, GEMM + 'columns = [1, 2, 1]\nformat = ["mxfp4", "m2xfp"]\n')
    found = [(point.values["columns"], point.values["format"]) for point in sweep.points]
    assert found == [(1, "mxfp4"), (1, "m2xfp"), (2, "mxfp4"), (2, "m2xfp")]
    assert sweep.points[0].values == {
        "format": "mxfp4",
        "columns": 1,
        "rows": 128,
        "m": 4,
        "k": 32,
        "n": 2,
        "engine": "fast",
        "stall": 0.0,
        "seed": 0,
    }
    assert sweep.axes is None


def test_a_point_is_the_same_in_any_order(tmp_path):
    one = load(tmp_path, GEMM + "columns = 2\nrows = 16\n").points
    other = load(tmp_path, GEMM + "rows = 16\ncolumns = [2]\n").points
    assert [point.key for point in one] == [point.key for point in other]


SYNTH = 'jobs = ["synth"]\n[parameters]\nunit = "decode"\ntarget = "generic"\n'


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", ["jobs must be a list of gemm and synth, not None"]),
        ("jobs = []", ["jobs must be a list of gemm and synth, not []"]),
        ('jobs = "gemm"', ["jobs must be a list of gemm and synth, not 'gemm'"]),
        ('jobs = ["route"]', ["jobs must be a list of gemm and synth, not ['route']"]),
        ("[jobs]", ["jobs must be a list of gemm and synth, not {}"]),
        (
            'jobs = ["gemm"]\nparameters = 3',
            ["parameters must be a table, not 3"],
        ),
        (
            'jobs = ["gemm"]',
            [
                "Parameter m is missing: it must be a positive integer",
                "Parameter k is missing: it must be a positive integer",
                "Parameter n is missing: it must be a positive integer",
            ],
        ),
        (GEMM + "[plot]", ["Section must be one of jobs, parameters, pareto, not 'plot'"]),
        (
            GEMM + "target = 'generic'",
            [
                "Parameter must be one of format, columns, rows, m, k, n, engine, stall, seed, "
                "not 'target'"
            ],
        ),
        (GEMM + "rows = true", ["Parameter rows must be a positive integer, not True"]),
        (GEMM + "rows = 1.0", ["Parameter rows must be a positive integer, not 1.0"]),
        (GEMM + "seed = -1", ["Parameter seed must be an integer of at least 0, not -1"]),
        (GEMM + "stall = 1", ["Parameter stall must be at least 0 and less than 1, not 1"]),
        (GEMM + "rows = []", ["Parameter rows must have a value, not an empty list"]),
        (
            GEMM + "rows = [0, 16, 'x']\ncolumns = -2",
            [
                "Parameter rows must be a positive integer, not 0",
                "Parameter rows must be a positive integer, not 'x'",
                "Parameter columns must be a positive integer, not -2",
            ],
        ),
        (
            GEMM.replace("32", "[32, 40]") + 'format = ["nvfp4", "mxfp4"]',
            [
                "Parameter k must be a multiple of 16 for nvfp4, not 40",
                "Parameter k must be a multiple of 32 for mxfp4, not 40",
            ],
        ),
        (
            SYNTH.replace("decode", "dsp"),
            [f"Parameter unit must be one of {', '.join(UNITS)}, not 'dsp'"],
        ),
        (SYNTH + "period = inf", ["Parameter period must be a positive number, not inf"]),
        (SYNTH + "activity = nan", ["Parameter activity must be between 0 and 1, not nan"]),
        (SYNTH + "[pareto]\nx = 'FF'", ["pareto.y is missing: it must name a figure or parameter"]),
        ("pareto = 1\n" + SYNTH, ["pareto must be a table, not 1"]),
        (
            SYNTH + "[pareto]\nx = 1\ny = 'FF'\nx_best = 'high'\nz = 'FF'",
            [
                "pareto.x must be a string, not 1",
                "pareto.x_best must be one of least, most, not 'high'",
                "pareto must have x, y, x_best, y_best, by, not 'z'",
            ],
        ),
        (
            SYNTH + "[pareto]\nx = 'FF'\ny = 'gates'\nby = 'size'",
            ["pareto.by must be a parameter of the jobs, not 'size'"],
        ),
    ],
)
def test_every_mistake_has_a_line(tmp_path, text, mistakes):
    with pytest.raises(InputError) as refusal:
        load(tmp_path, text)
    path = tmp_path / "sweep.toml"
    assert str(refusal.value).splitlines() == [f"{path}: {mistake}" for mistake in mistakes]


def test_refused_by_the_command(tmp_path):
    path = tmp_path / "sweep.toml"
    assert_refused(tmp_path, f"Cannot read {path}: No such file or directory", "sweep", path)
    path.write_text("jobs = [")
    message = f"{path} is not TOML: Invalid value (at end of document)"
    assert_refused(tmp_path, message, "sweep", path)
    path.write_text(GEMM)
    message = "Jobs must be a positive integer, not 0"
    assert_refused(tmp_path, message, "sweep", path, "--jobs", 0)
    message = f"{path} must have a section pareto for a plot"
    assert_refused(tmp_path, message, "sweep", path, "--plot", tmp_path / "a.svg")
    message = f"Cannot write {tmp_path / 'none' / 'a.jsonl'}: No such file or directory"
    assert_refused(tmp_path, message, "sweep", path, "--output", tmp_path / "none" / "a.jsonl")
    message = f"Cannot write {tmp_path}: it is not a regular file"
    assert_refused(tmp_path, message, "sweep", path, "--output", tmp_path)
    path.write_text(GEMM + "[pareto]\nx = 'm'\ny = 'cycles'\n")
    message = f"Plot must be a .svg or .png file, not {tmp_path / 'a.pdf'}"
    assert_refused(tmp_path, message, "sweep", path, "--plot", tmp_path / "a.pdf")
