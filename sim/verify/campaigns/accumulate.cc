// FP32 accumulations against the host's own float addition, in classes where one can go wrong.
// Needs SIGNIFICAND_BITS, EXPONENT_BITS, UNIT, LARGEST_SUM, LARGEST_EXPONENT, PARTIAL_DELAY, LATENCY.

enum Class {
    ANY, NEAR, CANCELLATION, TIE, STICKY, POWER, SUBNORMAL_TERM, SUBNORMAL_TIE, SUBNORMAL_PARTIAL,
    ZERO, OVERFLOWING, LAST_FINITE, INFINITE, NAN_PARTIAL, NAN_SCALE, INPUT_CLASSES,
    // What came out of them.
    GOT_ZERO = INPUT_CLASSES, GOT_SUBNORMAL, GOT_NORMAL, GOT_INFINITE, GOT_NAN, GOT_ROUNDED,
    GOT_TIE, GOT_CANCELLED_FAR
};

struct Case {
    int significand, exponent;
    bool nan;
    uint32_t partial;
};

static int clip(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

// The binary exponent of a nonzero integer times a power: 2^result <= |value|.
static int size_of(int significand, int exponent) {
    int magnitude = significand < 0 ? -significand : significand;
    return (magnitude ? 31 - __builtin_clz(unsigned(magnitude)) : 0) + exponent + UNIT;
}

static uint32_t field_of(int exponent) { return uint32_t(clip(exponent + 127, 0, 255)) << 23; }

static Case make_case(Random &random, int kind) {
    uint32_t bits = uint32_t(random.next());
    uint32_t sign = bits & 0x80000000u, fraction = bits & 0x7FFFFFu;
    int magnitude = random.below(LARGEST_SUM + 1) >> random.below(18);
    if (random.below(50) == 0) magnitude = LARGEST_SUM;
    Case c = {random.flip() ? -magnitude : magnitude, 0, false, bits};
    int low = -126 - UNIT, high = 127 - UNIT;  // exponents of terms in the normal range
    c.exponent = clip(random.between(low - 20, high + 5), 0, LARGEST_EXPONENT);
    int size = size_of(c.significand, c.exponent);
    uint32_t near = sign | fraction | field_of(size + random.between(-30, 30));
    float term = float(c.significand * power(c.exponent + UNIT));
    int faint = clip(-149 - UNIT - random.between(0, 20), 0, LARGEST_EXPONENT);
    switch (kind) {
    case ANY: c.exponent = random.below(LARGEST_EXPONENT + 1); break;
    case NEAR: c.partial = near; break;
    case CANCELLATION: c.partial = bits_of(-term) + uint32_t(random.between(-2, 2)); break;
    case TIE:
        c.significand |= 1;
        c.partial = sign | field_of(c.exponent + UNIT + 24 + random.between(-3, 18)) | (bits & 3);
        break;
    case STICKY:
        c.significand = (random.flip() ? -1 : 1) * (1 << random.below(16));
        c.partial = sign | fraction | field_of(c.exponent + UNIT + random.between(20, 60));
        break;
    case POWER: c.partial = near & 0xFF800000u; break;
    case SUBNORMAL_TERM: c.exponent = faint; c.partial = bits & 0x81FFFFFFu; break;
    case SUBNORMAL_TIE:
        c.exponent = faint;
        c.significand = (random.flip() ? -1 : 1) * (1 << random.below(16));
        c.partial = bits & 0x8000001Fu;
        break;
    case SUBNORMAL_PARTIAL: c.exponent = faint; c.partial = bits & 0x8FFFFFFFu; break;
    case ZERO:
        if (random.flip()) c.significand = 0;
        c.exponent = faint;
        c.partial = sign;
        break;
    case OVERFLOWING:
        c.exponent = clip(high - 20 + random.between(0, 40), 0, LARGEST_EXPONENT);
        c.partial = (bits & 0x80FFFFFFu) | 0x7E000000u;
        break;
    case LAST_FINITE:
        c.exponent = clip(high - 30 + random.between(0, 20), 0, LARGEST_EXPONENT);
        c.partial = sign | (0x7F7FFFFFu - random.below(3));
        break;
    case INFINITE:
        c.exponent = random.below(LARGEST_EXPONENT + 1);
        c.partial = sign | 0x7F800000u;
        break;
    case NAN_PARTIAL: c.partial = bits | 0x7F800000u; break;
    case NAN_SCALE: c.nan = true; c.partial = near; break;
    }
    return c;
}

static uint32_t expected(const Case &c, Report &report) {
    float term = float(c.significand * power(c.exponent + UNIT));
    float partial = float_of(c.partial), total = partial + term;
    uint32_t bits = bits_of(total), field = bits >> 23 & 255;
    if (c.nan || std::isnan(total)) {
        report.classes[GOT_NAN]++;
        return 0x7FC00000u;
    }
    int kind = field == 255 ? GOT_INFINITE : field ? GOT_NORMAL : bits << 1 ? GOT_SUBNORMAL : GOT_ZERO;
    report.classes[kind]++;
    if (field == 255) return bits;
    // The rounding error of a float addition is a float: Knuth's TwoSum finds it.
    volatile float shadow = total - partial, rest = total - shadow;
    volatile float left = partial - rest, right = term - shadow;
    float error = left + right;
    if (error != 0) report.classes[GOT_ROUNDED]++;
    float half = std::ldexp(1.0f, int(field) - 127 - 24);
    if (std::fabs(error) == half) report.classes[GOT_TIE]++;
    if (std::fabs(total) * 65536 < std::fabs(partial)) report.classes[GOT_CANCELLED_FAR]++;
    return bits;
}

extern "C" __attribute__((visibility("default")))
void m2xfp_campaign(uint64_t seed, uint64_t start, uint64_t count, Report *report) {
    VerilatedContext context;
    Vtop top{&context, ""};
    Random random{seed ^ start * 0xD1342543DE82EF95u};
    uint32_t partials[16] = {}, totals[16] = {};
    for (uint64_t i = 0; i < count + LATENCY; i++) {
        if (i < count) {
            int kind = int((start + i) % INPUT_CLASSES);
            Case c = make_case(random, kind);
            report->classes[kind]++;
            uint64_t term = uint32_t(c.significand) & ((1u << SIGNIFICAND_BITS) - 1);
            term |= uint64_t(c.exponent) << SIGNIFICAND_BITS;
            top.term = uint64_t(term | uint64_t(c.nan) << (SIGNIFICAND_BITS + EXPONENT_BITS));
            partials[i % 16] = c.partial;
            totals[i % 16] = expected(c, *report);
        }
        top.partial = partials[(i - PARTIAL_DELAY) % 16];
        top.clk = 0;
        top.eval();
        if (i >= LATENCY) {
            report->cases++;
            if (top.total != totals[(i - LATENCY) % 16]) note_wrong(*report, start + i - LATENCY);
        }
        top.clk = 1;
        top.eval();
    }
}
