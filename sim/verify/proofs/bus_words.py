"""What columns get is what bus words say, bit by bit, each part in its cycle."""

from functools import partial

import z3
from amaranth.hdl import Fragment, Module, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from hdl import formats
from hdl.decode import DecodeUnit
from hdl.fabric import Fabric
from hdl.formats import Format
from hdl.tile.front import TileFront

from ..checker import Checker
from ..cuts import replaced
from ..model import Model
from ..terms import field
from .multipliers import TERMS
from .proof import BIT_VECTORS, Proof

#: Bits of a group on the bus (format specification, section 6): elements, metadata, scale.
SIZES = {
    "m2xfp": (128, 8, 8),
    "m2xfp_sg": (128, 8, 8),
    "m2xfp_sg_spare": (128, 8, 8),
    "mxfp4": (128, 0, 8),
    "nvfp4": (64, 0, 8),
}


class _Queue(wiring.Component):
    """A queue whose output is whatever others drive."""

    def __init__(self, *, width: int, depth: int):
        self.w_data, self.r_data = Signal(width), Signal(width)
        self.w_en, self.w_rdy, self.r_en = Signal(), Signal(), Signal()
        self.level = Signal(range(depth + 1))
        super().__init__({})

    def elaborate(self, platform):
        """Leave all to others."""
        return Module()


class Front(wiring.Component):
    """The tile's front between bus words and operands.

    Attributes
    ----------
    activations, weights : In(format.group)
        A beat's word; the word that the queue of weights holds out.
    operand : Out(format.activation)
    weight : Out(format.weight)
    """

    def __init__(self, format: Format):
        self._format = format
        super().__init__(
            {
                "activations": In(format.group),
                "weights": In(format.group),
                "operand": Out(format.activation),
                "weight": Out(format.weight),
            }
        )

    def elaborate(self, platform):
        """Elaborate a front of two columns with a free queue."""
        m = Module()
        queues = []

        def make_queue(**options):
            queues.append(_Queue(**options))
            return queues[-1]

        unit = TileFront(self._format, columns=2, rows=4, slots=2, row_distance=3)
        with replaced(fifo, "SyncFIFOBuffered", make_queue):
            m.submodules.unit = Fragment.get(unit, platform)
        (queue,) = queues
        m.d.comb += [
            unit.activations.payload.group.eq(self.activations),
            queue.r_data.eq(self.weights),
            self.operand.eq(unit.operand),
            self.weight.eq(unit.weight),
        ]
        return m


def bus_words(check: Checker, fabric: Fabric) -> None:
    """Check the words of every format, of both sides."""
    for name in SIZES:
        _words(check, formats.get(name, fabric))


def _words(check: Checker, format: Format) -> None:
    model = Model(Front(format))
    elements, metadata, scale = SIZES[format.name]
    size = elements + metadata + scale
    check.holds("size of a word", format.group.size == size, format.group.size)
    check.holds("subgroups of eight", format.subgroup == 8 and format.lanes == elements // 4)
    words = {side: z3.BitVec(side, size) for side in ("activations", "weights")}
    enters = 1 + format.decode_latency
    states = model.run(
        {side: {0: word} for side, word in words.items()}, enters + max(format.delays.values())
    )

    def part(name: str, port: str, layout, after: int) -> z3.BitVecRef:
        value = model.value(states[after + format.delays[name]], port)
        return field(value, layout[name].offset, layout[name].width)

    given = [
        ("activation", words["activations"], "operand", format.activation, enters),
        ("weight", words["weights"], "weight", format.weight, 0),
    ]
    for side, word, port, layout, after in given:
        decodes = side == "activation" and format.name == "m2xfp"
        got = part("subgroups", port, layout, after)
        width = got.size() // format.subgroups
        for index in range(format.subgroups):
            codes = field(word, 32 * index, 32)
            if decodes:
                encoded = z3.Concat(field(word, elements + 2 * index, 2), codes)
                codes = _decoded(format, encoded)
            check.prove(f"{side}s of subgroup {index}", field(got, width * index, width) == codes)
            if "multipliers" in layout.members:
                multiplier = part("multipliers", port, layout, after)
                expected = _multiplier(format, side, field(word, elements + 2 * index, 2))
                bits = expected.size()
                found = field(multiplier, bits * index, bits)
                check.prove(f"{side}s' multiplier of subgroup {index}", found == expected)
        found = part("scale", port, layout, after)
        check.prove(f"{side}s' scale", found == field(word, elements + metadata, 8))
        check.cover(f"{side}s", found == 0xA5, got != 0)


def _decoded(format: Format, encoded: z3.BitVecRef) -> z3.BitVecRef:
    """Return what the decode unit, without registers, makes of a subgroup."""
    model = Model(DecodeUnit(format))
    return model.value(model.drive(model.fresh("decode"), encoded=encoded), "operand")


def _multiplier(format: Format, side: str, index: z3.BitVecRef) -> z3.BitVecRef:
    """Return what stands for an index of metadata in an operand: itself, or terms."""
    if format.name == "m2xfp":
        return index
    width, patterns, _ = TERMS[side]
    chosen = z3.BitVecVal(patterns[-1], width)
    for value, pattern in reversed(list(enumerate(patterns[:-1]))):
        chosen = z3.If(index == value, z3.BitVecVal(pattern, width), chosen)
    return chosen


_STATEMENT = (
    "In the operands of every format, element i is bits 4i+3..4i of the bus word, what metadata "
    "becomes is that of bits 2j+1..2j above the elements for subgroup j, and the scale is the "
    "eight bits above; parts trail the elements by their delays, those {} cycles after the word."
)
_ASSUMED = (
    "a decode unit with registers is compared with one without, whose decoding is proved beside "
    "the products; of weights, the queue is free: the word is what it holds out"
)

PROOFS = [
    Proof(
        "bus words",
        "DecodeUnit, TileFront",
        _STATEMENT.format("of activations 1 or 2, those of weights 0"),
        BIT_VECTORS,
        _ASSUMED,
        partial(bus_words, fabric=Fabric.GATES),
        (
            "decode: metadata of the first subgroup",
            "decode: elements of the first subgroup",
            "decode: top-1 of the next beat",
            "decode: scale of the next beat",
            "M2XFP-SG: never 1",
            "M2XFP-SG: 8 for 4",
            "weights: all parts at once",
        ),
    ),
    Proof(
        "bus words in LUTs",
        "DecodeUnit, TileFront",
        "As in gates, with the delays of LUTs.",
        BIT_VECTORS,
        _ASSUMED,
        partial(bus_words, fabric=Fabric.LUTS),
        ("LUTs: parts trail as in gates", "decode: top-1 of the next beat"),
    ),
]
