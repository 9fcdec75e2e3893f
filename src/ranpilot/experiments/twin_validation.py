"""The validation as a run: a folder keeps every finished check, so that the same command goes on where it stopped.

A kept check is used again only while the twin's files and the numeric packages are those that it ran with.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ranpilot
from ranpilot.runs import Progress, RunFolder, SilentProgress, provenance
from ranpilot.twin.validate import Effort, Line, check_names, check_unique, run_check
from ranpilot.twin.validate.summary import allowed, summarise

__all__ = ["ValidationReport", "run_validation"]

_ALONGSIDE = ("kernels.py", "scenarios.py", "units.py", "validation.py")
"""Files outside the twin that its numbers depend on."""
_PACKAGES = ("numpy", "numba", "scipy")


@dataclass(frozen=True)
class ValidationReport:
    """The lines of every check that was asked for."""

    lines: dict[str, list[Line]]
    """By the check's name."""
    path: Path

    @property
    def failing(self) -> list[Line]:
        """Lines that do not hold."""
        return [line for lines in self.lines.values() for line in lines if not line.holds]

    @property
    def num_claims(self) -> int:
        """Lines that could fail."""
        return sum(len(part.claims) for lines in self.lines.values() for part in summarise(lines))

    def table(self) -> list[list[str]]:
        """Header, and one line for each kind of line in each check."""
        found = [
            ["check", "lines of", "pass", "fail", "reported", "closest to its bounds", "value", "off by", "allowed"]
        ]
        for name, lines in self.lines.items():
            for part in summarise(lines):
                counts = (len(part.claims) - len(part.failing), len(part.failing), len(part.lines) - len(part.claims))
                worst = part.worst
                closest = (
                    ["–"] * 4 if worst is None else [part.place(worst), _value(worst), _off(worst), allowed(worst)]
                )
                found.append([name, part.kind, *(f"{count or '–'}" for count in counts), *closest])
        return found

    def failures(self) -> list[list[str]]:
        """Header, and every line that fails, with its source."""
        lines = [[line.name, _value(line), allowed(line), line.source] for line in self.failing]
        return [["line", "value", "allowed", "source"], *lines]

    def flat(self) -> list[dict[str, Any]]:
        """Every line as a record, as `--json FILE` writes them."""
        return [line.to_json() | {"check": name} for name, lines in self.lines.items() for line in lines]


def run_validation(
    only: Sequence[str] | None = None, *, effort: Effort = "full", out: Path | None = None, new: bool = False,
    progress: Progress | None = None,
) -> ValidationReport:  # fmt: skip
    """Run the checks called `only` (None: all) and keep each in `out` as it is finished.

    new: run finished ones again.
    Raises UnknownNameError for a check that does not exist, CheckpointError for a folder of something else.
    """
    names, progress = check_names(only), progress or SilentProgress()
    out = out or Path("runs") / ("twin-validate" if effort == "full" else "twin-validate-quick")
    sources = _sources()
    folder = RunFolder.open(out, {"validation": effort}, provenance({"twin": sources}), new=False)
    found: dict[str, list[Line]] = {}
    with folder.held():
        old = () if new else names
        kept = {name: lines for name in old if (lines := _kept(folder, name, sources)) is not None}
        if kept:
            progress.note(f"{len(kept)} of {len(names)} checks were finished before; --new runs them again.")
        progress.expect(len(names), len(kept))
        for name in names:
            found[name] = kept[name] if name in kept else _run(folder, name, effort, sources, progress)
    check_unique(line for lines in found.values() for line in lines)
    return ValidationReport(found, folder.path)


def _run(folder: RunFolder, name: str, effort: Effort, sources: str, progress: Progress) -> list[Line]:
    progress.advance(0, name)
    begin_s = time.monotonic()
    lines = run_check(name, effort)
    took_s = time.monotonic() - begin_s
    records = [line.to_json() for line in lines]
    folder.cell(name).finish({"sources": sources, "seconds": round(took_s, 1), "lines": records})
    failing = sum(not line.holds for line in lines)
    progress.note(f"{name}: {len(lines)} lines, {f'{failing} fail' if failing else 'all hold'}, {took_s:.1f} s")
    progress.advance(1, name)
    return lines


def _kept(folder: RunFolder, name: str, sources: str) -> list[Line] | None:
    cell = folder.cell(name)
    if not cell.is_finished:
        return None
    summary = cell.summary()
    return [Line.from_json(record) for record in summary["lines"]] if summary["sources"] == sources else None


def _sources() -> str:
    """Hash of every file of the twin, its tables included, and of what computes with them."""
    digest = hashlib.sha256(platform.machine().encode())
    for path in _files(Path(ranpilot.__path__[0])):
        digest.update(path.name.encode() + path.read_bytes())
    for package in _PACKAGES:
        digest.update(f"{package} {version(package)}".encode())
    return digest.hexdigest()[:16]


def _files(package: Path) -> Iterator[Path]:
    yield from (package / name for name in _ALONGSIDE)
    yield from sorted(p for p in (package / "twin").rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def _off(line: Line) -> str:
    return "–" if line.difference is None else f"{line.difference:+.2g}"


def _value(line: Line) -> str:
    return f"{line.value:.6g} {line.unit}".removesuffix(" 1")
