"""The folder of one experiment: the same command resumes it, another config is refused.

config.json       the resolved config, compared on resume
provenance.json   versions, commit, hashes and machine of every session; recorded, not compared
cells/...         one folder for each piece (`CellFolder`)
report.html, report.json   exist only when everything is finished
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ranpilot.errors import CheckpointError
from ranpilot.runs.cell import CellFolder
from ranpilot.runs.files import lock, read_json, storing, write_json

__all__ = ["RunFolder"]


class RunFolder:
    """An experiment's folder, whose config is the one asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path, config: Mapping[str, object], session: Mapping[str, object], *, new: bool) -> RunFolder:
        """Create the folder or go on in it; `session` (versions, hashes) is added to its provenance.

        new: put an earlier folder aside as `<name>.old-1`. Raises CheckpointError where the folder holds another
        config (naming the first differences) or something that is no run.
        """
        if new and path.exists():
            with storing(path):
                path.rename(_free_name(path))
        found = path / "config.json"
        wanted = json.loads(json.dumps(config, allow_nan=False))
        if found.exists():
            _check_same(found, read_json(found), wanted)
        elif path.exists() and (not path.is_dir() or any(p.name != ".lock" for p in path.iterdir())):
            raise CheckpointError(
                str(path), "exists but holds no run (config.json is missing)", "choose another folder"
            )
        else:
            write_json(found, wanted)
        folder = cls(path)
        write_json(path / "provenance.json", [*folder.provenance(), dict(session)])
        return folder

    @classmethod
    def read(cls, path: Path) -> RunFolder:
        """A folder that exists. Raises CheckpointError where there is no run in it."""
        if not (path / "config.json").exists():
            raise CheckpointError(str(path), "holds no run (config.json is missing)", "name the folder of a run")
        return cls(path)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from running in this folder meanwhile."""
        with lock(self.path / ".lock", "is in use by another run"):
            yield

    def config(self) -> dict[str, Any]:
        """The resolved config."""
        result: dict[str, Any] = read_json(self.path / "config.json")
        return result

    def provenance(self) -> list[dict[str, Any]]:
        """Versions, commit and machine of every session, oldest first."""
        path = self.path / "provenance.json"
        result: list[dict[str, Any]] = read_json(path) if path.exists() else []
        return result

    def cell(self, *names: str) -> CellFolder:
        """The folder of one piece."""
        return CellFolder(self.path.joinpath("cells", *names))


def _check_same(source: Path, found: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    differences = list(_differences("", found, wanted))
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise CheckpointError(
            str(source),
            f"was made with another config: {'; '.join(differences[:3])}{more}",
            "repeat the first command, choose another --out, or start over with --new",
        )


def _differences(path: str, found: object, wanted: object) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted({*found, *wanted}):
            yield from _differences(f"{path}.{key}" if path else key, found.get(key), wanted.get(key))
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for i, (old, new) in enumerate(zip(found, wanted, strict=True)):
            yield from _differences(f"{path}[{i}]", old, new)
    elif found != wanted:
        yield f"{path} was {_short(found)} and is now {_short(wanted)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _free_name(path: Path) -> Path:
    number = 1
    while path.with_name(f"{path.name}.old-{number}").exists():
        number += 1
    return path.with_name(f"{path.name}.old-{number}")
