"""Pictures as files: the ending of the name says which kind."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ranpilot.errors import ConfigError
from ranpilot.experiments.plots import to_svg
from ranpilot.runs import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_picture_path", "save_picture"]

ENDINGS = (".png", ".svg")
DOTS_PER_INCH = 150


def check_picture_path(path: Path) -> None:
    """Raise ConfigError for an ending that is neither .png nor .svg."""
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError("picture", str(path), f"a name that ends in {' or '.join(ENDINGS)}")


def save_picture(figure: Figure, title: str, path: Path) -> None:
    """Write a figure as PNG on white, or as SVG, by the ending of `path`. Raises ConfigError for another ending."""
    check_picture_path(path)
    if path.suffix.lower() == ".svg":
        write_atomic(path, to_svg(figure, title).encode())
        return
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, facecolor="white", metadata={"Title": title})
    write_atomic(path, buffer.getvalue())
