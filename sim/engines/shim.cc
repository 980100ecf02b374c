// Runs a Verilated component in batches: the stream protocol of handshake.py, in C++.
//
// A generated file defines, before it includes this one, the numbers of ports and how to reach
// them:
//   enum { RESET }, the cycles of reset before all others
//   void set_clock(Vtop &, bool)
//   void set_reset(Vtop &, bool)
//   void drive_source(Vtop &, int port, bool valid, const uint32_t *payload)
//   bool source_ready(Vtop &, int port)
//   void drive_sink(Vtop &, int port, bool ready)
//   bool sink_valid(Vtop &, int port)
//   void sink_payload(Vtop &, int port, uint32_t *payload)
//   void drive_plain(Vtop &, int port, const uint32_t *value)
//   void sample_plain(Vtop &, int port, uint32_t *value)

#include <algorithm>

// Mirrored by ctypes structures in fast.py.
struct Stream {
    uint32_t *beats;      // payloads to send, or room for those received and one more
    const uint32_t *idle; // payload of a source that is not valid
    uint64_t count;       // payloads to move
    uint64_t moved;
    uint64_t stall;       // probability of a pause, times 2^32
    uint64_t rng;
    int64_t first;        // cycle of the first transfer, or -1
    int64_t last;
    uint32_t words;       // of one payload
    uint32_t waiting;     // a payload was valid and not accepted in the last cycle
    uint32_t seen;        // a sink that stalls waits for the first valid
    uint32_t pad;
};

struct Run {
    uint64_t cycle;       // cycles that have ended, without those of the drain
    uint64_t max_cycles;  // 0: no limit
    uint64_t idle_limit;
    uint64_t drain;       // cycles left to run on after the last transfer
    int64_t last;         // cycle of the last transfer of any stream, or -1
    uint32_t draining;
    uint32_t culprit;     // sink that broke a rule
    uint32_t withdrew;    // it was no longer valid, rather than changed
    uint32_t pad;
};

enum Status { RUNNING, COMPLETE, UNSTABLE, SURPLUS, HUNG };

// Registers that are reset need no state at power-on: then it is random.
struct Context : VerilatedContext {
    Context() {
        if (RESET) {
            randReset(2);
            randSeed(1);
        }
    }
};

struct Sim {
    Context context;
    Vtop top{&context, ""};
#if VM_TRACE
    VerilatedVcdC trace;
#endif
    uint64_t time = 0;

    void settle(bool clock) {
        set_clock(top, clock);
        top.eval();
#if VM_TRACE
        trace.dump(time);
#endif
        time += 5;
    }

    void reset() {
        set_reset(top, true);
        for (int cycle = 0; cycle < RESET; cycle++) {
            settle(false);
            settle(true);
        }
        set_reset(top, false);
    }
};

static bool draw_pause(Stream &s) {
    s.rng ^= s.rng << 13;
    s.rng ^= s.rng >> 7;
    s.rng ^= s.rng << 17;
    return (s.rng >> 32) < s.stall;
}

static void note_transfer(Stream &s, Run &run) {
    s.moved++;
    s.last = run.last = int64_t(run.cycle);
    if (s.first < 0) s.first = s.last;
}

static void drive(Sim &sim, Stream *sources, Stream *sinks, bool *ready) {
    for (int i = 0; i < SOURCES; i++) {
        Stream &s = sources[i];
        bool pause = draw_pause(s);
        if (!s.waiting && s.moved < s.count && !pause) s.waiting = 1;
        drive_source(sim.top, i, s.waiting, s.waiting ? s.beats + s.moved * s.words : s.idle);
    }
    for (int i = 0; i < SINKS; i++) {
        Stream &s = sinks[i];
        bool pause = draw_pause(s);
        ready[i] = s.moved < s.count && s.seen && !pause;
        drive_sink(sim.top, i, ready[i]);
    }
}

