"""Vector files: ``.npz``, ``$readmemh`` hex, and a JSON manifest."""

import hashlib
import io
import json
from importlib.metadata import version

import numpy as np

from .bitfields import hex_lines
from .classes import CLASSES
from .units import UNITS


def generate(folder, seed, count, format="m2xfp", advance=lambda: None):
    """Write the vectors of every unit and class; the same arguments give the same bytes.

    Parameters
    ----------
    folder : Path
        Existing folder to write into.
    seed : int
        Seed of every random choice.
    count : int
        Cases a unit and class; for the tile, rows of activations.
    format : str
        One of `golden.vectors.units.FORMATS`.
    advance : callable
        Called after each unit and class.
    """
    sets = []
    for unit_index, (unit, build) in enumerate(UNITS.items()):
        (folder / unit).mkdir()
        for class_index, (name, draw) in enumerate(CLASSES.items()):
            rng = np.random.default_rng([seed, unit_index, class_index])
            tables = build(rng, draw, count, format)
            sets.append({"unit": unit, "class": name} | _write(folder, f"{unit}/{name}", tables))
            advance()
    manifest = {
        "generator": "m2xfp vectors",
        "version": version("m2xfp"),
        "format": format,
        "seed": seed,
        "count": count,
        "bit_order": "a hex line is one word, most significant digit first; fields are "
        "concatenated from bit 0 up in the order listed, each at its lsb",
        "npz": "one uint32 array (rows, words) a field, bits 31..0 in word 0",
        "sets": sets,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _write(folder, stem, tables):
    """Write one set and return its entry in the manifest."""
    archive = io.BytesIO()
    np.savez(archive, **{f.name: f.words for fields in tables.values() for f in fields})
    entry = {"npz": _save(folder, f"{stem}.npz", archive.getvalue()), "tables": []}
    for name, fields in tables.items():
        path = f"{stem}.{name}.hex" if name else f"{stem}.hex"
        entry["tables"].append(
            {
                "hex": _save(folder, path, hex_lines(fields).encode()),
                "rows": len(fields[0].words),
                "width": sum(field.width for field in fields),
                "fields": _describe(fields),
            }
        )
    return entry


def _describe(fields):
    described, lsb = [], 0
    for field in fields:
        described.append(
            {"name": field.name, "lsb": lsb, "width": field.width, "meaning": field.note}
        )
        lsb += field.width
    return described


def _save(folder, path, data):
    (folder / path).write_bytes(data)
    return {"file": path, "sha256": hashlib.sha256(data).hexdigest()}
