"""The text of docs/verification.md, made from recorded results and the catalogues alone."""

from collections.abc import Iterable

from .campaigns.registry import CAMPAIGNS
from .proofs.registry import PROOFS
from .results import Results

__all__ = ["document"]

_NOT_DONE = "not run"


def document(results: Results) -> str:
    """Return the page."""
    parts = [
        _introduction(results),
        _blocks(results),
        _proofs(results),
        _campaigns(results),
        _netlists(results),
        _mutants(results),
        _coverage(results),
        _gaps(),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    header = list(header)
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def _state(record: dict | None) -> str:
    if record is None:
        return _NOT_DONE
    return f"FAILED: {record['error']}" if record["error"] else "holds"


def _introduction(results: Results) -> str:
    tools = ", ".join(f"{name} {version}" for name, version in results.get("tools", {}).items())
    return f"""\
# What is verified, and how

This page is written by `make verify` (quick proofs, seeded bugs, coverage, samples of the
campaigns) and `make verify-full` (all proofs, each on the bugs that it must refute, netlists, the
campaigns in full) from what they found, which is in [verification.json](verification.json) with
dates, seeds and counts. Both end with status 1 if anything failed; `make test` runs the quick
proofs and holds this page to the present gateware, `make mutants` runs every seeded bug. Figures
are those of the machine and tools they were run with:
{tools or _NOT_DONE}.

- *Exhausted* means that every case was computed and compared.
- *Proved* means that a solver decided it for all inputs. Every proof also shows that what it is
  about can be reached, and every proof is run again with bugs seeded into the sources, each of
  which it must refute.
- *Sampled* means that many cases were compared, aimed at classes of inputs; a class that was not
  hit fails the run."""


def _blocks(results: Results) -> str:
    def cases(name: str) -> str:
        records = [results.get(part, {}).get(name) for part in ("campaigns", "samples")]
        return f"{max((r['cases'] for r in records if r), default=0):,}"

    counts = {key: cases(name) for key, name in _SAMPLED.items()}
    rows = [[cell.format(**counts) for cell in row] for row in _BLOCKS]
    return (
        "## Block by block\n\n"
        + _table(["block", "exhausted", "proved", "sampled"], rows)
        + "\n\nThe sampled rows come on top of the test suite, which compares every block with the "
        "golden model and the golden model with independent ones."
    )


#: Campaigns whose cases the table of blocks states.
_SAMPLED = {
    "accumulations": "accumulations",
    "products": "group products",
    "groups": "quantized groups",
}
_BLOCKS = [
    (
        "decode unit",
        "all 2^24 magnitudes of a subgroup times 4 metadata values, signs and weights random",
        "top-1, correction and products for all inputs; operands from bus words, of every format",
        "vectors of the golden model",
    ),
    (
        "subgroup dot product",
        "by lane: all activations times all metadata times all weights (tests/hdl/test_dot.py)",
        "equal to the naive sum for all inputs of every format, in gates and in LUTs",
        "as part of the group",
    ),
    (
        "group dot product",
        "all 65536 pairs of scales",
        "multipliers, sum, widths, scales and NaN of every format, in gates and in LUTs",
        "{products} products of M2XFP, decoder included",
    ),
    (
        "accumulator",
        "-",
        "term rounding and FP32 addition of every format for all inputs, at all pipeline states",
        "{accumulations} accumulations of M2XFP; 10^6 of every format in the test suite",
    ),
    (
        "quantization lane",
        "all BF16 and FP16 values times all largest exponents",
        "all FP32, BF16 and FP16 values times all scales: E2M1 code, sign, metadata; the top-1 of "
        "whole subgroups, the scale of whole groups; multipliers of weights and of M2XFP-SG",
        "{groups} groups of FP32 values",
    ),
    (
        "streams",
        "all reachable states of small instances",
        "contracts of every block of engine, tile, core and board that has a stream",
        "random stalls in every test of a stream",
    ),
    (
        "tile",
        "-",
        "every part of a beat meets its column, row and slot; exported Verilog equivalent to RTLIL",
        "products of real and random tensors; netlists of ECP5 and osu018",
    ),
]


def _proofs(results: Results) -> str:
    parts = ["## Proofs"]
    rows = []
    for name, proof in PROOFS.items():
        record = results.get("proofs", {}).get(name)
        found = results.get("refutations", {})
        refuted = [bug for bug in proof.mutants if _state(found.get(f"{name} / {bug}")) == "holds"]
        numbers = (record["proved"], record["covered"]) if record else ("-", "-")
        rows.append(
            (
                name,
                _state(record),
                *numbers,
                f"{len(refuted)} of {len(proof.mutants)}",
                f"{record['seconds']} s" if record else "-",
                record["date"] if record else "-",
            )
        )
    header = ["proof", "result", "obligations", "covers", "bugs refuted", "time", "date"]
    parts.append(_table(header, rows))
    for name, proof in PROOFS.items():
        parts.append(
            f"**{name}** ({proof.block}). {proof.statement}\n"
            f"*Method:* {proof.method}. *Assumed:* {proof.assumptions}."
        )
    parts.append(_COMPOSITION)
    return "\n\n".join(parts)


_COMPOSITION = """\
The lemmas compose. Each lane's operand of the heap is the exact product (or, for the top-1, the
products' difference), the heap's rows add up to its operands whatever they are, and the lanes'
bounds add up to less than half of the range, so nothing wraps around; the same holds one level up,
for the four subgroups and their multipliers. What the term rounder gives is what the adder's proof
takes. Proofs of pipelines start from registers of any content. Proofs of streams allow a reset in
any cycle."""


def _campaigns(results: Results) -> str:
    rows = []
    for name, campaign in CAMPAIGNS.items():
        full = results.get("campaigns", {}).get(name)
        sample = results.get("samples", {}).get(name)
        for kind, record in (("full", full), ("sample", sample)):
            if record is None:
                continue
            wanted = campaign.cases if kind == "full" else campaign.sample
            part = "" if record["cases"] == wanted else f" of {wanted:,}"
            rows.append(
                (
                    name,
                    "all" if campaign.exhaustive and not part else kind,
                    f"{record['cases']:,}{part}",
                    record["wrong"],
                    record["seed"],
                    f"{record['seconds']:.0f} s",
                    f"`{record['digest'][:8]}`",
                    record["date"],
                )
            )
    header = ["campaign", "kind", "cases", "wrong", "seed", "time", "gateware", "date"]
    parts = ["## Campaigns", _CAMPAIGNS_TEXT, _table(header, rows)]
    for name, campaign in CAMPAIGNS.items():
        records = [results.get(part, {}).get(name) for part in ("campaigns", "samples")]
        record = next(filter(None, records), None)
        classes = "; ".join(f"{k} {v:,}" for k, v in record["classes"].items()) if record else ""
        parts.append(f"**{name}**: {campaign.what}. {classes}")
    return "\n\n".join(parts)


_CAMPAIGNS_TEXT = """\
Stimulus, gateware and check are compiled into one library. `gateware` is a digest of the Verilog
and the check; a record with another digest than the sample's was made before the block was last
changed. Runs can be interrupted and go on where they were."""


def _netlists(results: Results) -> str:
    rows = [
        (name, _state(record), record.get("cases", "all inputs"), record.get("broken cell", "-"))
        for name, record in results.get("netlists", {}).items()
    ]
    return (
        "## Netlists\n\nThe exported Verilog is proved equivalent to the RTLIL that synthesis "
        "starts from. Netlists of library cells are simulated with the cells' own models; a few "
        "operators of models are then changed, which the comparison must notice. "
        "Flip-flops of osu018 have no state at power-on: theirs is random, and the tile is reset "
        "for two cycles first. osu018 needs the Debian packages qflow-tech-osu018 and opensta.\n\n"
        + _table(["check", "result", "cases", "with broken cells"], rows)
    )


def _mutants(results: Results) -> str:
    records = results.get("mutants", {})
    refuting: dict[str, list[str]] = {}
    for record in results.get("refutations", {}).values():
        if not record["error"]:
            refuting.setdefault(record["mutant"], []).append(record["proof"])
    rows = [
        (
            name,
            f"`{record['file']}`",
            record["error"] or "`" + record["killer"].rpartition("::")[2] + "`",
            ", ".join(refuting.get(name, ["-"])),
        )
        for name, record in records.items()
    ]
    survivors = sum(record["error"] is not None for record in records.values())
    return (
        f"## Seeded bugs\n\n{len(records)} bugs are seeded into the sources one at a time; "
        f"{survivors} survive.\n\n"
        + _table(["bug", "file", "test that catches it", "proofs that refute it"], rows)
    )


def _coverage(results: Results) -> str:
    parts = [_COVERAGE_TEXT]
    for title, record in results.get("coverage", {}).items():
        counts = "; ".join(f"{name} {count:,}" for name, count in record["classes"].items())
        parts.append(f"**{title}** ({_state(record)}, {record['date']}): {counts}")
    return "\n\n".join(parts)


_COVERAGE_TEXT = """\
## Coverage of the inputs

How often the random operands of the test suite hit each class of inputs and results; one that is
not hit fails tests/proofs/test_coverage.py. The classes of the campaigns are above."""


def _gaps() -> str:
    return """\
## Not verified

- Clock domain crossings and metastability: there is one clock.
- Timing: what OpenSTA and nextpnr report is in [synthesis.md](synthesis.md); gate-level simulation
  here has no delays.
- The tile as a whole is not proved, only its blocks and how these meet in its columns; the core as
  a whole only that its commands end, around a tile without arithmetic. Streams are proved for small
  queues and commands, as stated beside each; other sizes are tested.
- Of the checksum of frames it is proved what it is fed and where it goes; its arithmetic is
  Amaranth's.
- Yosys, z3, Bitwuzla, CUDD and Verilator are trusted. Proofs and simulation start from the same
  RTLIL, on different ways."""
