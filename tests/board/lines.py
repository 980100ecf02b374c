"""A UART line in Amaranth's simulator, bit by bit."""


async def send(ctx, pin, data, divisor, stop=1):
    """Drive bytes, 8N1, with ``stop`` as the level of the stop bits."""
    for byte in data:
        for level in (0, *(byte >> bit & 1 for bit in range(8)), stop):
            ctx.set(pin, level)
            await ctx.tick().repeat(divisor)


async def receive(ctx, pin, count, divisor):
    """Read bytes, sampling each bit in its middle."""
    found = []
    for _ in range(count):
        while ctx.get(pin):
            await ctx.tick()
        await ctx.tick().repeat(divisor // 2)
        value = 0
        for bit in range(10):
            level = ctx.get(pin)
            assert level == {0: 0, 9: 1}.get(bit, level)
            value |= level << bit
            if bit < 9:
                await ctx.tick().repeat(divisor)
        found.append(value >> 1 & 255)
    return bytes(found)
