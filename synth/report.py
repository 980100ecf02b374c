"""``m2xfp report``: the pages of synthesis and performance, the baseline, or drift from it."""

from pathlib import Path

from golden.atomic import replacing
from golden.errors import InputError, MismatchError
from sim.model import report as performance

from . import baseline, liberty, markdown, plots, study, tools
from .scaling import COLUMNS

#: Targets in the order of the report; the last needs packages that PyPI does not have.
_PYPI = ("generic", "ice40", "ecp5")

#: Columns up to which the check repeats the tiles: the larger ones take minutes.
_CHECKED_COLUMNS = 2


def add_arguments(parser):
    """Add the arguments of ``m2xfp report``."""
    parser.add_argument(
        "--check",
        action="store_true",
        help="measure again what needs no placement and fail where it drifted from the baseline",
    )
    parser.add_argument(
        "--baseline", type=Path, default=baseline.FILE, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("docs"),
        metavar="FOLDER",
        help="where the report goes; default: %(default)s",
    )


def run(args):
    """Write the report, or check the baseline."""
    with tools.progress():
        if args.check:
            check(args.baseline)
            return
        write(args.output, args.baseline)
    # The model of performance takes its energy from the baseline that was just written.
    if args.baseline == baseline.FILE:
        performance.write(args.output)


def write(folder: Path, file: Path) -> None:
    """Measure everything and write the page, its pictures and the baseline."""
    liberty.find_osu018()
    targets = (*_PYPI, "osu018")
    work = [study.Scaling(columns) for columns in COLUMNS]
    work += study.jobs(targets, seeds=study.SEEDS)
    results = study.measure_all(work)
    pages = render(results, tools.versions(targets))
    folder.mkdir(exist_ok=True)
    for path, content in [(folder / name, text) for name, text in pages.items()]:
        _write(path, content)
    figures = {job.key: result.figures for job, result in results.items()}
    _write(file, baseline.text(tools.versions(targets), figures).encode())


def render(results: dict, versions: dict[str, str]) -> dict[str, bytes]:
    """File name -> content of the page and its pictures."""
    shares = {
        job.format: markdown.block_kinds(result)
        for job, result in results.items()
        if isinstance(job, study.Job) and (job.target, job.unit) == ("osu018", "column")
    }
    areas = {job.columns: r.figures for job, r in results.items() if isinstance(job, study.Scaling)}
    return {
        "synthesis.md": markdown.document(results, versions).encode(),
        "synthesis-blocks.svg": plots.blocks(shares),
        "synthesis-scaling.svg": plots.scaling(areas, lanes=32),
    }


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as stream:
        stream.write(content)
    print(path)


def check(file: Path) -> None:
    """Measure what is deterministic with the tools at hand and compare it with a baseline.

    Raises
    ------
    InputError
        If the baseline cannot be read.
    MismatchError
        If a figure drifted, with one line for each.
    """
    try:
        recorded = baseline.load(file)
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read baseline {file}: {error}") from None
    targets = list(_PYPI)
    if not liberty.missing_packages():
        targets.append("osu018")
    work = [study.Scaling(columns) for columns in COLUMNS if columns <= _CHECKED_COLUMNS]
    work += study.jobs(targets)
    measured = {job.key: result.figures for job, result in study.measure_all(work).items()}
    verdict(recorded, measured, tools.versions(targets))


def verdict(recorded: dict, measured: baseline.Figures, versions: dict[str, str]) -> None:
    """Print that all figures hold, or fail with the ones that do not."""
    lines = baseline.drift(recorded["figures"], measured)
    if lines:
        changed = [
            f"{name} is {version}, recorded with {recorded['tools'].get(name)}"
            for name, version in versions.items()
            if recorded["tools"].get(name) != version
        ]
        raise MismatchError("\n  ".join(["Synthesis drifted from the baseline:", *lines, *changed]))
    count = sum(len(figures) for figures in measured.values())
    print(f"{count} figures of {len(measured)} netlists hold within {baseline.TOLERANCE:.0%}")
