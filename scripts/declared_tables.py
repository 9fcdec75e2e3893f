"""The tables of docs/kpm.md and docs/controls.md, from the declarations of measurements, histograms and controls."""

from __future__ import annotations

from collections.abc import Callable

from records import plain

from ranpilot.declare import Distribution, Measurement, Scope
from ranpilot.twin.controls import CONTROLS
from ranpilot.twin.kpm import HISTOGRAMS, MEASUREMENTS

__all__ = ["TABLES"]

TITLES: dict[Scope, str] = {
    "network": "Networks",
    "cell": "Cells",
    "slice": "Slices",
    "ue": "Users",
    "link": "Links",
}
BETTER = {"higher": "more", "lower": "less", "neither": ""}


def measurements() -> str:
    """Every measurement: a heading and a table for each scope that has some."""
    return "\n".join(
        f"## {title}\n\n{_of_scope(scope)}"
        for scope, title in TITLES.items()
        if any(measurement.scope == scope for measurement in MEASUREMENTS)
    )


def histograms() -> str:
    """Every histogram with its bins."""
    titles = ["name", "counts", "what", "formula", "bins", "defined by; what differs here"]
    lines = [
        [f"`{d.name}`", _unit(d.unit), d.description, d.formula, f"{d.bins} ({d.bin_unit})", _source(d)]
        for d in HISTOGRAMS
    ]
    return plain(titles, lines)


def controls() -> str:
    """Every control."""
    titles = ["name", "of", "kind", "range", "unit", "carried by", "what it does"]
    lines = []
    for c in CONTROLS:
        span = f"{_number(c.low)} to {_number(c.high)}"
        lines.append([f"`{c.name}`", c.scope, c.kind, span, _unit(c.unit), c.interface, c.description])
    return plain(titles, lines)


def _of_scope(scope: Scope) -> str:
    titles = ["name", "unit", "what", "formula", "defined by; what differs here", "bounds", "better"]
    lines = []
    for m in MEASUREMENTS:
        if m.scope == scope:
            bounds = f"{_number(m.low)} to {_number(m.high)}"
            line = [f"`{m.name}`", _unit(m.unit), m.description, m.formula, _source(m), bounds, BETTER[m.better]]
            lines.append(line)
    return plain(titles, lines)


def _source(declared: Measurement | Distribution) -> str:
    """Who defines it, and what differs here."""
    source = "ours" if declared.source == "ranpilot" else declared.source
    return f"{source}; {declared.differs}" if declared.differs else source


def _unit(unit: str) -> str:
    return "number" if unit == "1" else unit


def _number(value: float) -> str:
    text = f"{value:,.0f}" if value == int(value) else f"{value:g}"
    return text.replace(",", " ").replace("-", "−")


TABLES: dict[str, Callable[[], str]] = {
    "kpm": measurements,
    "kpm-histograms": histograms,
    "controls": controls,
}
