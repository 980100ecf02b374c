import itertools
from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from ..bits import named
from ..e2m1 import HALVES, shifts, significand
from .encode import SUBGROUP, Encoder

#: Multipliers of a subgroup.
CHOICES = range(4)

#: Code of the spare value, where there is one: E2M1's negative zero as a nibble.
SPARE = 8


@dataclass(frozen=True)
class Multipliers:
    """Four multipliers n / 2^shift, in the order in which equal errors are decided.

    Attributes
    ----------
    numerators : tuple of int
        n of every index.
    shift : int
    depth : int
        Largest distance at which a value may have another code than 0.
    spare : int
        Value of the spare code in units of 1/2; 0 without one.
    """

    numerators: tuple[int, int, int, int]
    shift: int
    depth: int
    spare: int = 0


_ACTIVATIONS, _WEIGHTS = (4, 5, 3, 1), (8, 7, 6, 5)

#: Format and role -> multipliers of the subgroups, where they have them.
MULTIPLIERS = {
    ("m2xfp", "weights"): Multipliers((4, 5, 6, 7), 2, 4),
    ("m2xfp_sg", "activations"): Multipliers(_ACTIVATIONS, 2, 6),
    ("m2xfp_sg", "weights"): Multipliers(_WEIGHTS, 3, 5),
    ("m2xfp_sg_spare", "activations"): Multipliers(_ACTIVATIONS, 2, 6, spare=14),
    ("m2xfp_sg_spare", "weights"): Multipliers(_WEIGHTS, 3, 5, spare=10),
}


class MultiplierEncoder(Encoder):
    """Encodes a subgroup with the best of four multipliers, under a fixed scale.

    See format spec, section 3, and docs/m2xfp_sg.md. Quantized magnitudes are
    q = n / 2^shift * v and y = |x| / 2^E. The squared errors of two multipliers differ by what
    their sums of q * (q - 2y) differ: y * y is the same for both. That sum is an integer in a
    fixed unit and is computed exactly; the lowest index of the least sum wins. A NaN group and a
    zero group have index 0.

    With f fraction bits in y, and H = 2v an integer, the sum is, in units of 2^(-f-shift):
    n * (2^(f-2-shift) * n * sum(H * H) - sum(H * Y)).

    Ranks: y and its four codes; the two sums of each multiplier; the four scores.

    Parameters
    ----------
    fraction_bits : int
        Fraction bits of the values' type.
    multipliers : Multipliers
    """

    def __init__(self, fraction_bits: int, multipliers: Multipliers):
        super().__init__(fraction_bits + 1, has_metadata=True, latency=3)
        self._multipliers = multipliers
        #: Fraction bits of y that an exact code other than 0 needs.
        self._fraction = fraction_bits + multipliers.depth - 2
        self._code_bits = 4 if multipliers.spare else 3

    def elaborate(self, platform):
        m = Module()
        lanes = [self._magnitude(m, value, f"y_{i}") for i, value in enumerate(self.values)]
        signs = [value.sign for value in self.values]
        codes = [
            self._code(m, y, sign, k, f"code_{i}_{k}")
            for i, (y, sign) in enumerate(zip(lanes, signs, strict=True))
            for k in CHOICES
        ]
        flat = Cat(*signs, *codes)
        lanes = [self._register(m, y, f"y_reg_{i}") for i, y in enumerate(lanes)]
        flat = self._register(m, flat, "codes_1")
        sums = [self._sums(m, lanes, flat, k) for k in CHOICES]
        flat = self._register(m, flat, "codes_2")
        scores = [self._score(m, *sums[k], k) for k in CHOICES]
        flat = self._register(m, flat, "codes_3")
        k = least(m, scores)
        m.d.comb += self.meta.eq(k)
        for i, element in enumerate(self.elements):
            chosen = named(m, f"chosen_{i}", Array(self._code_of(flat, i, k) for k in CHOICES)[k])
            sign = flat[i] & ~self.nan
            if self._multipliers.spare:
                sign = (sign & chosen.any()) | chosen[3]
            m.d.comb += [element.code.eq(chosen), element.sign.eq(sign)]
        return m

    def _code(self, m: Module, y: Value, sign: Value, k: int, name: str) -> Value:
        """Return the nearest code of a lane, the spare one included."""
        multipliers, n = self._multipliers, self._multipliers.numerators[k]
        top = steps(y, self._fraction - 2 - multipliers.shift)
        code = candidate(m, top, n, name)
        if not multipliers.spare:
            return code
        spare = ~sign & nearest_spare(top, n, multipliers.spare)
        return named(m, f"{name}_or_spare", Mux(spare, SPARE, code))

    def _code_of(self, flat: Value, lane: int, k: int) -> Value:
        """Return the code of a lane under multiplier k; they are above the signs."""
        start = SUBGROUP + (lane * len(CHOICES) + k) * self._code_bits
        return flat[start : start + self._code_bits]

    def _register(self, m: Module, value: Value, name: str) -> Signal:
        register = Signal(len(value), name=name, reset_less=True)
        with m.If(self.enable):
            m.d.sync += register.eq(value)
        return register

    def _magnitude(self, m: Module, value: data.View, name: str) -> Value:
        """Return y in units of 2^-f; farther below than the depth, 0 serves as well."""
        depth = self._multipliers.depth
        wide = value.significand << depth
        y = 0
        for distance in range(depth + 1):
            y |= Mux(value.distance == distance, wide >> distance, 0)
        return named(m, name, y[: len(value.significand) + depth])

    def _sums(self, m: Module, lanes, flat, k: int) -> tuple[Signal, Signal]:
        """Return the registered sums of H * H and of H * Y."""
        squares, products = [], []
        for i, y in enumerate(lanes):
            code = self._code_of(flat, i, k)
            squares.append(Array(Const(h * h, 8) for h in (*HALVES, self._multipliers.spare))[code])
            product = multiple(m, y, code, self._multipliers.spare, f"{i}_{k}")
            products.append(named(m, f"product_{i}_{k}", product))
        return (
            self._register(m, balanced_sum(squares), f"squares_{k}"),
            self._register(m, balanced_sum(products), f"products_{k}"),
        )

    def _score(self, m: Module, squares: Value, products: Value, k: int) -> Signal:
        """Return the registered sum of q * (q - 2y), in units of 2^(-f-shift)."""
        n, places = self._multipliers.numerators[k], self._fraction - 2 - self._multipliers.shift
        inner = named(m, f"inner_{k}", (squares * n << places) - products)
        score = inner * Const(n, 4)
        register = Signal(signed(len(score)), name=f"score_{k}", reset_less=True)
        with m.If(self.enable):
            m.d.sync += register.eq(score)
        return register


