"""A controller's arrays as one file, written whole or not at all, with the identity of who wrote them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.errors import CheckpointError
from ranpilot.runs.files import write_atomic

__all__ = ["Arrays", "Identity", "load_arrays", "read_arrays", "save_arrays"]

Arrays = Mapping[str, NDArray[np.generic]]
Identity = Mapping[str, object]
"""Settings that must agree between who wrote a file and who reads it; plain values, as JSON has them."""

IDENTITY = "identity"


def save_arrays(path: Path, identity: Identity, arrays: Arrays) -> None:
    """Write arrays and the identity of their controller to `path`, atomically.

    Raises CheckpointError where the disk is full or refuses.
    """
    data = io.BytesIO()
    named: dict[str, NDArray[np.generic]] = {IDENTITY: np.array(_text(identity)), **arrays}
    np.savez(data, allow_pickle=False, **named)
    write_atomic(path, data.getvalue())


def read_arrays(path: Path, identity: Identity) -> dict[str, NDArray[np.generic]]:
    """The arrays in `path`. Raises CheckpointError for a missing or damaged file, or another identity."""
    source = str(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            found: dict[str, NDArray[np.generic]] = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise CheckpointError(source, "does not exist", "begin without it, or name the folder of a saved run") from None
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        raise CheckpointError(source, "is damaged", "remove it and begin anew") from None
    written = str(found.pop(IDENTITY, ""))
    if written != _text(identity):
        raise CheckpointError(source, _difference(written, identity), "load it into the controller that wrote it")
    return found


def load_arrays(path: Path, identity: Identity, arrays: Arrays) -> None:
    """Write what `path` holds into `arrays`; nothing is changed where it does not fit.

    Raises CheckpointError for a missing or damaged file, another identity or shape.
    """
    source, found = str(path), read_arrays(path, identity)
    for name, own in arrays.items():
        if name not in found or found[name].shape != own.shape:
            shape = found[name].shape if name in found else "missing"
            raise CheckpointError(source, f"{name} is {shape}", f"this task and batch need {own.shape}")
    for name, own in arrays.items():
        own[...] = found[name]


def _text(identity: Identity) -> str:
    return json.dumps(dict(identity), sort_keys=True)


def _difference(written: str, identity: Identity) -> str:
    """The first setting in which the file's controller differs from this one."""
    try:
        theirs = json.loads(written)
    except json.JSONDecodeError:
        return "is no checkpoint of a controller"
    ours = json.loads(_text(identity))
    name = next(name for name in sorted({*ours, *theirs}) if theirs.get(name) != ours.get(name))
    return f"has {name} = {theirs.get(name)!r} where this controller has {ours.get(name)!r}"
