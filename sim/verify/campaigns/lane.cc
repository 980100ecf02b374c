// One lane of the quantization engine: case n is a value of a 16-bit type and a largest exponent.
// Needs BF16: 1 for BF16, 0 for FP16.

enum Class { ZERO, SUBNORMAL, NORMAL, E2M1_TIE, E2M3_TIE, SATURATED, NOT_OF_THE_GROUP };

// The exact value of the bits, and whether it is finite.
static double value_of(uint32_t bits) {
    int exponent = BF16 ? bits >> 7 & 255 : bits >> 10 & 31;
    int fraction_bits = BF16 ? 7 : 10, bias = BF16 ? 127 : 15;
    double fraction = bits & ((1 << fraction_bits) - 1);
    if (exponent == 0) return fraction * power(1 - bias - fraction_bits);
    return (fraction + (1 << fraction_bits)) * power(exponent - bias - fraction_bits);
}

// The nearest code, ties to even; `steps` values of the grid in units of 1/8.
static int nearest(double value, int count, int step, bool *tie) {
    int code = 0;
    for (int c = 0; c + 1 < count; c++) {
        double middle = (eighths(step * c) + eighths(step * (c + 1))) / 16.0;
        if (value == middle) *tie = true;
        if (value > middle || (value == middle && c % 2 == 1)) code = c + 1;
    }
    return code;
}

extern "C" __attribute__((visibility("default")))
void m2xfp_campaign(uint64_t, uint64_t start, uint64_t count, Report *report) {
    VerilatedContext context;
    Vtop top{&context, ""};
    for (uint64_t number = start; number < start + count; number++) {
        uint32_t bits = uint32_t(number & 0xFFFF);
        int largest = int(number >> 16);
        report->cases++;
        int field = BF16 ? bits >> 7 & 255 : bits >> 10 & 31;
        double value = value_of(bits);
        int exponent = value ? std::ilogb(value) + 127 : 0;
        // Groups have finite values, and none beyond their largest exponent.
        if (field == (BF16 ? 255 : 31) || (exponent < 0 ? 0 : exponent) > largest) {
            report->classes[NOT_OF_THE_GROUP]++;
            continue;
        }
        int scale = largest < 2 ? -127 : largest - 2 - 127;
        double scaled = value * power(-scale);
        bool tie = false, fine_tie = false;
        int c4 = nearest(scaled, 8, 4, &tie), c6 = nearest(scaled, 32, 1, &fine_tie);
        int enc = c6 + 1 < 4 * c4 ? 4 * c4 : c6 + 1 > 4 * c4 + 3 ? 4 * c4 + 3 : c6 + 1;
        report->classes[value == 0 ? ZERO : field ? NORMAL : SUBNORMAL]++;
        report->classes[E2M1_TIE] += tie;
        report->classes[E2M3_TIE] += fine_tie;
        report->classes[SATURATED] += scaled > 6;
        top.value = uint64_t(bits);
        top.largest = uint64_t(largest);
        top.eval();
        uint32_t sign = bits >> 15;
        if (top.element != (uint32_t(c4) | sign << 3) || top.meta != (uint32_t(enc) & 3))
            note_wrong(*report, number);
    }
}
