"""The campaigns by name."""

from hdl import formats
from hdl.accumulator import Fp32Accumulator
from hdl.quantizer import QuantizationEngine

from ..proofs.dot import Subgroup
from .components import GroupProduct, Lane
from .runner import Campaign

__all__ = ["CAMPAIGNS"]

#: Largest group sum and largest sum of two scale codes; format spec, section 7.
_LARGEST_SUM, _LARGEST_EXPONENT = 131712, 508


def _m2xfp():
    return formats.get("m2xfp")


def _accumulator() -> dict[str, int]:
    format = _m2xfp()
    unit = Fp32Accumulator(format)
    return {
        "SIGNIFICAND_BITS": format.significand_bits,
        "EXPONENT_BITS": format.exponent_bits,
        "UNIT": format.unit_exponent,
        "LARGEST_SUM": _LARGEST_SUM,
        "LARGEST_EXPONENT": _LARGEST_EXPONENT,
        "PARTIAL_DELAY": unit.partial_delay,
        "LATENCY": unit.latency,
    }


_LANE_CLASSES = (
    "zero",
    "subnormal",
    "normal",
    "tie of E2M1",
    "tie of E2M3",
    "saturated",
    "cannot be in the group",
)

CAMPAIGNS = {
    campaign.name: campaign
    for campaign in (
        Campaign(
            "accumulations",
            "Fp32Accumulator of m2xfp: FP32 additions, against the host's",
            "accumulate.cc",
            lambda: Fp32Accumulator(_m2xfp()),
            (
                "any bits",
                "exponents near each other",
                "cancellation",
                "ties",
                "sticky bit only",
                "powers of two",
                "subnormal terms",
                "subnormal ties",
                "subnormal terms, larger partial",
                "zeros",
                "overflow",
                "last finite",
                "infinities",
                "NaN partial",
                "NaN scale",
                "result zero",
                "result subnormal",
                "result normal",
                "result infinite",
                "result NaN",
                "result rounded",
                "result of a tie",
                "more than 16 bits cancelled",
            ),
            cases=1_000_000_000,
            sample=3_000_000,
            chunk=10_000_000,
            constants=_accumulator,
        ),
        Campaign(
            "group products",
            "GroupDecoder and GroupDot of m2xfp: sums, scales, NaN, against naive sums",
            "products.cc",
            lambda: GroupProduct(_m2xfp()),
            (
                "any codes",
                "large codes",
                "equal codes",
                "one subgroup",
                "many zeros",
                "largest sum",
                "sum zero",
                "sum negative",
                "NaN",
                "pairs of scales, all 65536",
            ),
            cases=100_000_000,
            sample=300_000,
            chunk=1_000_000,
            constants=lambda: {"LATENCY": GroupProduct(_m2xfp()).latency},
        ),
        Campaign(
            "quantized groups",
            "QuantizationEngine, FP32 activations to m2xfp, with stalls, against exact comparisons",
            "quantize.cc",
            lambda: QuantizationEngine(_m2xfp()),
            (
                "like exponents",
                "all exponents",
                "ties",
                "beside ties",
                "faint",
                "special values",
                "equal magnitudes",
                "zeros",
                "NaN group",
                "least scale",
                "cycles stalled",
                "metadata 0",
                "metadata 1",
                "metadata 2",
                "metadata 3",
            ),
            cases=10_000_000,
            sample=50_000,
            chunk=100_000,
        ),
        Campaign(
            "subgroups",
            "DecodeUnit and SubgroupDot of m2xfp: all magnitudes and metadata, against naive sums",
            "decode.cc",
            lambda: Subgroup(_m2xfp()),
            (
                "metadata 0",
                "metadata 1",
                "metadata 2",
                "metadata 3",
                "several largest",
                "all zero",
                "top-1 is the last",
            ),
            cases=4 << 24,
            sample=4 << 24,
            exhaustive=True,
            chunk=1 << 22,
        ),
        *(
            Campaign(
                f"{dtype} lane",
                f"lane of the quantization engine: all {dtype.upper()} values beside all scales",
                "lane.cc",
                lambda dtype=dtype: Lane(dtype),
                _LANE_CLASSES,
                cases=255 << 16,
                sample=255 << 16,
                exhaustive=True,
                chunk=1 << 20,
                constants=lambda dtype=dtype: {"BF16": int(dtype == "bf16")},
            )
            for dtype in ("bf16", "fp16")
        ),
    )
}
