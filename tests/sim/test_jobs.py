"""What the engines refuse, before anything is elaborated or compiled."""

import numpy as np
import pytest
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from sim import engines
from sim.engines.ports import Ports
from tests.sim.components import Example, Join

ENGINE = engines.get("amaranth")
BEATS = np.zeros((2, 3), np.uint32)


def streams(inputs=None, outputs=None, **options):
    return ENGINE.run_streams(Example(), inputs or {}, outputs or {}, **options)


def pipeline(inputs, outputs, latency=3, **options):
    return ENGINE.run_pipeline(Example(), inputs, outputs, latency, **options)


def test_ports_are_discovered():
    ports = Ports.of(Join())
    assert [(p.name, p.is_input, p.width, p.words) for p in ports.streams.values()] == [
        ("sources__0", True, 5, 1),
        ("sources__1", True, 5, 1),
        ("nested__joined", False, 10, 1),
    ]
    plain = Ports.of(Example()).plain
    assert {name: (p.is_input, p.width, p.words) for name, p in plain.items()} == {
        "fault": (True, 3, 1),
        "a": (True, 33, 2),
        "b": (True, 7, 1),
        "product": (False, 40, 2),
        "low": (False, 3, 1),
    }


def test_components_only():
    with pytest.raises(TypeError, match=r"^Component must be a wiring\.Component, not 'tile'$"):
        ENGINE.run_streams("tile", {}, {})


@pytest.mark.parametrize("option", ["always_valid", "always_ready"])
def test_streams_have_a_handshake(option):
    class Free(wiring.Component):
        i: In(stream.Signature(4, **{option: True}))

    with pytest.raises(ValueError, match=r"^Stream i must have both valid and ready signals$"):
        Ports.of(Free())


def test_payloads_have_bits():
    class Empty(wiring.Component):
        o: Out(stream.Signature(0))

    with pytest.raises(ValueError, match=r"^Payload of stream o must have at least one bit$"):
        Ports.of(Empty())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: streams({"pears": BEATS}),
            r"^Component has no input stream 'pears'; it has pairs$",
        ),
        (lambda: streams({"sums": BEATS}), r"^Component has no input stream 'sums'; it has pairs$"),
        (
            lambda: streams({}, {"pairs": 1}),
            r"^Component has no output stream 'pairs'; it has sums$",
        ),
        (
            lambda: streams({"pairs": BEATS[:, :2]}),
            r"^Payloads of pairs must have shape \(n, 3\), not \(2, 2\)$",
        ),
        (
            lambda: streams({"pairs": BEATS[0]}),
            r"^Payloads of pairs must have shape \(n, 3\), not \(3,\)$",
        ),
        (
            lambda: streams({"pairs": np.full((1, 3), 2**16, np.uint32)}),
            r"^Payloads of pairs must fit in 80 bits$",
        ),
        (
            lambda: streams({}, {"sums": -1}),
            r"^Payload count of sums must be at least 0, not -1$",
        ),
        (lambda: streams(stall=1), r"^Stall of pairs must be at least 0 and less than 1, not 1$"),
        (
            lambda: streams(stall={"sums": -0.5}),
            r"^Stall of sums must be at least 0 and less than 1, not -0\.5$",
        ),
        (
            lambda: streams(stall={"sum": 0.5}),
            r"^Component has no stream 'sum'; it has pairs, sums$",
        ),
        (lambda: streams(max_cycles=0), r"^Maximum of cycles must be at least 1, not 0$"),
        (lambda: streams(drain=-1), r"^Drain must be at least 0, not -1$"),
        (
            lambda: streams(constants={"product": 1}),
            r"^Component has no input port 'product'; it has a, b, fault$",
        ),
        (lambda: streams(constants={"b": 128}), r"^Value of b must fit in 7 bits, not 128$"),
        (lambda: pipeline({}, ["product"]), r"^A pipeline run must have an input port and an outp"),
        (lambda: pipeline({"b": BEATS[:, :1]}, []), r"^A pipeline run must have an input port and"),
        (
            lambda: pipeline({"a": BEATS[:, :2], "b": BEATS[:1, :1]}, ["product"]),
            r"^Input ports must have equally many values, not {'a': 2, 'b': 1}$",
        ),
        (
            lambda: pipeline({"b": BEATS[:, :1]}, ["product"], -1),
            r"^Latency must be at least 0, not -1$",
        ),
        (
            lambda: pipeline({"b": BEATS[:, :1]}, ["b"]),
            r"^Component has no output port 'b'; it has low, product$",
        ),
    ],
)
def test_refused_values(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dtype", [np.int32, np.uint64, np.float32])
def test_refused_types(dtype):
    message = rf"^Payloads of pairs must be uint32, not {np.dtype(dtype).name}$"
    with pytest.raises(TypeError, match=message):
        streams({"pairs": BEATS.astype(dtype)})
