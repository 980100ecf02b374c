import dataclasses
from fractions import Fraction

import pytest

import golden
from golden import InputError
from sim.model import cost, energy, report, storage
from sim.model.cost import Options
from sim.model.machine import Machine
from sim.model.network import Layer, Network, load, names
from sim.model.storage import Fallback
from synth import baseline

#: From the paper: (N, K) of every layer of a block.
SHAPES = {
    "llama2_7b": {"q k v o": (4096, 4096), "gate up": (11008, 4096), "down": (4096, 11008)},
    "llama3_8b": {"q o": (4096, 4096), "k v": (1024, 4096), "gate up": (14336, 4096),
                  "down": (4096, 14336)},
    "llama3_70b": {"q o": (8192, 8192), "k v": (1024, 8192), "gate up": (28672, 8192),
                   "down": (8192, 28672)},
    "falcon_7b": {"qkv": (4672, 4544), "o": (4544, 4544), "up": (18176, 4544),
                  "down": (4544, 18176)},
    "opt_6_7b": {"q k v o": (4096, 4096), "up": (16384, 4096), "down": (4096, 16384)},
}  # fmt: skip
SHAPES["mistral_7b"] = SHAPES["llama3_8b"]
BLOCKS = {"llama3_70b": 80}

SMALL = Machine(lanes=32, columns=4, rows=8, clock=1e6, bandwidth=1e9, activation_buffer=2)

#: Cycles of every command beside its data: latency of the tile, 4 bits of rows to check, status.
COMMAND = SMALL.core("m2xfp", 8).tile.latency + 4 + 4 + 11


def test_networks_are_those_of_the_paper():
    assert set(names()) == set(SHAPES)
    for name, layers in SHAPES.items():
        net = load(name)
        assert net.blocks == BLOCKS.get(name, 32)
        expected = {one: shape for some, shape in layers.items() for one in some.split()}
        assert {layer.name: (layer.n, layer.k) for layer in net.layers} == expected


@pytest.mark.parametrize(
    ("format", "bits"), [("m2xfp", 4.5), ("mxfp4", 4.25), ("nvfp4", 4.5), ("smx4", 4)]
)
def test_bits_of_a_group(format, bits):
    group = golden.formats.get(format).group
    assert storage.operand(format).bits == bits * group
    assert storage.results(format, quantized=True).bits == bits * group
    assert storage.results(format, quantized=False).bits == 32 * group


def test_bits_of_a_share_at_eight_bits():
    half = storage.operand("m2xfp", 0.5)
    assert (half.elements, half.scales, half.metadata) == (32 * 6, 8, 8)
    with pytest.raises(InputError) as refusal:
        storage.operand("smx4", 0.5)
    assert str(refusal.value) == "Fallback needs a format of 4-bit elements, not smx4"


def test_a_layer_by_hand():
    """10 rows are two blocks, of 8 and 2, which read the weights twice; K = 6 groups."""
    one = cost.layer(SMALL, Layer("any", n=6, k=192), 10, Options())
    assert (one.tiling.m, one.tiling.n, one.tiling.k) == (8, 4, 6)
    assert (one.moved.activations, one.moved.weights, one.moved.partials) == (1, 2, 0)
    # Each block loads, then streams past 2 blocks of channels x 6 groups; sets last 8 and 6.
    assert one.total.cycles == 8 * 6 + 12 * 8 + 2 * 6 + 11 * 6 + 2 + COMMAND
    assert one.total.macs == 10 * 6 * 192
    assert one.total.utilization == 10 * 6 * 192 / (one.total.cycles * 128)
    assert one.total.bits == {
        "activations elements": 10 * 6 * 128,
        "activations scales": 10 * 6 * 8,
        "activations metadata": 10 * 6 * 8,
        "weights elements": 2 * 6 * 6 * 128,
        "weights scales": 2 * 6 * 6 * 8,
        "weights metadata": 2 * 6 * 6 * 8,
        "partial sums": 0,
        "results": 10 * 6 * 32,
    }
    assert one.total.seconds == one.total.cycles / 1e6
    assert one.bound == "array"


def test_partial_sums_by_hand():
    """2 KiB hold 113 groups, so 120 are two commands; the sums of the first leave and return."""
    one = cost.layer(SMALL, Layer("any", n=6, k=120 * 32), 1, Options())
    assert one.tiling.k == 60
    assert one.total.cycles == 2 * (60 + (2 * 60 - 1) * 6 + 1 + COMMAND)
    assert one.total.bits["partial sums"] == 2 * 6 * 32
    assert one.total.bits["weights scales"] == 120 * 6 * 8


