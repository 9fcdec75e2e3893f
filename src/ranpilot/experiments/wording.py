"""Numbers with their intervals as text, the same in the report, the terminal and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranpilot.experiments.statistics import Interval

__all__ = ["against_text", "interval_text", "number_text", "percent_text", "signed_text", "times_text"]


def number_text(value: float) -> str:
    """Three significant digits as far as a table needs them, with a true minus sign."""
    text = f"{value:.2f}" if abs(value) < 9.995 else f"{value:.1f}"
    return text.replace("-", "−")


def interval_text(interval: Mapping[str, Any] | Interval | None) -> str:
    """`3.0 [2.8, 3.3]`, or a dash."""
    if interval is None:
        return "–"
    values: Mapping[str, Any] = interval.as_json() if isinstance(interval, Interval) else interval
    if any(values[name] is None for name in ("estimate", "low", "high")):
        return "–"
    return f"{number_text(values['estimate'])} [{number_text(values['low'])}, {number_text(values['high'])}]"


def against_text(against: Mapping[str, Any] | None) -> str:
    """The ratio to the control, `0.33 [0.30, 0.37] ×`, or the difference where the control is about 0."""
    if against is None:
        return "–"
    times = interval_text(against["ratio"])
    if times != "–" and against["ratio"]["high"] < 100:
        return f"{times} ×"
    sign = "+" if against["difference"]["estimate"] > 0 else ""
    return f"{sign}{interval_text(against['difference'])}"


def times_text(found: Interval) -> str:
    """`0.33 × [0.30, 0.37]`."""
    return f"{found.estimate:.2f} × [{found.low:.2f}, {found.high:.2f}]"


def percent_text(found: Interval) -> str:
    """`57 % [50, 64]`."""
    return f"{found.estimate:.0f} % [{found.low:.0f}, {found.high:.0f}]".replace("-", "−")


def signed_text(found: Interval, digits: int = 2) -> str:
    """`−0.06 [−0.10, +0.02]`."""
    estimate, low, high = (f"{value:+.{digits}f}" for value in (found.estimate, found.low, found.high))
    return f"{estimate} [{low}, {high}]".replace("-", "−")
