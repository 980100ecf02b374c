"""The report's pictures: SVG files whose bytes depend on the figures only."""

import itertools
from collections.abc import Mapping
from io import BytesIO

import matplotlib
from matplotlib.figure import Figure

__all__ = ["COLOURS", "SETTINGS", "blocks", "scaling", "svg"]

#: Text stays text, and names of parts do not depend on the run.
SETTINGS = {"svg.hashsalt": "m2xfp", "svg.fonttype": "none", "font.size": 9}
#: Colours that stay apart for colour-blind readers (Okabe and Ito).
COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#000000",
    "#999999",
)


def svg(figure: Figure) -> bytes:
    """Return a figure as an SVG file."""
    stream = BytesIO()
    # The date would change the file at every run.
    figure.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
    return stream.getvalue()


def blocks(shares: Mapping[str, Mapping[str, float]]) -> bytes:
    """Draw stacked bars: label of a bar -> block -> area in NAND2 equivalents."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(6.5, 0.6 + 0.5 * len(shares)))
        axes = figure.subplots()
        kinds = list(dict.fromkeys(kind for parts in shares.values() for kind in parts))
        left = dict.fromkeys(shares, 0.0)
        for kind, colour in zip(kinds, itertools.cycle(COLOURS), strict=False):
            widths = [parts.get(kind, 0.0) for parts in shares.values()]
            axes.barh(list(shares), widths, left=list(left.values()), color=colour, label=kind)
            left = {bar: left[bar] + width for bar, width in zip(shares, widths, strict=True)}
        axes.invert_yaxis()
        axes.set_xlabel("NAND2 equivalents")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        return svg(figure)


def scaling(areas: Mapping[int, Mapping[str, float]], lanes: int) -> bytes:
    """Draw area a MAC against columns: columns -> kind of block -> NAND2 equivalents."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(5.5, 3))
        axes = figure.subplots()
        columns = list(areas)
        kinds = [kind for kind in areas[columns[0]] if kind != "total"]
        heights = [[areas[c].get(kind, 0) / (c * lanes) for c in columns] for kind in kinds]
        axes.stackplot(columns, heights, labels=kinds, colors=COLOURS)
        axes.set_xscale("log", base=2)
        axes.set_xticks(columns, [str(c) for c in columns])
        axes.set_xlabel("columns")
        axes.set_ylabel("NAND2 equivalents a MAC")
        axes.legend(loc="upper right", frameon=False)
        return svg(figure)
