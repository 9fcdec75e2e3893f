"""How long does a copy of a running network take? Prints microseconds for each copy, alone and sixty-four at once."""

from __future__ import annotations

import time

import numpy as np

from ranpilot import scenarios
from ranpilot.twin import Networks

REPEATS = 20


def main() -> None:
    print(f"{'scenario':<12}{'copies':>8}{'same, us':>12}{'fresh, us':>12}{'snapshot, kB':>15}")
    for name in ("reference", "two-cell"):
        networks = Networks(scenarios.load(name), num=1, seed=0)
        networks.advance(2000)
        size_kb = len(networks.snapshot()) / 1e3
        for copies in (1, 64):
            same_us, fresh_us = _median_us(networks, copies, "same"), _median_us(networks, copies, "fresh")
            print(f"{name:<12}{copies:>8}{same_us:>12.0f}{fresh_us:>12.0f}{size_kb:>15.0f}")


def _median_us(networks: Networks, copies: int, future: str) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        networks.fork(copies, future="same" if future == "same" else "fresh")
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) / copies * 1e6


if __name__ == "__main__":
    main()
