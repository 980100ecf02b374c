// What all campaigns share: random numbers, the report, the formats' tables, the clock.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include "Vtop.h"
#include "verilated.h"

enum { CLASSES = 32, KEPT = 8 };

// Mirrored by a ctypes structure in runner.py.
struct Report {
    uint64_t cases;
    uint64_t wrong;
    uint64_t first_wrong[KEPT];
    uint64_t classes[CLASSES];
};

// The splitmix64 generator: any seed will do, also consecutive ones.
struct Random {
    uint64_t state;
    uint64_t next() {
        uint64_t z = (state += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    uint32_t below(uint32_t bound) { return uint32_t((next() >> 32) * bound >> 32); }
    int between(int low, int high) { return low + int(below(uint32_t(high - low + 1))); }
    bool flip() { return next() >> 63; }
};

static void note_wrong(Report &report, uint64_t number) {
    if (report.wrong < KEPT) report.first_wrong[report.wrong] = number;
    report.wrong++;
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

// 2^exponent as a double; in the normal range.
static double power(int exponent) {
    uint64_t bits = uint64_t(exponent + 1023) << 52;
    double value;
    std::memcpy(&value, &bits, 8);
    return value;
}

// Format spec, section 1: E2M1 magnitudes in halves, E2M3 magnitudes in eighths.
static const int HALVES[8] = {0, 1, 2, 3, 4, 6, 8, 12};
static int eighths(int code) {
    if (code < 16) return code;
    return code < 24 ? 16 + 2 * (code - 16) : 32 + 4 * (code - 24);
}

static int signed_by(uint32_t nibble, int magnitude) { return nibble & 8 ? -magnitude : magnitude; }

// The lowest index of the largest code of eight nibbles.
static int top_one(const uint32_t *nibbles) {
    int top = 0;
    for (int i = 1; i < 8; i++)
        if ((nibbles[i] & 7) > (nibbles[top] & 7)) top = i;
    return top;
}

// The dot product of a subgroup in sixteenths: activations with metadata, plain weights.
static int naive_dot(const uint32_t *x, int metadata, const uint32_t *w) {
    int top = top_one(x), total = 0;
    for (int i = 0; i < 8; i++) {
        int magnitude = 4 * HALVES[x[i] & 7];
        if (i == top) {
            int code = 4 * int(x[i] & 7) + metadata - 1;
            magnitude = eighths(code < 0 ? 0 : code);
        }
        total += signed_by(x[i], magnitude) * signed_by(w[i], HALVES[w[i] & 7]);
    }
    return total;
}
