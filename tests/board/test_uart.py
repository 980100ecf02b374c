import re

import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from hdl.board import UartReceiver, UartTransmitter

from . import lines

BYTES = bytes([0, 255, 0x55, 0xAA, 0xA5, 1, 128, 0x33])


def simulate(component, *testbenches, cycles=100_000):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run_until(cycles * 1e-6)


def received(divisor, levels):
    """Return the bytes and the breaks that a receiver makes of what ``levels(ctx, pin)`` drives."""
    uart, found, breaks = UartReceiver(divisor), [], []

    async def drive(ctx):
        await ctx.tick().repeat(5)
        await levels(ctx, uart.rx)
        ctx.set(uart.rx, 1)

    async def watch(ctx):
        async for _, _, strobe, value, break_ in ctx.tick().sample(
            uart.strobe, uart.data, uart.break_
        ):
            found.extend([value] * strobe)
            breaks.extend([len(found)] * break_)

    simulator = Simulator(uart)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.add_testbench(watch, background=True)
    simulator.run_until(200 * divisor * 1e-6)
    return bytes(found), breaks


@pytest.mark.parametrize("divisor", [4, 5, 16, 217])
def test_receiver(divisor):
    async def levels(ctx, pin):
        await lines.send(ctx, pin, BYTES, divisor)

    assert received(divisor, levels) == (BYTES, [])


@pytest.mark.parametrize("other", [98, 102])
def test_receiver_at_the_sender_s_own_pace(other):
    async def levels(ctx, pin):
        await lines.send(ctx, pin, BYTES, other)

    assert received(100, levels) == (BYTES, [])


def test_glitch_is_no_start_bit():
    async def levels(ctx, pin):
        ctx.set(pin, 0)
        await ctx.tick().repeat(5)
        ctx.set(pin, 1)
        await ctx.tick().repeat(40)
        await lines.send(ctx, pin, b"m", 16)

    assert received(16, levels) == (b"m", [])


def test_byte_without_stop_bit_is_dropped():
    async def levels(ctx, pin):
        await lines.send(ctx, pin, b"x", 16, stop=0)
        ctx.set(pin, 1)
        await ctx.tick().repeat(16)
        await lines.send(ctx, pin, b"y", 16)

    assert received(16, levels) == (b"y", [])


@pytest.mark.parametrize(("bits", "breaks"), [(29, []), (33, [0]), (100, [0])])
def test_break(bits, breaks):
    async def levels(ctx, pin):
        ctx.set(pin, 0)
        await ctx.tick().repeat(16 * bits)
        ctx.set(pin, 1)
        await ctx.tick().repeat(16)
        await lines.send(ctx, pin, b"z", 16)

    assert received(16, levels) == (b"z", breaks)


@pytest.mark.parametrize("divisor", [4, 5, 16, 217])
def test_transmitter_is_exact_and_back_to_back(divisor):
    uart, levels = UartTransmitter(divisor), []

    async def feed(ctx):
        ctx.set(uart.i.valid, 1)
        for byte in BYTES:
            ctx.set(uart.i.payload, byte)
            await ctx.tick().until(uart.i.ready)
        ctx.set(uart.i.valid, 0)

    async def watch(ctx):
        for _ in range((10 * len(BYTES) + 3) * divisor):
            levels.append(ctx.get(uart.tx))
            await ctx.tick()

    simulate(uart, feed, watch, cycles=100 * divisor)
    expected = [
        level
        for byte in BYTES
        for level in (0, *(byte >> bit & 1 for bit in range(8)), 1)
        for _ in range(divisor)
    ]
    start = levels.index(0)
    assert levels[start : start + len(expected)] == expected
    assert all(levels[start + len(expected) :])


@pytest.mark.parametrize("divisor", [4, 7])
def test_loopback(divisor):
    m = Module()
    m.submodules.sender = sender = UartTransmitter(divisor)
    m.submodules.receiver = receiver = UartReceiver(divisor)
    m.d.comb += receiver.rx.eq(sender.tx)
    found = []

    async def feed(ctx):
        ctx.set(sender.i.valid, 1)
        for byte in range(256):
            ctx.set(sender.i.payload, byte)
            await ctx.tick().until(sender.i.ready)
        ctx.set(sender.i.valid, 0)

    async def watch(ctx):
        while len(found) < 256:
            (value,) = await ctx.tick().sample(receiver.data).until(receiver.strobe)
            found.append(value)

    simulate(m, feed, watch, cycles=2600 * divisor)
    assert found == list(range(256))


@pytest.mark.parametrize("kind", [UartReceiver, UartTransmitter])
@pytest.mark.parametrize(
    ("value", "error"), [(3, ValueError), (65536, ValueError), (9.5, TypeError)]
)
def test_bad_divisor(kind, value, error):
    message = f"Divisor must be an integer from 4 to 65535, not {value!r}"
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        kind(value)
