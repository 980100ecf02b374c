// Decode unit and subgroup dot product: case n is one of 2^24 magnitudes times 4 metadata values,
// with random signs and random weights other than zero.

enum Class { STEP_DOWN, EXACT, ONE_UP, TWO_UP, SEVERAL_TOPS, ALL_ZERO, LAST_IS_TOP };

extern "C" __attribute__((visibility("default")))
void m2xfp_campaign(uint64_t seed, uint64_t start, uint64_t count, Report *report) {
    VerilatedContext context;
    Vtop top{&context, ""};
    Random random{seed ^ start * 0xD1342543DE82EF95u};
    for (uint64_t number = start; number < start + count; number++) {
        int metadata = int(number & 3), magnitudes = int(number >> 2);
        uint64_t draw = random.next();
        uint32_t x[8], w[8], x_word = 0, w_word = 0;
        for (int i = 0; i < 8; i++) {
            x[i] = uint32_t(magnitudes >> 3 * i & 7) | uint32_t(draw >> i & 1) << 3;
            w[i] = uint32_t(1 + (draw >> (8 + 4 * i) & 7) % 7) | uint32_t(draw >> (40 + i) & 1) << 3;
            x_word |= x[i] << 4 * i;
            w_word |= w[i] << 4 * i;
        }
        int best = top_one(x), equals = 0;
        for (int i = 0; i < 8; i++) equals += (x[i] & 7) == (x[best] & 7);
        report->classes[metadata]++;
        report->classes[SEVERAL_TOPS] += equals > 1;
        report->classes[ALL_ZERO] += magnitudes == 0;
        report->classes[LAST_IS_TOP] += best == 7;
        top.encoded = x_word | uint64_t(metadata) << 32;
        top.weight = uint64_t(w_word);
        top.eval();
        uint32_t rows = uint32_t(top.rows);
        uint32_t got = (rows & 0x3FFF) + (rows >> 14 & 0x3FFF) - 0x2000;
        uint32_t want = uint32_t(naive_dot(x, metadata, w));
        report->cases++;
        if ((got ^ want) & 0x3FFF) note_wrong(*report, number);
    }
}
