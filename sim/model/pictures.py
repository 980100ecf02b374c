"""The report's pictures."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from synth.plots import COLOURS, SETTINGS, svg

from .cost import LayerCost
from .machine import Machine

__all__ = ["formats", "layers", "roofline"]

#: Bytes that the weight port takes a cycle: one group of M2XFP.
_PORT_BYTES = 18


def roofline(machine: Machine, batches: dict[str, list[LayerCost]]) -> bytes:
    """Draw the rate of every layer of some batches against its intensity, and the roofs."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(6, 3.8))
        axes = figure.subplots()
        intensity = np.array([1, 10_000.0])
        peak = machine.multipliers * machine.clock
        roofs = {"memory": machine.bandwidth, "weight port": _PORT_BYTES * machine.clock}
        for (name, rate), style in zip(roofs.items(), ("-", ":"), strict=True):
            height = np.minimum(intensity * rate, peak)
            axes.plot([*intensity[:1], peak / rate, intensity[1]], [height[0], peak, peak], style,
                      color="#666666", linewidth=1, label=name)  # fmt: skip
        for (name, costs), colour in zip(batches.items(), COLOURS, strict=False):
            totals = [cost.total for cost in costs]
            axes.scatter([t.macs / t.traffic for t in totals], [t.macs / t.seconds for t in totals],
                         s=18, color=colour, zorder=3, label=name)  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("MAC a byte off chip")
        axes.set_ylabel("MAC a second")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        return svg(figure)


def layers(phases: dict[str, list[LayerCost]]) -> bytes:
    """Draw the share of the block's time that each layer takes."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(6, 1.6))
        axes = figure.subplots()
        left = dict.fromkeys(phases, 0.0)
        names = [cost.layer.name for cost in next(iter(phases.values()))]
        for index, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
            shares = {
                phase: costs[index].total.seconds / sum(c.total.seconds for c in costs)
                for phase, costs in phases.items()
            }
            axes.barh(list(phases), list(shares.values()), left=list(left.values()), color=colour,
                      label=name)  # fmt: skip
            left = {phase: left[phase] + shares[phase] for phase in phases}
        axes.set_xlabel("share of the time")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        return svg(figure)


def formats(shares: list[float], lines: list[list[float]], times: dict[str, list[float]]) -> bytes:
    """Draw time over M2XFP's: of MXFP4 against its share at 8 bits, and of formats without any."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8.5, 3.2))
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        labels = ("1 + 3 x share", "prompt", "a token, fast memory", "a token, slow memory")
        colours = ("#000000", *COLOURS)
        for index, label in enumerate(labels):
            values = [line[index] for line in lines]
            left.plot(shares, values, "-" if index else "--", color=colours[index], label=label,
                      zorder=2 + (not index))  # fmt: skip
        left.set_xlabel("share of MXFP4's products at 8 bits")
        left.set_ylabel("time, M2XFP without fallback = 1")
        left.legend(frameon=False)
        places = np.arange(len(times))
        for index, (phase, colour) in enumerate(zip(("prompt", "a token"), COLOURS, strict=False)):
            base = times["m2xfp"][index]
            right.bar(places + 0.4 * index - 0.2, [t[index] / base for t in times.values()], 0.4,
                      color=colour, label=phase)  # fmt: skip
        right.set_xticks(places, list(times))
        right.set_title("without fallback")
        right.legend(frameon=False)
        figure.tight_layout()
        return svg(figure)
