"""Print the ten longest files and functions of the package: places to look at, not a verdict."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "ranpilot"


def main() -> None:
    files: list[tuple[int, str]] = []
    functions: list[tuple[int, str]] = []
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        name = str(path.relative_to(PACKAGE))
        files.append((source.count("\n"), name))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                functions.append((length, f"{name}:{node.lineno} {node.name}"))
    for title, rows in (("longest files", files), ("longest functions", functions)):
        print(title)
        for length, name in sorted(rows, reverse=True)[:10]:
            print(f"  {length:4d}  {name}")


if __name__ == "__main__":
    main()
