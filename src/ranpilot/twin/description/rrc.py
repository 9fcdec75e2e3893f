"""Measurements, radio link failure and handover."""

from __future__ import annotations

from typing import Annotated

from ranpilot.twin.bounds import Part, bounded

__all__ = ["Rrc"]


class Rrc(Part):
    """Measurements, radio link failure and handover."""

    l3_time_constant_ms: Annotated[float, bounded(10.0, 10_000.0, "ms")] = 200.0
    failure_sinr_db: Annotated[float, bounded(-30.0, 20.0, "dB")] = -8.0
    failure_time_ms: Annotated[float, bounded(10.0, 60_000.0, "ms")] = 1000.0
    handover_interruption_ms: Annotated[float, bounded(0.0, 5000.0, "ms")] = 50.0
