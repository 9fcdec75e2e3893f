"""The compile cache is keyed by everything that is compiled into a kernel."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from ranpilot import kernels


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("twin/parameters/grid.py", True),  # constants that kernels freeze, in a file that defines none
        ("twin/traffic/protocol.py", True),
        ("envs/aura_paper/state.py", True),
        ("twin/kernel.py", True),
        ("kernels.py", True),
        ("cli/twin.py", False),
        ("twin/calibrate/fit.py", False),
        ("twin/kpm/cell.py", False),
        ("twin/network.py", False),
        ("twin/validate/line.py", False),
    ],
)
def test_an_edit_changes_the_key_where_kernels_may_depend_on_it(
    file: str, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "ranpilot"
    shutil.copytree(Path(kernels.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(kernels, "__file__", str(package / "kernels.py"))
    before = kernels.source_hash()
    edited = package / file
    edited.write_text(edited.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert (kernels.source_hash() != before) is counts


def test_what_is_left_out_of_the_key_defines_and_feeds_no_kernel() -> None:
    source = Path(kernels.__file__).parent.parent
    files = {module_name(path.relative_to(source)): path for path in source.glob("ranpilot/**/*.py")}
    waiting = [name for name, path in files.items() if "from ranpilot.kernels import" in path.read_text("utf-8")]
    counts: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in counts:
            counts.add(name)
            waiting += imported(files[name], files)
    assert {"ranpilot.twin.state", "ranpilot.twin.parameters.grid", "ranpilot.twin.kernel"} <= counts
    for name in counts:
        assert not files[name].relative_to(source / "ranpilot").as_posix().startswith(kernels.WITHOUT_KERNELS), name


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, files: dict[str, Path]) -> list[str]:
    """The modules of the package that a file imports from, wherever in it."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [name if (name := f"{node.module}.{alias.name}") in files else node.module for alias in node.names]
    return [name for name in names if name in files]
