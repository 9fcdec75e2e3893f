"""A controller's arrays as one file, written whole or not at all."""

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
from ranpilot.systems.aura.config import AuraConfig

__all__ = ["load_arrays", "save_arrays"]

IDENTITY = "identity"


def save_arrays(path: Path, config: AuraConfig, seed: int, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write arrays and the identity of their controller to `path`, atomically.

    Raises CheckpointError where the disk is full or refuses.
    """
    data = io.BytesIO()
    named: dict[str, NDArray[np.generic]] = {IDENTITY: np.array(_identity(config, seed)), **arrays}
    np.savez(data, allow_pickle=False, **named)
    write_atomic(path, data.getvalue())


def load_arrays(path: Path, config: AuraConfig, seed: int, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write what `path` holds into `arrays`; nothing is changed where it does not fit.

    Raises CheckpointError for a missing or damaged file, another configuration, seed or shape.
    """
    source = str(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise CheckpointError(source, "does not exist", "begin without it, or name the folder of a saved run") from None
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        raise CheckpointError(source, "is damaged", "remove it and begin anew") from None
    written = str(found.pop(IDENTITY, ""))
    if written != _identity(config, seed):
        raise CheckpointError(source, _difference(written, config, seed), "load it into the controller that wrote it")
    for name, own in arrays.items():
        if name not in found or found[name].shape != own.shape:
            shape = found[name].shape if name in found else "missing"
            raise CheckpointError(source, f"{name} is {shape}", f"this task and batch need {own.shape}")
    for name, own in arrays.items():
        own[...] = found[name]


def _identity(config: AuraConfig, seed: int) -> str:
    return json.dumps({**config.model_dump(), "seed": seed}, sort_keys=True)


def _difference(written: str, config: AuraConfig, seed: int) -> str:
    """The first setting in which the file's controller differs from this one."""
    try:
        theirs = json.loads(written)
    except json.JSONDecodeError:
        return "is no checkpoint of AURA"
    ours = json.loads(_identity(config, seed))
    name = next(name for name in sorted(ours) if theirs.get(name) != ours[name])
    return f"has {name} = {theirs.get(name)!r} where this controller has {ours[name]!r}"
