from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from .collect import Collector
from .encode import ElementEncoder, Encoder
from .exponents import largest
from .pipeline import Pipeline
from .sgem import MULTIPLIERS, MultiplierEncoder, Multipliers
from .unpack import FLOAT_TYPES, Unpack

#: Formats that the engine quantizes to.
FORMATS = ("m2xfp", "m2xfp_sg", "m2xfp_sg_spare", "mxfp4")


class QuantizationEngine(wiring.Component):
    """Quantizes a stream of values to groups of a block format (format spec, sections 2 to 5).

    Scales follow the floor rule. M2XFP activations are encoded by Elem-EM-top1; M2XFP weights and
    both operands of M2XFP-SG by the best of four multipliers with the group's scale fixed: exact
    errors, the lowest index of the least.

    A beat enters every cycle and a group leaves every ``32 / lanes`` cycles. With 32 lanes a
    group is valid two cycles after it entered; with fewer, ``32 / lanes + 2`` cycles after its
    last beat; multipliers take three more. Nothing is lost when ``groups`` stalls;
    ``values.ready`` depends on ``groups.ready`` combinationally.

    Parameters
    ----------
    format : Format
        One of `FORMATS`.
    dtype : str
        Type of the values: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
    lanes : int
        Values a beat: 8, 16 or 32.
    role : str
        ``"activations"`` or ``"weights"``: all but MXFP4 encode them differently.

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

    def __init__(
        self,
        format: Format,
        *,
        dtype: str = "fp32",
        lanes: int = 32,
        role: str = "activations",
    ):
        if not isinstance(format, Format):
            raise TypeError(f"Format must be a gateware format, not {format!r}")
        if format.name not in FORMATS:
            raise ValueError(f"Format must be one of {', '.join(FORMATS)}, not {format.name}")
        if dtype not in FLOAT_TYPES:
            raise ValueError(f"Dtype must be one of {', '.join(FLOAT_TYPES)}, not {dtype!r}")
        if not isinstance(lanes, int):
            raise TypeError(f"Lanes must be an integer, not {lanes!r}")
        if lanes not in (8, 16, 32):
            raise ValueError(f"Lanes must be 8, 16 or 32, not {lanes!r}")
        if role not in ("activations", "weights"):
            raise ValueError(f"Role must be activations or weights, not {role!r}")
        self._format = format
        self._role = role
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
    def role(self) -> str:
        """What the values are."""
        return self._role

    @property
    def beats(self) -> int:
        """Beats a group."""
        return self._format.lanes // self._lanes

    def elaborate(self, platform):
        m = Module()
        pipeline = Pipeline(self._format, self._lanes, self._make_encoder)
        m.submodules.pipeline = pipeline
        beat = self._unpacked(m)
        if self.beats == 1:
            m.d.comb += [
                pipeline.i.valid.eq(self.values.valid),
                self.values.ready.eq(pipeline.i.ready),
                pipeline.i.payload.lanes.eq(beat),
                pipeline.i.payload.largest.eq(largest(m, [lane.exponent for lane in beat])),
            ]
        else:
            m.submodules.collector = collector = Collector(beat.shape(), self.beats)
            m.d.comb += [
                collector.i.valid.eq(self.values.valid),
                self.values.ready.eq(collector.i.ready),
                collector.i.payload.eq(beat),
            ]
            wiring.connect(m, collector.o, pipeline.i)
        wiring.connect(m, pipeline.o, wiring.flipped(self.groups))
        return m

    @property
    def _multipliers(self) -> Multipliers | None:
        return MULTIPLIERS.get((self._format.name, self._role))

    @property
    def _has_metadata(self) -> bool:
        return "metadata" in self._format.group.members

    def _make_encoder(self) -> Encoder:
        if self._multipliers:
            return MultiplierEncoder(FLOAT_TYPES[self._dtype].fraction_bits, self._multipliers)
        return ElementEncoder(has_metadata=self._has_metadata)

    def _unpacked(self, m: Module) -> data.View:
        units = [
            Unpack(self._dtype, exact=self._multipliers is not None) for _ in range(self._lanes)
        ]
        beat = Signal(data.ArrayLayout(units[0].lane.shape(), self._lanes))
        for i, unit in enumerate(units):
            m.submodules[f"unpack_{i}"] = unit
            m.d.comb += [unit.value.eq(self.values.payload[i]), beat[i].eq(unit.lane)]
        return beat
