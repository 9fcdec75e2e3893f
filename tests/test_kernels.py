"""The compile cache is keyed by everything that is compiled into a kernel."""

from __future__ import annotations

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


@pytest.mark.parametrize("folder", kernels.WITHOUT_KERNELS)
def test_a_folder_that_is_left_out_of_the_key_defines_and_feeds_no_kernel(folder: str) -> None:
    package = Path(kernels.__file__).parent
    inside = package / folder
    assert inside.is_dir()
    module = ".".join(["ranpilot", *inside.relative_to(package).parts])
    short = f"import {inside.name}"
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if inside in path.parents:
            assert "ranpilot.kernels" not in text, path
        elif "from ranpilot.kernels import" in text:
            assert module not in text and short not in text, path
