"""The quantization engine as a whole: a group's scale, and that its subgroups are those proved."""

from functools import partial

import z3
from amaranth.hdl import Fragment, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl import formats
from hdl.quantizer import QuantizationEngine, engine
from hdl.quantizer.encode import SUBGROUP, Encoder

from ..checker import Checker
from ..cuts import replaced
from ..floats import FLOATS, UNIT, WIDTH, in_group
from ..model import Model
from ..terms import field
from .proof import BIT_VECTORS, Proof
from .subgroup import Front

#: Values of a group.
LANES = 32


def exponents(check: Checker, dtype: str) -> None:
    """Check the oracle's exponent of every value: between which powers of two it is."""
    kind = FLOATS[dtype]
    value = z3.BitVec("value", kind.width)
    exponent, magnitude = kind.exponent(value), kind.magnitude(value)
    power = z3.BitVecVal(1, WIDTH) << z3.ZeroExt(WIDTH - 8, exponent) + UNIT - 127
    finite = kind.finite(value)
    check.prove("below the next power", in_group(magnitude, exponent), finite)
    check.prove("at least the power", z3.UGE(magnitude, power), finite, exponent != 0)
    check.prove("255", exponent == 255, z3.Not(finite))


def scale(check: Checker, dtype: str) -> None:
    """Check the scale of every group of 32 values."""
    exponents(check, dtype)
    kind = FLOATS[dtype]
    model = Model(QuantizationEngine(formats.get("m2xfp"), dtype=dtype))
    values, one = z3.BitVec("values", LANES * kind.width), z3.BitVecVal(1, 1)
    ready = dict.fromkeys(range(3), one)
    inputs = {"values__payload": {0: values}, "values__valid": {0: one}, "groups__ready": ready}
    last = model.pipeline(inputs, 2)
    check.prove("a word", model.value(last, "groups__valid") == 1)
    code = field(model.value(last, "groups__payload"), 136, 8)
    each = [field(values, kind.width * i, kind.width) for i in range(LANES)]
    largest = z3.BitVec("largest", 8)
    is_largest = [z3.UGE(largest, kind.exponent(value)) for value in each]
    is_largest.append(z3.Or([largest == kind.exponent(value) for value in each]))
    finite = z3.And([kind.finite(value) for value in each])
    floor = z3.If(z3.ULT(largest, 2), z3.BitVecVal(0, 8), largest - 2)
    check.prove("scale", code == floor, *is_largest, finite)
    check.prove("NaN", code == 255, z3.Not(finite))
    for expected in (0, 101, 140):
        check.cover(f"scale {expected}", code == expected, finite)
    for lane in (0, 13, LANES - 1):
        others = [kind.finite(value) for i, value in enumerate(each) if i != lane]
        check.cover(f"NaN in lane {lane} only", code == 255, *others)


class _Socket(Encoder):
    """The ports of an encoder; what is in their place is free."""

    def elaborate(self, platform):
        return Module()


class _Frame(wiring.Component):
    """The engine of 32 lanes around its encoders and its tree of exponents, which are inputs.

    Attributes
    ----------
    values, groups
        The engine's.
    largest : In(8)
    values_i : Out
        What encoder i takes.
    nan_i, enable_i : Out(1)
    elements_i : In(ArrayLayout(E2M1, 8))
    meta_i : In(2)
    """

    def __init__(self, format: str, dtype: str, role: str):
        make = QuantizationEngine._make_encoder
        self._sockets: list[Encoder] = []

        def make_socket(engine: QuantizationEngine) -> Encoder:
            real = make(engine)
            options = {"has_metadata": real.has_metadata, "latency": real.latency}
            self._sockets.append(_Socket(real.significand_bits, **options))
            return self._sockets[-1]

        self._engine = QuantizationEngine(formats.get(format), dtype=dtype, role=role)
        self._largest = Signal(8)
        with (
            replaced(QuantizationEngine, "_make_encoder", make_socket),
            replaced(engine, "largest", lambda m, values: self._largest),
        ):
            self._fragment = Fragment.get(self._engine, None)
        members = dict(self._engine.signature.members) | {"largest": In(8)}
        for i, socket in enumerate(self._sockets):
            members |= {f"{name}_{i}": m.flip() for name, m in socket.signature.members.items()}
        super().__init__(members)

    @property
    def latency(self) -> int:
        """Ranks of registers within an encoder."""
        return self._sockets[0].latency

    def elaborate(self, platform):
        """Connect the ports."""
        m = Module()
        m.submodules.engine = self._fragment
        wiring.connect(m, wiring.flipped(self.values), self._engine.values)
        wiring.connect(m, self._engine.groups, wiring.flipped(self.groups))
        m.d.comb += self._largest.eq(self.largest)
        for i, socket in enumerate(self._sockets):
            for name, member in socket.signature.members.items():
                inner, outer = getattr(socket, name), getattr(self, f"{name}_{i}")
                m.d.comb += inner.eq(outer) if member.flow is Out else outer.eq(inner)
        return m


