import operator

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from ..quantizer import QuantizationEngine
from ..tile import SystolicTile
from .buffer import ActivationBuffer
from .control import WORD, Control
from .counters import Counters
from .frame import Frame
from .initial import InitialFeeder
from .layouts import Command, axis
from .results import ResultStage
from .weights import WeightFeeder


class GemmCore(wiring.Component):
    """Matrix products by command, between streams: see `docs/core.md`.

    One command at a time. Each consumes every stream of data it uses up to TLAST, gives
    ``rows * ceil(channels / columns)`` beats of results and then one status record; a command
    that is refused consumes and gives nothing but its status. A group of activations meets all
    columns every cycle; `docs/core.md` has the cycles of a command, exactly.

    Parameters
    ----------
    format : Format
    columns : int
        Output channels that are computed at once.
    rows : int
        Rows of activations that a tile of channels is computed for; a command of more is done
        in blocks of so many.
    buffer_groups : int
        Groups of activations that the core keeps: a command needs min(M, rows) * groups.
    accumulate : bool
        Whether sums may start from the stream ``c``.
    quantize : bool
        Whether results may leave as groups of the format.

    Attributes
    ----------
    commands : In(axis(64))
        `Command`, with TLAST.
    activations, weights : In(axis(width of a group))
    c : In(axis(32 * columns))
        With ``accumulate`` only.
    results : Out(axis(32 * columns, keep=True))
    status : Out(axis(32))
        `Status`, ten words, TLAST on the last.

    Raises
    ------
    TypeError
        If ``format`` is not a gateware format, or a size is not an integer.
    ValueError
        If a size is out of range, or ``quantize`` does not go with format and columns.
    """

    def __init__(
        self,
        format: Format,
        *,
        columns: int,
        rows: int,
        buffer_groups: int,
        accumulate: bool = False,
        quantize: bool = False,
    ):
        # The tile checks its own parameters and says what is wrong.
        self._tile = SystolicTile(format, columns=columns, rows=rows, initial=accumulate)
        self._buffer_groups = _size("Buffer groups", buffer_groups, 2)
        _size("Columns", columns, 1)
        _size("Rows", rows, 2)
        if quantize:
            # Like the tile, the engine knows best what it can be built for.
            QuantizationEngine(format)
        if quantize and columns % format.lanes:
            raise ValueError(
                f"Columns must be a multiple of {format.lanes} for quantized output, not {columns}"
            )
        self._accumulate, self._quantize = bool(accumulate), bool(quantize)
        width = format.group.size
        members = {
            "commands": In(axis(Command.as_shape().size)),
            "activations": In(axis(width)),
            "weights": In(axis(width)),
        }
        if accumulate:
            members["c"] = In(axis(32 * columns))
        members["results"] = Out(axis(32 * columns, keep=True))
        members["status"] = Out(axis(WORD))
        super().__init__(members)

    @property
    def format(self) -> Format:
        """Format of activations, weights and quantized results."""
        return self._tile.format

    @property
    def columns(self) -> int:
        """Output channels that are computed at once."""
        return self._tile.columns

    @property
    def rows(self) -> int:
        """Rows of a block."""
        return self._tile.rows

    @property
    def buffer_groups(self) -> int:
        """Groups of activations that the core keeps."""
        return self._buffer_groups

    @property
    def accumulate(self) -> bool:
        """Whether sums may start from the stream ``c``."""
        return self._accumulate

    @property
    def quantize(self) -> bool:
        """Whether results may leave as groups of the format."""
        return self._quantize

    @property
    def tile(self) -> SystolicTile:
        """The tile inside, for its latencies."""
        return self._tile

    def elaborate(self, platform):
        m = Module()
        size = {"columns": self.columns, "rows": self.rows}
        width = self.format.group.size
        m.submodules.control = control = Control(
            rows=self.rows,
            depth=self.buffer_groups,
            accumulate=self.accumulate,
            quantize=self.quantize,
        )
        m.submodules.counters = counters = Counters(lanes=self.format.lanes, columns=self.columns)
        m.submodules.tile = tile = self._tile
        wiring.connect(m, wiring.flipped(self.commands), control.commands)
        wiring.connect(m, control.status, wiring.flipped(self.status))

        m.submodules.activation_frame = activations = Frame(width)
        m.submodules.buffer = buffer = ActivationBuffer(
            self.format, depth=self.buffer_groups, **size
        )
        wiring.connect(m, wiring.flipped(self.activations), activations.i)
        wiring.connect(m, activations.o, buffer.groups)
        wiring.connect(m, buffer.beats, tile.activations)

        m.submodules.weight_frame = weights = Frame(width)
        m.submodules.feeder = feeder = WeightFeeder(width, **size)
        wiring.connect(m, wiring.flipped(self.weights), weights.i)
        wiring.connect(m, weights.o, feeder.i)
        m.d.comb += [
            tile.weights.valid.eq(feeder.o.valid),
            tile.weights.payload.eq(feeder.o.payload),
            feeder.o.ready.eq(tile.weights.ready),
        ]

        m.submodules.results = results = ResultStage(self.format, quantize=self.quantize, **size)
        wiring.connect(m, tile.results, results.sums)
        wiring.connect(m, results.results, wiring.flipped(self.results))

        frames = [activations, weights]
        takers = [buffer, feeder]
        if self.accumulate:
            m.submodules.c_frame = c = Frame(32 * self.columns)
            m.submodules.initial = initial = InitialFeeder(**size)
            wiring.connect(m, wiring.flipped(self.c), c.i)
            wiring.connect(m, c.o, initial.i)
            m.d.comb += [
                tile.initial.valid.eq(initial.o.valid),
                tile.initial.payload.eq(initial.o.payload),
                initial.o.ready.eq(tile.initial.ready),
                c.absent.eq(~control.command.accumulate),
            ]
            frames.append(c)
            takers.append(initial)
        for frame, taker in zip(frames, takers, strict=True):
            m.d.comb += [frame.start.eq(control.start), frame.final.eq(taker.final)]
        for block in (*takers, results):
            m.d.comb += [block.start.eq(control.start), block.command.eq(control.command)]

        m.d.comb += [
            counters.clear.eq(control.clear),
            control.record.eq(counters.record),
            control.done.eq(results.done),
        ]
        busy = 0
        for frame in frames:
            busy |= frame.busy
        m.d.comb += control.busy.eq(busy)
        self._connect_events(m, control, counters, buffer, results, frames)
        return m

    def _connect_events(self, m, control, counters, buffer, results, frames) -> None:
        events = counters.events
        m.d.comb += [
            events.busy.eq(control.running),
            events.entered.eq(buffer.entered),
            events.channels.eq(buffer.channels),
            events.nans.eq(results.nans),
            events.stalled_results.eq(self.results.valid & ~self.results.ready),
        ]
        for name, frame in zip(("activations", "weights", "c"), frames, strict=False):
            m.d.comb += [
                events[f"stalled_{name}"].eq(frame.stalled),
                events.flags[f"{name}_early"].eq(frame.early),
                events.flags[f"{name}_late"].eq(frame.late),
            ]
            if name != "c":
                group = data.View(self.format.group, frame.o.payload)
                passes = frame.o.valid & frame.o.ready
                m.d.comb += events.flags[f"{name}_nan"].eq(passes & self._is_nan(group.scale))

    def _is_nan(self, scale):
        """Whether a scale is NaN: E8M0 255, or E4M3 127 of either sign."""
        return scale[:7].all() if self.format.name == "nvfp4" else scale.all()


def _size(name: str, value: int, least: int) -> int:
    message = f"{name} must be an integer from {least} to 65535, not {value!r}"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(message) from None
    if not least <= number <= 65535:
        raise ValueError(message)
    return number
