"""Output files that are whole or absent."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


@contextmanager
def replacing(path):
    """Open a binary file that takes the name `path` only when the block ends without an error.

    It is written under a temporary name in the same folder, which an error removes.

    Parameters
    ----------
    path : str or Path
        File to create or replace.

    Yields
    ------
    binary file object

    Raises
    ------
    InputError
        When the file cannot be written, or something that is not a regular file is there.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError(f"Cannot write {path}: it is not a regular file")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "xb") as stream:
            yield stream
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}") from None
    finally:
        _remove(temporary)


def _remove(path):
    """Remove a file if it can be: it is gone already when it was renamed or never made."""
    try:
        os.unlink(path)
    except OSError:
        return


@contextmanager
def new_folder(path):
    """Make a folder that takes the name `path` only when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Folder to create; it may exist if it is empty.

    Yields
    ------
    Path
        The folder under its temporary name.

    Raises
    ------
    InputError
        When the folder cannot be written, or something is there already.
    """
    path = Path(os.path.abspath(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise InputError(f"Cannot write {path}: it exists and is not an empty folder")
        temporary.mkdir()
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
