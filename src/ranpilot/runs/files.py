"""Files that are either the old or the new whole, whatever happens while they are written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ranpilot.errors import CheckpointError

__all__ = ["lock", "read_json", "replace_folder", "storing", "sync_folder", "write_atomic", "write_json"]


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses (full disk, no permission) into one sentence."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            str(path),
            f"could not be written ({error.strerror or error})",
            "make room or choose another folder and repeat the command: everything up to the last checkpoint is kept",
        ) from error


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path`; a reader sees the old file or the new one, never a part. Raises CheckpointError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write `value` as JSON, atomically; NaN is refused, since JSON has none."""
    write_atomic(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """The value in a JSON file. Raises CheckpointError where it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(str(path), "does not exist", "name the folder of a run") from error
    except (ValueError, OSError) as error:
        raise CheckpointError(str(path), f"cannot be read ({error})", "delete it or start again with --new") from error


def replace_folder(temporary: Path, path: Path) -> None:
    """Move the finished folder `temporary` to the new name `path`, with everything in it on disk."""
    for file in sorted(temporary.rglob("*")):
        _sync(file)
    _sync(temporary)
    if path.exists():
        shutil.rmtree(path)
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    _sync(path)


@contextmanager
def lock(path: Path, busy: str) -> Iterator[None]:
    """Hold `path` locked; the system frees it when the process ends, however it ends. Raises CheckpointError."""
    import fcntl

    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+")
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CheckpointError(str(path.parent), busy, "wait for it to end or choose another folder") from error
        yield
    finally:
        handle.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
