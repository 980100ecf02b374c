// Group dot products, decoder included, against sums over the specification's values.
// Needs LATENCY. The first 65536 cases run through all pairs of scales.

enum Class { RANDOM, LARGE, TIED_CODES, ONE_SUBGROUP, ZEROS, INPUT_CLASSES,
             GOT_LARGEST = INPUT_CLASSES, GOT_ZERO, GOT_NEGATIVE, GOT_NAN, SCALE_PAIRS };

struct Group {
    uint32_t nibbles[32];
    int metadata[4];
    int scale;
};

static Group make_group(Random &random, int kind, bool is_weight) {
    Group g;
    for (int i = 0; i < 32; i++) g.nibbles[i] = random.below(16);
    for (int j = 0; j < 4; j++) g.metadata[j] = random.below(4);
    g.scale = random.below(50) ? int(random.below(256)) : 255;
    switch (kind) {
    case LARGE:
        for (int i = 0; i < 32; i++) g.nibbles[i] |= 7;
        if (random.flip()) {
            // Equal signs and full refinement: the extremes of every sum.
            for (int i = 0; i < 32; i++) g.nibbles[i] = is_weight && random.below(9) == 0 ? 15 : 7;
            for (int j = 0; j < 4; j++) g.metadata[j] = 3;
        }
        break;
    case TIED_CODES:
        for (int i = 0; i < 32; i++) g.nibbles[i] = (g.nibbles[i] & 8) | (g.nibbles[i & 24] & 7);
        break;
    case ONE_SUBGROUP: {
        int kept = int(random.below(4));
        for (int i = 0; i < 32; i++)
            if (i / 8 != kept) g.nibbles[i] &= 8;
        break;
    }
    case ZEROS:
        for (int i = 0; i < 32; i++)
            if (random.below(4)) g.nibbles[i] &= 8;
        break;
    }
    return g;
}

template <class T> static void put_group(T &port, const Group &g) {
    for (int i = 0; i < 4; i++) {
        uint32_t word = 0;
        for (int lane = 0; lane < 8; lane++) word |= g.nibbles[8 * i + lane] << 4 * lane;
        port[i] = word;
    }
    port[4] = uint32_t(g.scale) << 8;
    for (int j = 0; j < 4; j++) port[4] |= uint32_t(g.metadata[j]) << 2 * j;
}

struct Term {
    int sum, exponent;
    bool nan;
};

extern "C" __attribute__((visibility("default")))
void m2xfp_campaign(uint64_t seed, uint64_t start, uint64_t count, Report *report) {
    VerilatedContext context;
    Vtop top{&context, ""};
    Random random{seed ^ start * 0xD1342543DE82EF95u};
    Term terms[16] = {};
    for (uint64_t i = 0; i < count + LATENCY; i++) {
        if (i < count) {
            int kind = int((start + i) % INPUT_CLASSES);
            Group x = make_group(random, kind, false), w = make_group(random, kind, true);
            if (start + i < 65536) {
                x.scale = int((start + i) & 255);
                w.scale = int((start + i) >> 8);
                report->classes[SCALE_PAIRS]++;
            }
            put_group(top.activation, x);
            put_group(top.weight, w);
            Term t = {0, x.scale + w.scale, x.scale == 255 || w.scale == 255};
            for (int j = 0; j < 4; j++)
                t.sum += (4 + w.metadata[j]) *
                         naive_dot(x.nibbles + 8 * j, x.metadata[j], w.nibbles + 8 * j);
            report->classes[kind]++;
            report->classes[GOT_LARGEST] += t.sum == 131712 || t.sum == -131712;
            report->classes[GOT_ZERO] += t.sum == 0;
            report->classes[GOT_NEGATIVE] += t.sum < 0;
            report->classes[GOT_NAN] += t.nan;
            terms[i % 16] = t;
        }
        top.clk = 0;
        top.eval();
        if (i >= LATENCY) {
            const Term &t = terms[(i - LATENCY) % 16];
            uint32_t got = uint32_t(top.term);
            bool same = (got >> 28 & 1) == t.nan;
            if (!t.nan)
                same &= (got & 0x7FFFF) == (uint32_t(t.sum) & 0x7FFFF) &&
                        int(got >> 19 & 511) == t.exponent;
            report->cases++;
            if (!same) note_wrong(*report, start + i - LATENCY);
        }
        top.clk = 1;
        top.eval();
    }
}
