from amaranth.hdl import unsigned
from amaranth.lib import data


class Fp32(data.Struct):
    """IEEE 754 binary32.

    Members
    -------
    fraction : unsigned(23)
    exponent : unsigned(8)
        Biased by 127; 0 marks zero and subnormals, 255 infinities and NaN.
    sign : unsigned(1)
    """

    fraction: unsigned(23)
    exponent: unsigned(8)
    sign: unsigned(1)


#: The one NaN that arithmetic results carry (format spec, section 5).
QUIET_NAN = 0x7FC00000
INFINITY = 0x7F800000

#: Bias of the exponent.
BIAS = 127
#: Exponent of the least subnormal: every FP32 value is a multiple of 2**-149.
LEAST_EXPONENT = -149
