"""One resumable piece of an experiment: its metrics, its newest checkpoint, and what it found when it is done.

metrics.jsonl          one line an episode; flushed before every checkpoint
checkpoints/000120/    everything needed to go on after 120 episodes; `state.json` says how long the metrics were
summary.json           exists only when the piece is finished
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ranpilot.errors import CheckpointError
from ranpilot.runs.files import lock, read_json, replace_folder, storing, write_json

__all__ = ["CellFolder", "Checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """A folder with everything needed to go on, and the small state beside it."""

    folder: Path
    state: Mapping[str, Any]


class CellFolder:
    """The folder of one piece of an experiment. Open it with `resume`, write episodes, checkpoint, `finish`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._bytes = 0

    @property
    def is_finished(self) -> bool:
        """Whether everything was played and summarised."""
        return (self.path / "summary.json").exists()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out of this piece meanwhile. Raises CheckpointError where one is in it."""
        with lock(self.path / ".lock", "is in use by another process"):
            yield

    def summary(self) -> dict[str, Any]:
        """What the finished piece wrote. Raises CheckpointError where it is not finished."""
        result: dict[str, Any] = read_json(self.path / "summary.json")
        return result

    def resume(self) -> Checkpoint | None:
        """Open for writing, cut the metrics back to the newest checkpoint, and return it (None: from the start)."""
        self.close()
        with storing(self.path):
            (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)
            for leftover in (self.path / "checkpoints").glob(".*"):
                shutil.rmtree(leftover, ignore_errors=True)
        checkpoint = self.newest()
        self._bytes = int(checkpoint.state["metrics_bytes"]) if checkpoint else 0
        metrics = self.path / "metrics.jsonl"
        length = metrics.stat().st_size if metrics.exists() else 0
        if length < self._bytes:
            raise CheckpointError(
                str(metrics), f"has {length} bytes, its checkpoint {self._bytes}", "start again with --new"
            )
        with storing(metrics):
            self._file = metrics.open("r+b" if metrics.exists() else "w+b")
            self._file.truncate(self._bytes)
            self._file.seek(self._bytes)
        return checkpoint

    def newest(self) -> Checkpoint | None:
        """The newest whole checkpoint, or None."""
        folders = sorted(p for p in (self.path / "checkpoints").glob("[0-9]*") if (p / "state.json").exists())
        return Checkpoint(folders[-1], read_json(folders[-1] / "state.json")) if folders else None

    def append(self, record: Mapping[str, object]) -> None:
        """Add one line to the metrics. Raises CheckpointError where the disk refuses it."""
        if self._file is None:
            raise CheckpointError(str(self.path), "is not open for writing", "call resume first")
        line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        with storing(self.path / "metrics.jsonl"):
            self._file.write(line)
        self._bytes += len(line)

    def checkpoint(self, index: int, state: Mapping[str, object], write: Callable[[Path], None]) -> None:
        """Make everything up to here durable; `write(folder)` puts its own files into the new checkpoint."""
        if self._file is None:
            raise CheckpointError(str(self.path), "is not open for writing", "call resume first")
        with storing(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            temporary = self.path / "checkpoints" / f".{index:06d}"
            temporary.mkdir()
            write(temporary)
            write_json(temporary / "state.json", {**state, "metrics_bytes": self._bytes})
            final = self.path / "checkpoints" / f"{index:06d}"
            replace_folder(temporary, final)
        for old in (self.path / "checkpoints").glob("[0-9]*"):
            if old != final:
                shutil.rmtree(old, ignore_errors=True)

    def records(self) -> list[dict[str, Any]]:
        """Every whole line of the metrics, in order; an unfinished last line is left out."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        lines = path.read_bytes().split(b"\n")[:-1]
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise CheckpointError(str(path), f"has a broken line ({error})", "start again with --new") from error

    def finish(self, summary: Mapping[str, object]) -> None:
        """Write the summary, which marks the piece as finished."""
        self.close()
        write_json(self.path / "summary.json", summary)

    def close(self) -> None:
        """Flush and close the metrics."""
        if self._file is not None:
            file, self._file = self._file, None
            with storing(self.path / "metrics.jsonl"):
                file.close()
