from amaranth.sim import Simulator

from synth.harness import Harness

from .components import Register


def test_every_input_and_output_bit_takes_part():
    """A one in any output bit reaches the fold; it came in through the shift register."""
    for bit in range(8):
        harness = Harness(Register())
        simulator = Simulator(harness)
        simulator.add_clock(1e-6)

        async def bench(ctx, harness=harness, bit=bit):
            ctx.set(harness.shift, 1)
            # The chain's first bit is the first port's: the last bit in.
            word = 1 << bit | 1 << 8
            for position in reversed(range(9)):
                ctx.set(harness.serial, word >> position & 1)
                await ctx.tick()
            ctx.set(harness.shift, 0)
            await ctx.tick().repeat(6)
            assert ctx.get(harness.folded) == 1

        simulator.add_testbench(bench)
        simulator.run()


def test_the_chain_holds_without_shift():
    harness = Harness(Register())
    simulator = Simulator(harness)
    simulator.add_clock(1e-6)

    async def bench(ctx):
        ctx.set(harness.serial, 1)
        await ctx.tick().repeat(12)
        assert ctx.get(harness.folded) == 0

    simulator.add_testbench(bench)
    simulator.run()
