"""Where a user is that moves along a trace: straight between two points of it, and at its last point for ever."""

from __future__ import annotations

from ranpilot.kernels import inner_kernel
from ranpilot.twin.layout.trace_file import TIME_S, X_M, Y_M
from ranpilot.twin.parameters import UserWays

__all__ = ["trace_place", "way_of"]


@inner_kernel
def way_of(ways: UserWays, ue: int) -> int:
    """Which of the ways the place `ue` has: one after the other, round and round."""
    return ue % len(ways.fading_mps)


@inner_kernel
def trace_place(ways: UserWays, ue: int, time_s: float) -> tuple[float, float]:
    """Metres east and north of a user at `time_s`."""
    way = way_of(ways, ue)
    before, after = ways.first[way], ways.first[way + 1] - 1
    if time_s >= ways.point[after, TIME_S]:
        return ways.point[after, X_M], ways.point[after, Y_M]
    while after - before > 1:
        middle = (before + after) // 2
        if ways.point[middle, TIME_S] <= time_s:
            before = middle
        else:
            after = middle
    start_s = ways.point[before, TIME_S]
    share = (time_s - start_s) / (ways.point[after, TIME_S] - start_s)
    x_m = ways.point[before, X_M] + share * (ways.point[after, X_M] - ways.point[before, X_M])
    y_m = ways.point[before, Y_M] + share * (ways.point[after, Y_M] - ways.point[before, Y_M])
    return x_m, y_m