// Takes what a sink offers; the payload that waits lies in the slot after those received.
static Status observe_sink(Sim &sim, int port, Stream &s, Run &run, bool ready) {
    bool valid = sink_valid(sim.top, port);
    uint32_t *slot = s.beats + s.moved * s.words;
    uint32_t payload[MAX_WORDS];
    if (valid) sink_payload(sim.top, port, payload);
    if (s.waiting && !(valid && std::equal(payload, payload + s.words, slot))) {
        run.culprit = port;
        run.withdrew = !valid;
        return UNSTABLE;
    }
    if (run.draining && valid) {
        run.culprit = port;
        return SURPLUS;
    }
    if (valid) std::copy(payload, payload + s.words, slot);
    s.seen |= valid;
    s.waiting = valid && !ready;
    if (valid && ready && s.moved < s.count) note_transfer(s, run);
    return RUNNING;
}

static Status observe(Sim &sim, Stream *sources, Stream *sinks, Run &run, const bool *ready) {
    for (int i = 0; i < SOURCES; i++) {
        if (sources[i].waiting && source_ready(sim.top, i)) {
            sources[i].waiting = 0;
            note_transfer(sources[i], run);
        }
    }
    for (int i = 0; i < SINKS; i++) {
        Status status = observe_sink(sim, i, sinks[i], run, ready[i]);
        if (status != RUNNING) return status;
    }
    return RUNNING;
}

static bool all_moved(const Stream *streams, int count) {
    return std::all_of(streams, streams + count,
                       [](const Stream &s) { return s.moved == s.count; });
}

static Status end_cycle(const Stream *sources, const Stream *sinks, Run &run) {
    if (run.draining) {
        run.drain--;
    } else {
        run.cycle++;
        run.draining = all_moved(sources, SOURCES) && all_moved(sinks, SINKS);
    }
    if (run.draining) return run.drain ? RUNNING : COMPLETE;
    uint64_t idle = uint64_t(int64_t(run.cycle) - 1 - run.last);
    return idle >= run.idle_limit || run.cycle == run.max_cycles ? HUNG : RUNNING;
}

#pragma GCC visibility push(default)
extern "C" {

Sim *m2xfp_open(const char *vcd) {
    Sim *sim = new Sim;
#if VM_TRACE
    sim->context.traceEverOn(true);
    sim->top.trace(&sim->trace, 99);
    sim->trace.open(vcd);
#endif
    if (RESET) sim->reset();
    return sim;
}

void m2xfp_close(Sim *sim) {
#if VM_TRACE
    sim->trace.close();
#endif
    delete sim;
}

void m2xfp_hold(Sim *sim, int port, const uint32_t *value) {
    drive_plain(sim->top, port, value);
}

// Runs at most `budget` cycles and returns a Status.
int m2xfp_streams(Sim *sim, Stream *sources, Stream *sinks, Run *run, uint64_t budget) {
    bool ready[SINKS + 1];
    Status status = RUNNING;
    for (uint64_t i = 0; i < budget && status == RUNNING; i++) {
        drive(*sim, sources, sinks, ready);
        sim->settle(false);
        status = observe(*sim, sources, sinks, *run, ready);
        sim->settle(true);
        if (status == RUNNING) status = end_cycle(sources, sinks, *run);
    }
    return status;
}

// Applies vector i of every input in cycle i and samples every output `latency` cycles later.
// `ports` and `words` list the inputs, then the outputs, as numbered by drive_plain, sample_plain.
void m2xfp_pipeline(Sim *sim, const int *ports, const uint32_t *words, uint32_t *const *data,
                    int inputs, int outputs, uint64_t count, uint64_t latency) {
    for (uint64_t cycle = 0; cycle < count + latency; cycle++) {
        if (cycle < count)
            for (int i = 0; i < inputs; i++)
                drive_plain(sim->top, ports[i], data[i] + cycle * words[i]);
        sim->settle(false);
        if (cycle >= latency)
            for (int i = inputs; i < inputs + outputs; i++)
                sample_plain(sim->top, ports[i], data[i] + (cycle - latency) * words[i]);
        sim->settle(true);
    }
}

}  // extern "C"
#pragma GCC visibility pop
