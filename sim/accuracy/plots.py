"""The pictures of docs/accuracy.md: SVG files whose bytes depend on the figures only."""

from io import BytesIO

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from .configuration import Encoding, Mode
from .results import Results
from .statistics import mean

_SETTINGS = {"svg.hashsalt": "m2xfp", "svg.fonttype": "none", "font.size": 9}
#: Beyond as many encodings, other markers and lines.
_MARKERS, _STYLES = "osD", ("-", "--", ":")
#: Bits from an encoding to the next one of as many bits.
_SHIFT = 0.02
#: Colours that stay apart for colour-blind readers (Okabe and Ito).
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")


def loss_against_bits(results: Results) -> bytes:
    """Draw the divergence of every encoding against its bits an element, with error bars."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(9, 4), layout="constrained")
        for axes, mode in zip(figure.subplots(1, len(Mode), sharey=True), Mode, strict=True):
            for index, encoding in enumerate(results.encodings):
                loss = mean(results.losses(encoding, mode, "kl"))
                axes.errorbar(
                    encoding.bits + _SHIFT * _rank(results, encoding),
                    loss.value,
                    yerr=loss.error,
                    fmt=_MARKERS[index // len(_COLOURS) % len(_MARKERS)],
                    capsize=3,
                    color=_colour(index),
                    label=encoding.label,
                )
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(_plain)
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.set_title(mode.value)
            axes.grid(alpha=0.3, which="both")
        figure.supxlabel("bits an element; those of as many bits stand side by side")
        figure.axes[0].set_ylabel("KL to float (dequantized Q4_1), nats a token")
        _legend(figure)
        return _svg(figure)


def layer_ratios(results: Results) -> bytes:
    """Draw the signal-to-noise ratio of every linear layer's output, one panel a kind."""
    names = next(iter(results.layers.values()))
    kinds = list(dict.fromkeys(name.split(".", 2)[2] for name in names))
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(9, 5), layout="constrained")
        grid = figure.subplots(2, -(-len(kinds) // 2), sharex=True, sharey=True)
        panels = list(grid.flat)
        for axes, kind in zip(panels, kinds, strict=False):
            for index, encoding in enumerate(results.layers):
                table = results.layers[encoding]
                own = [values["output"] for name, values in table.items() if name.endswith(kind)]
                style = _STYLES[index // len(_COLOURS) % len(_STYLES)]
                axes.plot(own, style, color=_colour(index), linewidth=1, label=encoding.label)
            axes.set_title(kind)
            axes.grid(alpha=0.3)
        for axes in panels[len(kinds) :]:
            axes.set_axis_off()
        figure.supxlabel("decoder block")
        figure.supylabel("SQNR of the output, dB")
        _legend(figure)
        return _svg(figure)


def _plain(value: float, _: int) -> str:
    return f"{value:g}"


def _rank(results: Results, encoding: Encoding) -> float:
    """Return the place of an encoding among those of as many bits, 0 in the middle."""
    equal = [other for other in results.encodings if other.bits == encoding.bits]
    return equal.index(encoding) - (len(equal) - 1) / 2


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _legend(figure: Figure) -> None:
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False)


def _svg(figure: Figure) -> bytes:
    stream = BytesIO()
    # The date would change the file at every run.
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
