import itertools

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from ..bits import named
from ..e2m1 import HALVES
from .encode import SUBGROUP, Encoder

#: Multiplier k stands for (4 + k) / 4.
MULTIPLIERS = range(4)


class MultiplierEncoder(Encoder):
    """Encodes a subgroup with the best of four multipliers: Sg-EM with a fixed scale.

    See format spec, section 3. Quantized magnitudes are q = (4 + k) / 4 * v and y = |w| / 2^E.
    The squared errors of two multipliers differ by what their sums of q * (q - 2y) differ:
    y * y is the same for both. That sum is an integer in a fixed unit and is computed exactly;
    the lowest k of the least sum wins. A NaN group and a zero group have multiplier 0.

    With f fraction bits in y, and H = 2v an integer, the sum is, in units of 2^(-f-2):
    (4 + k) * (2^(f-4) * (4 + k) * sum(H * H) - sum(H * Y)).

    Ranks: y and its four codes; the two sums of each multiplier; the four scores.

    Parameters
    ----------
    fraction_bits : int
        Fraction bits of the values' type.
    """

    def __init__(self, fraction_bits: int):
        super().__init__(fraction_bits + 1, has_metadata=True, latency=3)
        #: Fraction bits of y: an exact code other than 0 needs y > 1/4, at distance 4 or less.
        self._fraction = fraction_bits + 2

    def elaborate(self, platform):
        m = Module()
        lanes = [self._magnitude(m, value, f"y_{i}") for i, value in enumerate(self.values)]
        codes = [
            [candidate(m, y, self._fraction, k, f"code_{i}_{k}") for k in MULTIPLIERS]
            for i, y in enumerate(lanes)
        ]
        flat = Cat(*(Cat(*row) for row in codes), *(value.sign for value in self.values))
        lanes = [self._register(m, y, f"y_reg_{i}") for i, y in enumerate(lanes)]
        flat = self._register(m, flat, "codes_1")
        sums = [self._sums(m, lanes, flat, k) for k in MULTIPLIERS]
        flat = self._register(m, flat, "codes_2")
        scores = [self._score(m, *sums[k], k) for k in MULTIPLIERS]
        flat = self._register(m, flat, "codes_3")
        k = least(m, scores)
        m.d.comb += self.meta.eq(k)
        for i, element in enumerate(self.elements):
            chosen = Array(code_of(flat, i, k) for k in MULTIPLIERS)[k]
            m.d.comb += [element.code.eq(chosen), element.sign.eq(sign_of(flat, i) & ~self.nan)]
        return m

    def _register(self, m: Module, value: Value, name: str) -> Signal:
        register = Signal(len(value), name=name, reset_less=True)
        with m.If(self.enable):
            m.d.sync += register.eq(value)
        return register

    def _magnitude(self, m: Module, value: data.View, name: str) -> Value:
        """Return y in units of 2^-f; farther below than 4, 0 serves as well."""
        wide = value.significand << 4
        y = 0
        for distance in range(5):
            y |= Mux(value.distance == distance, wide >> distance, 0)
        return named(m, name, y[: len(value.significand) + 4])

    def _sums(self, m: Module, lanes, flat, k: int) -> tuple[Signal, Signal]:
        """Return the registered sums of H * H and of H * Y."""
        squares, products = [], []
        for i, y in enumerate(lanes):
            code = code_of(flat, i, k)
            squares.append(Array(Const(h * h, 8) for h in HALVES)[code])
            products.append(named(m, f"product_{i}_{k}", multiple(m, y, code, f"{i}_{k}")))
        return (
            self._register(m, balanced_sum(squares), f"squares_{k}"),
            self._register(m, balanced_sum(products), f"products_{k}"),
        )

    def _score(self, m: Module, squares: Value, products: Value, k: int) -> Signal:
        """Return the registered sum of q * (q - 2y), in units of 2^(-f-2)."""
        factor = 4 + k
        inner = named(m, f"inner_{k}", (squares * factor << (self._fraction - 4)) - products)
        score = inner * Const(factor, 4)
        register = Signal(signed(len(score)), name=f"score_{k}", reset_less=True)
        with m.If(self.enable):
            m.d.sync += register.eq(score)
        return register


def candidate(m: Module, y: Value, fraction: int, k: int, name: str) -> Value:
    """Return RNE(y / (1 + k/4), E2M1): y is compared with every midpoint times (4 + k) / 4.

    Midpoints are multiples of 1/4, so the products are multiples of 1/16: they are compared with
    the bits of y down to there, and whether any bit is set below.
    """
    top = Cat(y[: fraction - 4].any(), y[fraction - 4 :])
    passed = []
    for code, (low, high) in enumerate(itertools.pairwise(HALVES)):
        # A tie goes to the even code: the midpoint itself counts as passed above an odd code.
        threshold = 2 * (low + high) * (4 + k) + (code + 1) % 2
        passed.append(top >= threshold)
    passed = named(m, f"{name}_passed", Cat(passed))
    code = 0
    for i in range(len(HALVES) - 1):
        here = passed[i] & ~passed[i + 1] if i + 1 < len(passed) else passed[i]
        code |= Mux(here, i + 1, 0)
    return named(m, name, code[:3])


def multiple(m: Module, y: Value, code: Value, name: str) -> Value:
    """Return y times the magnitude of an E2M1 code in units of 1/2: one adder, then shifts."""
    triple = named(m, f"triple_{name}", y + (y << 1))
    rows = {1: y, 2: y << 1, 3: triple, 4: y << 2, 5: triple << 1, 6: y << 3, 7: triple << 2}
    product = 0
    for index, row in rows.items():
        product |= Mux(code == index, row, 0)
    return product


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


def code_of(flat: Value, lane: int, k: int) -> Value:
    """Return the code of a lane under multiplier k."""
    return flat.word_select(lane * len(MULTIPLIERS) + k, 3)


def sign_of(flat: Value, lane: int) -> Value:
    """Return the sign of a lane, kept above the codes."""
    return flat[SUBGROUP * len(MULTIPLIERS) * 3 + lane]
