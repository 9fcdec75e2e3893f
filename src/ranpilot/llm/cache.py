"""The user's cache folder, and how a folder or file gets into it whole or not at all.

What is written goes to a neighbour with a name of its own and is then renamed, so that a killed run or a full disk
leaves nothing that looks finished, and two processes that make the same thing do no harm to each other.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ranpilot.errors import BackendError

__all__ = ["cache_folder", "publish_folder", "write_text", "writing_to"]

STALE_S = 3600.0  # Unfinished folders older than this were left by a killed run.


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/ranpilot, or ~/.cache/ranpilot; not created here."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "ranpilot"


@contextlib.contextmanager
def publish_folder(target: Path) -> Iterator[Path]:
    """A fresh folder to fill, which becomes `target` when the block ends well and vanishes when it does not.

    Where another process has published `target` in the meantime, its folder stays and this one vanishes.
    Raises: BackendError for a full disk or a folder that cannot be written.
    """
    with writing_to(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(target)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            yield unfinished
            try:
                os.replace(unfinished, target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old one or the new one, never half of it."""
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(unfinished, path)
        finally:
            Path(unfinished).unlink(missing_ok=True)


@contextlib.contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn what the operating system says about a failed write into one sentence. Raises: BackendError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            free = "the disk or quota is full: free about 600 MB or set XDG_CACHE_HOME to a folder on another disk"
            raise BackendError(f"{path}: {free}.") from error
        remedy = "make it writable or set XDG_CACHE_HOME to another folder"
        raise BackendError(f"{path}: cannot be written ({error.strerror or error}); {remedy}.") from error


def _remove_stale(target: Path) -> None:
    for left in target.parent.glob(f".{target.name}.*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > STALE_S:
                shutil.rmtree(left, ignore_errors=True)