def test_bounds():
    layer = Layer("any", n=64, k=1024)
    assert cost.layer(SMALL, layer, 1, Options()).bound == "weight port"
    assert cost.layer(SMALL, layer, 8, Options()).bound == "array"
    slow = dataclasses.replace(SMALL, bandwidth=1e6)
    one = cost.layer(slow, layer, 1, Options())
    assert one.bound == "memory"
    assert one.total.seconds == one.total.traffic / 1e6


def test_energy_by_hand():
    """Every event once, at the node of the synthesis and of the caches."""
    figures = baseline.load(baseline.FILE)["figures"]
    column = figures["osu018 column m2xfp"]
    engine = figures["osu018 quantizer m2xfp"]
    events = energy.Events(1, 0, 1, 64, 64, 64)
    old = energy.joules(events, "m2xfp", 180, "dram")
    picojoules = column["power mW"] * column["period ns"]
    assert old["columns"].low == old["columns"].high == pytest.approx(picojoules * 1e-12)
    assert old["engine"].low == pytest.approx(engine["power mW"] * engine["period ns"] * 1e-12)
    assert old["off-chip memory"] == energy.Range(1300e-12, 2600e-12)
    at_45 = energy.joules(events, "m2xfp", 45, "hbm2")
    assert at_45["on-chip memory"].low == pytest.approx((10 + 20) * 1e-12)
    assert at_45["on-chip memory"].high == pytest.approx((10 + 100) * 1e-12)
    assert at_45["off-chip memory"].low == pytest.approx(64 * 3.92e-12)
    assert energy.joules(events, "smx4", 28, "dram") is None


def test_node_factors_by_hand():
    """The polynomials at 1.8 V and 0.9 V in exact arithmetic, of 32 nm and of 20 nm."""
    v = Fraction(9, 10)
    old = Fraction("24.64") * 2 * v - Fraction("17.98")
    high = Fraction("0.9559") * v**2 - Fraction("0.7823") * v + Fraction("0.471")
    low = Fraction("0.2632") * v**2 - Fraction("0.14") * v + Fraction("0.06841")
    found = energy.node_factor(28, 180)
    assert found.low == pytest.approx(float(low / old))
    assert found.high == pytest.approx(float(high / old))


def test_blocks_add_up():
    net = Network("two", 3, (Layer("a", 8, 64), Layer("b", 4, 128)))
    costs = cost.block(SMALL, net, 5, Options(quantized=False))
    total = cost.network(costs, net.blocks)
    assert total.macs == 3 * 5 * (8 * 64 + 4 * 128)
    assert total.cycles == 3 * sum(one.total.cycles for one in costs)
    assert total.seconds == pytest.approx(3 * sum(one.total.seconds for one in costs))
    assert total.energy.high == pytest.approx(3 * sum(one.total.energy.high for one in costs))


def test_fallback_of_one_tensor():
    layer = Layer("any", n=64, k=1024)
    plain = cost.layer(SMALL, layer, 8, Options()).total
    weights = cost.layer(SMALL, layer, 8, Options(fallback={"any": Fallback(weights=0.5)})).total
    assert weights.bits["weights elements"] == 1.5 * plain.bits["weights elements"]
    assert weights.bits["weights scales"] == plain.bits["weights scales"]
    assert weights.bits["activations elements"] == plain.bits["activations elements"]
    assert weights.cycles == pytest.approx(1.5 * plain.cycles, rel=1e-2)
    other = cost.layer(SMALL, layer, 8, Options(fallback={"other": Fallback(1, 1)})).total
    assert other == plain


def test_the_claim_is_an_identity_of_the_array():
    """1.91 of a prompt; of a token 1 + s at the weight port, bits over bits from slow memory."""
    share = report.CLAIMED_SHARE
    found = report.ratios(load("llama3_8b"), share)
    assert found[0] == pytest.approx(1.91)
    assert found[1] == pytest.approx(1.91, rel=1e-4)
    assert found[2] == pytest.approx(1 + share, rel=1e-4)
    assert found[3] == pytest.approx((4.25 + 4 * share) / 4.5, rel=2e-3)


@pytest.mark.parametrize(
    ("machine", "options", "message"),
    [
        (
            Machine(lanes=24, columns=1),
            Options(),
            "Array must be of whole columns of 32 lanes for m2xfp, not 24x1",
        ),
        (
            dataclasses.replace(SMALL, activation_buffer=0),
            Options(),
            "Activation buffer must hold a group of 144 bits, not 0 KiB",
        ),
    ],
)
def test_refused(machine, options, message):
    with pytest.raises(InputError) as refusal:
        cost.layer(machine, Layer("any", n=64, k=1024), 8, options)
    assert str(refusal.value) == message
