"""Rules of the house that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "ranpilot"
SOURCES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helper", "helpers", "common", "misc", "core", "manager", "base"}


def test_no_file_or_folder_carries_a_name_that_says_nothing() -> None:
    assert len(SOURCES) > 20
    parts = {path: path.relative_to(PACKAGE).parts for path in SOURCES}
    said_nothing = [path for path in SOURCES if FORBIDDEN_NAMES & {part.removesuffix(".py") for part in parts[path]}]
    assert said_nothing == []


def test_every_name_in_all_exists() -> None:
    for path in SOURCES:
        names = _exported(path)
        defined = _defined(path)
        missing = [name for name in names if name not in defined]
        assert not missing, f"{path}: {missing}"


@pytest.mark.parametrize("module", ["torch", "transformers", "numba", "pandas", "matplotlib", "scipy", "gymnasium"])
def test_importing_the_package_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, ranpilot; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _exported(path: Path) -> list[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = getattr(node, "targets", [])
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in targets):
            value = ast.literal_eval(node.value)
            return [str(name) for name in value]
    return []


def _defined(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            # A package that loads its names lazily lists them in __getattr__'s table.
            if node.name == "__getattr__":
                names |= set(_exported(path))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                names |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names
