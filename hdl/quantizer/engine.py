from amaranth.hdl import Cat, Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from .collect import Collector
from .exponents import largest
from .pipeline import ActivationPipeline
from .unpack import FLOAT_TYPES, Lane, Unpack


class QuantizationEngine(wiring.Component):
    """Quantizes a stream of values to groups of a block format (format spec, sections 2 and 5).

    Scales follow the floor rule. A group of activations is a word of the format's bus; for
    M2XFP it is encoded by Elem-EM-top1. A beat enters every cycle and a group leaves every
    ``32 / lanes`` cycles. With 32 lanes a group is valid two cycles after it entered; with
    fewer, ``32 / lanes + 2`` cycles after its last beat. Nothing is lost when ``groups``
    stalls; ``values.ready`` depends on ``groups.ready`` combinationally.

    Parameters
    ----------
    format : Format
        ``m2xfp`` or ``mxfp4``.
    dtype : str
        Type of the values: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
    lanes : int
        Values a beat: 8, 16 or 32.

    Attributes
    ----------
    values : In(stream.Signature(ArrayLayout(width of dtype, lanes)))
        Beat b of a group carries its elements ``lanes * b`` and up.
    groups : Out(stream.Signature(format.group))

    Raises
    ------
    TypeError
        If ``format`` is not a gateware format or ``lanes`` not an integer.
    ValueError
        If a parameter is not one of those above.
    """

    def __init__(self, format: Format, *, dtype: str = "fp32", lanes: int = 32):
        if not isinstance(format, Format):
            raise TypeError(f"Format must be a gateware format, not {format!r}")
        if format.name not in ("m2xfp", "mxfp4"):
            raise ValueError(f"Format must be m2xfp or mxfp4, not {format.name}")
        if dtype not in FLOAT_TYPES:
            raise ValueError(f"Dtype must be one of {', '.join(FLOAT_TYPES)}, not {dtype!r}")
        if not isinstance(lanes, int):
            raise TypeError(f"Lanes must be an integer, not {lanes!r}")
        if lanes not in (8, 16, 32):
            raise ValueError(f"Lanes must be 8, 16 or 32, not {lanes!r}")
        self._format = format
        self._dtype = dtype
        self._lanes = lanes
        beat = data.ArrayLayout(FLOAT_TYPES[dtype].width, lanes)
        super().__init__(
            {
                "values": In(stream.Signature(beat)),
                "groups": Out(stream.Signature(format.group)),
            }
        )

    @property
    def format(self) -> Format:
        """Format of the groups."""
        return self._format

    @property
    def dtype(self) -> str:
        """Type of the values."""
        return self._dtype

    @property
    def lanes(self) -> int:
        """Values a beat."""
        return self._lanes

    @property
    def beats(self) -> int:
        """Beats a group."""
        return self._format.lanes // self._lanes

    def elaborate(self, platform):
        m = Module()
        m.submodules.pipeline = pipeline = ActivationPipeline(self._format, self._lanes)
        lanes = data.ArrayLayout(Lane, self._lanes)(self._unpacked(m))
        if self.beats == 1:
            m.d.comb += [
                pipeline.i.valid.eq(self.values.valid),
                self.values.ready.eq(pipeline.i.ready),
                pipeline.i.payload.lanes.eq(lanes),
                pipeline.i.payload.largest.eq(largest(m, [lane.exponent for lane in lanes])),
            ]
        else:
            m.submodules.collector = collector = Collector(self._lanes, self.beats)
            m.d.comb += [
                collector.i.valid.eq(self.values.valid),
                self.values.ready.eq(collector.i.ready),
                collector.i.payload.eq(lanes),
            ]
            wiring.connect(m, collector.o, pipeline.i)
        wiring.connect(m, pipeline.o, wiring.flipped(self.groups))
        return m

    def _unpacked(self, m: Module):
        lanes = []
        for i in range(self._lanes):
            m.submodules[f"unpack_{i}"] = unpack = Unpack(self._dtype)
            m.d.comb += unpack.value.eq(self.values.payload[i])
            lanes.append(unpack.lane.as_value())
        return Cat(lanes)
