// Groups of FP32 activations through the quantization engine, against exact comparisons with the
// midpoints in double. Both streams pause at random.

enum Class { UNIFORM, HEAVY_TAILS, TIES, NEAR_TIES, FAINT, SPECIAL, EQUAL, ZEROS, INPUT_CLASSES,
             GOT_NAN = INPUT_CLASSES, GOT_LEAST_SCALE, GOT_STALL, GOT_META_0, GOT_META_1,
             GOT_META_2, GOT_META_3 };

enum { DEPTH = 64 };

struct Word {
    uint32_t words[5];
};

static void make_values(Random &random, int kind, uint32_t *x) {
    int exponent = random.between(-120, 120);
    for (int i = 0; i < 32; i++) {
        uint32_t bits = uint32_t(random.next());
        uint32_t sign = bits & 0x80000000u;
        switch (kind) {
        case UNIFORM: x[i] = (bits & 0x807FFFFFu) | uint32_t(exponent + 127 - random.between(0, 3)) << 23; break;
        case HEAVY_TAILS: x[i] = (bits & 0x807FFFFFu) | uint32_t(random.below(255)) << 23; break;
        case TIES:
        case NEAR_TIES: {
            // Midpoints of either grid, in sixteenths.
            int code = random.below(31);
            int middle = eighths(code) + eighths(code + 1);
            if (random.flip()) middle = 4 * (HALVES[code % 7] + HALVES[code % 7 + 1]);
            x[i] = bits_of(float(middle * power(exponent - 4))) | sign;
            if (kind == NEAR_TIES) x[i] += uint32_t(random.between(-1, 1));
            break;
        }
        case FAINT: x[i] = bits & 0x81FFFFFFu; break;
        case SPECIAL:
            x[i] = bits;
            if (random.below(40) == 0) x[i] = sign | 0x7F800000u | (random.flip() ? bits & 0x7FFFFFu : 0);
            else if ((bits >> 23 & 255) == 255) x[i] ^= 0x40000000u;
            break;
        case EQUAL: x[i] = (i ? x[0] & 0x7FFFFFFFu : bits & 0xBFFFFFFFu) | sign; break;
        case ZEROS: x[i] = random.below(8) ? sign : (bits & 0x807FFFFFu) | 0x3F800000u; break;
        }
    }
}

static int nearest(double value, int count, int step) {
    int code = 0;
    for (int c = 0; c + 1 < count; c++) {
        double middle = (eighths(step * c) + eighths(step * (c + 1))) / 16.0;
        if (value > middle || (value == middle && c % 2 == 1)) code = c + 1;
    }
    return code;
}

static Word expected(const uint32_t *x, Report &report) {
    Word word = {};
    uint32_t most = 0;
    for (int i = 0; i < 32; i++) most = std::max(most, x[i] & 0x7FFFFFFFu);
    if (most >= 0x7F800000u) {
        report.classes[GOT_NAN]++;
        word.words[4] = 0xFF55u;
        return word;
    }
    int exponent = most ? std::ilogb(float_of(most)) - 2 : -127;
    if (exponent < -127) exponent = -127;
    report.classes[GOT_LEAST_SCALE] += exponent == -127;
    word.words[4] = uint32_t(exponent + 127) << 8;
    for (int j = 0; j < 4; j++) {
        int codes[8], top = 0;
        for (int i = 0; i < 8; i++) {
            uint32_t bits = x[8 * j + i];
            double scaled = double(float_of(bits & 0x7FFFFFFFu)) * power(-exponent);
            codes[i] = nearest(scaled, 8, 4);
            if (codes[i] > codes[top]) top = i;
            word.words[j] |= (uint32_t(codes[i]) | bits >> 31 << 3) << 4 * i;
        }
        double scaled = double(float_of(x[8 * j + top] & 0x7FFFFFFFu)) * power(-exponent);
        int base = 4 * codes[top], enc = nearest(scaled, 32, 1) + 1;
        enc = enc < base ? base : enc > base + 3 ? base + 3 : enc;
        word.words[4] |= uint32_t(enc & 3) << 2 * j;
        report.classes[GOT_META_0 + (enc & 3)]++;
    }
    return word;
}

extern "C" __attribute__((visibility("default")))
void m2xfp_campaign(uint64_t seed, uint64_t start, uint64_t count, Report *report) {
    VerilatedContext context;
    Vtop top{&context, ""};
    Random random{seed ^ start * 0xD1342543DE82EF95u};
    Word queue[DEPTH];
    uint64_t sent = 0, received = 0;
    uint32_t values[32];
    bool waiting = false;
    // Far more cycles than any run needs: a hang ends as groups that never came.
    for (uint64_t cycle = 0; received < count && cycle < 8 * count + 1000; cycle++) {
        if (!waiting && sent < count && random.below(8)) {
            int kind = int((start + sent) % INPUT_CLASSES);
            make_values(random, kind, values);
            report->classes[kind]++;
            for (int i = 0; i < 32; i++) top.values___05Fpayload[i] = values[i];
            waiting = true;
        }
        top.values___05Fvalid = waiting;
        top.groups___05Fready = random.below(8) != 0;
        top.clk = 0;
        top.eval();
        if (waiting && top.values___05Fready) {
            queue[sent++ % DEPTH] = expected(values, *report);
            waiting = false;
        }
        if (top.groups___05Fvalid && top.groups___05Fready) {
            const Word &want = queue[received % DEPTH];
            bool same = received < sent;
            for (int i = 0; i < 5; i++) same &= top.groups___05Fpayload[i] == want.words[i];
            report->cases++;
            if (!same) note_wrong(*report, start + received);
            received++;
        }
        report->classes[GOT_STALL] += top.groups___05Fvalid && !top.groups___05Fready;
        top.clk = 1;
        top.eval();
    }
    while (received < count) note_wrong(*report, start + received++);
}