def steps(y: Value, dropped: int) -> Value:
    """Return y without its lowest bits, and below it whether any of those is set."""
    return Cat(y[:dropped].any(), y[dropped:])


def candidate(m: Module, top: Value, n: int, name: str) -> Value:
    """Return RNE(y / (n / 2^shift), E2M1): y is compared with every midpoint times n / 2^shift.

    Midpoints are multiples of 1/4, so the products are multiples of 2^(-2-shift): they are
    compared with the bits of y down to there, and whether any bit is set below.
    """
    passed = []
    for code, (low, high) in enumerate(itertools.pairwise(HALVES)):
        # A tie goes to the even code: the midpoint itself counts as passed above an odd code.
        threshold = 2 * (low + high) * n + (code + 1) % 2
        passed.append(top >= threshold)
    passed = named(m, f"{name}_passed", Cat(passed))
    code = 0
    for i in range(len(HALVES) - 1):
        here = passed[i] & ~passed[i + 1] if i + 1 < len(passed) else passed[i]
        code |= Mux(here, i + 1, 0)
    return named(m, name, code[:3])


def nearest_spare(top: Value, n: int, spare: int) -> Value:
    """Return whether the spare value is strictly closer to y than its neighbours."""
    below = max(half for half in HALVES if half < spare)
    closer = top > 2 * (below + spare) * n
    above = [half for half in HALVES if half > spare]
    return closer & (top < 2 * (spare + above[0]) * n) if above else closer


def multiple(m: Module, y: Value, code: Value, spare: int, name: str) -> Value:
    """Return y times the magnitude of a code in units of 1/2: one adder, then a shift.

    The spare values are 7 = 8 - 1 and 5 = 4 + 1, shifted by one.
    """
    none, one, two = shifts(code[:3])
    bits = significand(code[:3])
    low, high, negative = _if(bits[0], y), _if(bits[1], y << 1), Const(0, 1)
    if spare:
        is_spare = code[3]
        none, one = none & ~is_spare, one | is_spare
        negative = is_spare if spare == 14 else negative
        low |= _if(is_spare, y)
        high |= _if(is_spare, y << (3 if spare == 14 else 2))
    # Adding a low bit of 1 to both carries in the one that completes the negation.
    width = len(y) + 3
    low = Cat(negative, Cat(low, Const(0, width))[:width] ^ negative.replicate(width))
    total = (low + Cat(negative, high))[1 : width + 1]
    total = named(m, f"multiple_{name}", total)
    return _if(none, total) | _if(one, total << 1) | _if(two, total << 2)


def _if(enable: Value, value: Value) -> Value:
    return value & enable.replicate(len(value))


def balanced_sum(terms: list[Value]) -> Value:
    """Add terms pairwise."""
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]


def least(m: Module, scores: list[Value]) -> Value:
    """Return the lowest index of the least of four scores."""
    low, high = (named(m, f"less_{i}", scores[i + 1] < scores[i]) for i in (0, 2))
    left = named(m, "left", Mux(low, scores[1], scores[0]))
    right = named(m, "right", Mux(high, scores[3], scores[2]))
    upper = named(m, "upper", right < left)
    return named(m, "multiplier", Cat(Mux(upper, high, low), upper))
