"""The whole evaluation, resumable: what is in the store is not computed again."""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import hdl
from sim import engines

from . import embedding, extra, text, weights
from .configuration import Encoding, Mode
from .decoder_run import LAYER_SEQUENCES, DecoderRun
from .gateware import compare_block
from .model import LAYERS
from .results import Results
from .store import Store

#: Texts that are embedded.
TEXTS = 32

#: The decoder block and the tokens that the gateware computes, and in which format.
BLOCK, BLOCK_TOKENS, BLOCK_ENCODING = 10, 32, Encoding("m2xfp", "floor")


class Progress:
    """What a run tells its user; this one says nothing."""

    def begin(self, name: str, steps: int) -> None:
        """Begin a task of some steps."""

    def advance(self) -> None:
        """End a step."""


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
    words = text.load(weights.load_tokenizer(), tokens)
    run = DecoderRun(words, progress.advance)
    facts = {"text": words.sha256, "model": _sha256(weights.path())}
    results = Results(words.tokens, words.sha256)

    def get(title: str, steps: int, key: dict, compute: Callable[[], dict]) -> dict:
        def timed() -> dict:
            progress.begin(title, steps)
            start = time.monotonic()
            return {**compute(), "seconds": round(time.monotonic() - start, 1)}

        found = store.get(key, timed)
        return {name: value for name, value in found.items() if name != "seconds"}

    count = len(words.sequences)
    results.baseline = get("float", count, {"kind": "float", **facts}, run.baseline)
    for encoding in encodings:
        named = {
            "format": encoding.format,
            "scale_rule": encoding.scale_rule,
            "codes": run.codes_hash(encoding),
        }
        for mode in Mode:
            key = {"kind": "decoder", "mode": mode.value, **named, **facts}
            results.decoder[encoding, mode] = get(
                f"{encoding.label}, {mode.value}",
                count,
                key,
                lambda encoding=encoding, mode=mode: run.score(encoding, mode),
            )
        results.layers[encoding] = get(
            f"{encoding.label}, layer by layer",
            LAYER_SEQUENCES,
            {"kind": "layers", **named, **facts},
            lambda encoding=encoding: run.layers(encoding),
        )
    _embeddings(results, encodings, run, progress, get)
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


def _embeddings(results, encodings, run, progress, get) -> None:
    texts = text.articles()[:TEXTS]
    model = _sha256(extra.data_file(embedding.PACKAGE, f"{embedding.FOLDER}/model.safetensors"))
    embedder: list[embedding.EmbeddingRun] = []

    def score(encoding: Encoding, mode: Mode) -> dict:
        if not embedder:
            embedder.append(embedding.EmbeddingRun(texts, progress.advance))
        return embedder[0].score(encoding, mode)

    for encoding in encodings:
        for mode in Mode:
            key = {
                "kind": "embedding",
                "mode": mode.value,
                "format": encoding.format,
                "scale_rule": encoding.scale_rule,
                "codes": run.codes_hash(encoding),
                "model": model,
                "texts": hashlib.sha256("\0".join(texts).encode()).hexdigest(),
            }
            results.embedding[encoding, mode] = get(
                f"embedder, {encoding.label}, {mode.value}",
                1,
                key,
                lambda encoding=encoding, mode=mode: score(encoding, mode),
            )


def _sources_sha256(package: ModuleType) -> str:
    """Hash the source of a package, so that results do not outlive it."""
    folder = Path(package.__file__).parent
    digest = hashlib.sha256()
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.relative_to(folder).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
