"""The whole evaluation, resumable: what is in the store is not computed again."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import hdl
from sim import engines

from . import embedding, text, weights
from .calibration import digest
from .configuration import Encoding, Mode
from .decoder_run import LAYER_SEQUENCES, DecoderRun
from .gateware import compare_block
from .model import LAYERS
from .progress import Progress, timed
from .results import Results
from .store import Store

#: Texts that are embedded.
TEXTS = 32

#: The decoder block and the tokens that the gateware computes, and in which format.
BLOCK, BLOCK_TOKENS, BLOCK_ENCODING = 10, 32, Encoding("m2xfp", "floor")


def evaluate(
    encodings: Sequence[Encoding],
    tokens: int,
    path: Path,
    progress: Progress,
    *,
    gateware: bool = True,
) -> Results:
    """Compute all that is missing in the store, and return all of it.

    Parameters
    ----------
    encodings : sequence of Encoding
        What to compare.
    tokens : int
        Tokens to score, rounded up to whole sequences.
    path : Path
        File of results.
    progress : Progress
        Is told of every step.
    gateware : bool
        Whether to run a block on the simulated tile too.

    Raises
    ------
    InputError
        If a package is missing, the text is too short or the file cannot be used.
    """
    store = Store(path)
    progress.begin("load the model", 1)
    tokenizer = weights.load_tokenizer()
    words, other = text.load(tokenizer, tokens), text.load_calibration(tokenizer)
    run = DecoderRun(words, other, path.parent, progress.advance)
    facts = {"text": words.sha256, "model": run.model}
    results = Results(words.tokens, words.sha256, other.tokens, other.sha256)

    def get(title: str, steps: int, key: dict, compute: Callable[[], dict]) -> dict:
        found = store.get(key, timed(progress, title, steps, compute))
        return {name: value for name, value in found.items() if name != "seconds"}

    count = len(words.sequences)
    results.baseline = get("float", count, {"kind": "float", **facts}, run.baseline)
    named = _names(encodings, run, progress)
    for encoding in encodings:
        for mode in Mode:
            done = computed(encoding, mode)
            results.decoder[encoding, mode] = get(
                f"{encoding.label}, {mode.value}",
                count,
                {"kind": "decoder", "mode": mode.value, **named[done], **facts},
                lambda done=done, mode=mode: run.score(done, mode),
            )
        results.layers[encoding] = get(
            f"{encoding.label}, layer by layer",
            LAYER_SEQUENCES,
            {"kind": "layers", **named[encoding], **facts},
            lambda encoding=encoding: run.layers(encoding),
        )
    _embeddings(results, named, path.parent, progress, get)
    if gateware:
        codes = run.codes_hash(BLOCK_ENCODING)
        key = {"kind": "gateware", "codes": codes, "gateware": _sources_sha256(hdl), **facts}
        results.gateware = get(
            "one block on the simulated tile",
            len(LAYERS),
            key,
            lambda: compare_block(
                run, BLOCK_ENCODING, BLOCK, BLOCK_TOKENS, engines.get(), progress.advance
            ),
        )
    return results


def computed(encoding: Encoding, mode: Mode) -> Encoding:
    """Return whose result is taken: without quantized weights, calibration changes nothing."""
    return encoding if mode.weights else encoding.uncalibrated


def _names(encodings, run: DecoderRun, progress: Progress) -> dict[Encoding, dict]:
    """Return what tells encodings apart in keys, for all that are computed."""
    if any(encoding.calibrated for encoding in encodings):
        progress.begin("calibrate", 1)
        calibration = {"calibration": digest(run.calibration())}
        progress.advance()
    named = {}
    for encoding in dict.fromkeys(computed(e, mode) for e in encodings for mode in Mode):
        named[encoding] = {
            "format": encoding.format,
            "scale_rule": encoding.scale_rule,
            "codes": run.codes_hash(encoding),
            **(calibration if encoding.calibrated else {}),
        }
    return named


def _embeddings(results: Results, named: dict[Encoding, dict], cache, progress, get) -> None:
    texts, others = text.articles()[:TEXTS], text.calibration_articles()
    run = embedding.EmbeddingRun(texts, others, cache, progress.advance)
    facts = {"model": run.encoder.sha256, "texts": embedding.hash_of_texts(texts)}
    for encoding in results.encodings:
        for mode in Mode:
            done = computed(encoding, mode)
            key = {"kind": "embedding", "mode": mode.value, **named[done], **facts}
            if done.calibrated:
                key["calibration"] = digest(run.calibration())
            results.embedding[encoding, mode] = get(
                f"embedder, {encoding.label}, {mode.value}",
                1,
                key,
                lambda done=done, mode=mode: run.score(done, mode),
            )


def _sources_sha256(package: ModuleType) -> str:
    """Hash the source of a package, so that results do not outlive it."""
    folder = Path(package.__file__).parent
    digest = hashlib.sha256()
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.relative_to(folder).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()