def frame(check: Checker, format: str, dtype: str, role: str) -> None:
    """Check what encoders are given, and that a word is made of what they give."""
    kind, ready = FLOATS[dtype], z3.BitVecVal(1, 1)
    component = _Frame(format, dtype, role)
    latency = component.latency
    model, front = (
        Model(component),
        Model(Front(dtype, exact=(format, role) != ("m2xfp", "activations"))),
    )
    values, largest = z3.BitVec("values", LANES * kind.width), z3.BitVec("largest", 8)
    elements = [z3.BitVec(f"elements_{i}", 32) for i in range(LANES // SUBGROUP)]
    metadata = [z3.BitVec(f"meta_{i}", 2) for i in range(LANES // SUBGROUP)]
    inputs = {
        "values__payload": {0: values},
        "values__valid": {0: ready},
        "largest": {0: largest},
        "groups__ready": dict.fromkeys(range(latency + 3), ready),
    }
    inputs |= {f"elements_{i}": {latency + 1: value} for i, value in enumerate(elements)}
    inputs |= {f"meta_{i}": {latency + 1: value} for i, value in enumerate(metadata)}
    entered, encoded, done = (model.pipeline(inputs, n) for n in (1, latency + 1, latency + 2))
    for i in range(LANES // SUBGROUP):
        mine = field(values, SUBGROUP * kind.width * i, SUBGROUP * kind.width)
        state = front.drive(front.fresh("front"), values=mine, largest=largest)
        aligned = front.value(state, "aligned")
        check.prove(f"values of encoder {i}", model.value(entered, f"values_{i}") == aligned)
        nan = model.value(encoded, f"nan_{i}") == 1
        check.prove(f"NaN of encoder {i}", nan == (largest == 255))
        enabled = [
            model.value(model.pipeline(inputs, n), f"enable_{i}") == 1
            for n in range(1, latency + 1)
        ]
        check.prove(f"encoder {i} moves on", z3.And(enabled))
    word = model.value(done, "groups__payload")
    check.prove("a word", model.value(done, "groups__valid") == 1)
    check.prove("elements", field(word, 0, 128) == z3.Concat(elements[::-1]))
    check.prove("metadata", field(word, 128, 8) == z3.Concat(metadata[::-1]))
    floor = z3.If(z3.ULT(largest, 2), z3.BitVecVal(0, 8), largest - 2)
    code = z3.If(largest == 255, largest, floor)
    check.prove("scale", field(word, 136, 8) == code)
    check.cover("any word", word == 0x123456789ABCDEF, values != 0)


def frames(check: Checker) -> None:
    """Check the engine's frame for every type, and for every format of FP32."""
    kinds = [("m2xfp", dtype) for dtype in FLOATS]
    kinds += [("m2xfp_sg", "fp32"), ("m2xfp_sg_spare", "fp32")]
    for format, dtype in kinds:
        for role in ("activations", "weights"):
            frame(check, format, dtype, role)


PROOFS = [
    *(
        Proof(
            "scale of a group" + name,
            "QuantizationEngine",
            f"For all 32 {dtype.upper()} values of a group the scale code is "
            "max(floor(log2(amax)) - 2 + 127, 0), or 255 if and only if one is NaN or infinite.",
            BIT_VECTORS + "; the whole engine of 32 lanes, from registers of any content",
            "the word is taken at once",
            partial(scale, dtype=dtype),
            mutants,
            quick=dtype == "fp32",
        )
        for dtype, name, mutants in (
            (
                "fp32",
                "",
                ("lane: scale of a faint group wraps", "scale: both of a pair stay in"),
            ),
            ("bf16", ", bf16", ("lane: scale of a faint group wraps",)),
            ("fp16", ", fp16", ("scale: FP16 infinity is finite",)),
        )
    ),
    Proof(
        "frame of the quantization engine",
        "QuantizationEngine",
        "Every encoder is given its eight values, unpacked and aligned to the group's largest "
        "exponent; the word is made of what the encoders give, in their order, and of the scale; "
        "for both roles, FP32, BF16 and FP16.",
        BIT_VECTORS,
        "32 lanes; BF16 and FP16 of M2XFP only; the word is taken at once; encoders and the tree "
        "of exponents are free: they have proofs of their own",
        frames,
        ("scale: NaN of another group",),
        quick=False,
    ),
]
