"""Pages that open without a network: one template each, one style for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["render_page"]

STYLE = Path(__file__).with_name("page_style.css")


def render_page(template: Path, **values: Any) -> str:
    """The page that a template makes of its values; they are escaped, and `style` is there for its head."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(template.read_text(encoding="utf-8"))
    return page.render(style=STYLE.read_text(encoding="utf-8"), **values)
