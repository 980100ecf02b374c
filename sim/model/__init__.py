"""What a network costs on the gateware: cycles, off-chip traffic, time and energy."""
