"""Write src/ranpilot/twin/validate/data/path_loss.csv: TR 38.901 Tables 7.4.1-1 and 7.4.2-1 worked out by themselves.

It imports nothing of ranpilot: each formula is the table's line, typed in again from the standard with its numbers, so
that a slip in the twin's code is not repeated here. Run it with `python scripts/make_path_loss_table.py`.
"""

from __future__ import annotations

import math
from math import exp, log10, pi, sqrt
from pathlib import Path

OUT = Path(__file__).parent.parent / "src" / "ranpilot" / "twin" / "validate" / "data" / "path_loss.csv"
HEADER = """\
# Path loss (dB, without shadowing) and probability of line of sight of TR 38.901 (V17) Tables 7.4.1-1 and 7.4.2-1.
# Made by scripts/make_path_loss_table.py, which holds the tables' formulas by themselves and imports nothing of the
# package. RMa: W = 20 m, h = 5 m. UMa and UMi: h_E = 1 m unless environment_height_m is given (UMa users above 13 m
# draw it). c = 3e8 m/s. InH is the mixed office, InH-open the open one.
quantity,model,state,distance_2d_m,bs_height_m,ut_height_m,environment_height_m,carrier_ghz,value
"""
SETTINGS = {
    "RMa": [(35, 1.5, 0.7), (35, 1.5, 2), (150, 10, 6)],
    "UMa": [(25, 1.5, 2), (25, 4.5, 6), (25, 16.5, 6), (25, 22.5, 28)],
    "UMi": [(10, 1.5, 3.5), (10, 7.5, 6), (10, 22.5, 60)],
    "InH": [(3, 1, 6), (3, 1.5, 70)],
}
"""Height of the base station and of the user in metres, carrier in GHz."""
TALL = [(25, 16.5, 15, 2), (25, 22.5, 12, 0.7), (25, 22.5, 21, 6)]
"""UMa with effective environment heights: base station, user, environment, carrier."""
HEIGHTS = {"RMa": [1.5], "UMa": [1.5, 13, 16.5, 22.5], "UMi": [1.5], "InH": [1], "InH-open": [1]}
DISTANCES = {"RMa": (10, 10_000), "UMa": (10, 5000), "UMi": (10, 5000), "InH": (1, 150), "InH-open": (1, 150)}
POINTS = 20


def rma(d2: float, d3: float, hbs: float, hut: float, f: float) -> tuple[float, float, float]:
    """PL1, PL2 and PL'RMa-NLOS with W = 20 and h = 5."""
    dbp = 2 * pi * hbs * hut * f * 1e9 / 3e8

    def pl1(d: float) -> float:
        return (
            20 * log10(40 * pi * d * f / 3)
            + min(0.03 * 5**1.72, 10) * log10(d)
            - min(0.044 * 5**1.72, 14.77)
            + 0.002 * log10(5) * d
        )

    los = pl1(d3) if d2 <= dbp else pl1(dbp) + 40 * log10(d3 / dbp)
    nlos = (
        161.04
        - 7.1 * log10(20)
        + 7.5 * log10(5)
        - (24.37 - 3.7 * (5 / hbs) ** 2) * log10(hbs)
        + (43.42 - 3.1 * log10(hbs)) * (log10(d3) - 3)
        + 20 * log10(f)
        - (3.2 * (log10(11.75 * hut)) ** 2 - 4.97)
    )
    return los, nlos, dbp


def uma(d2: float, d3: float, hbs: float, hut: float, f: float, he: float = 1) -> tuple[float, float, float]:
    """PL1, PL2 and PL'UMa-NLOS."""
    dbp = 4 * (hbs - he) * (hut - he) * f * 1e9 / 3e8
    if d2 <= dbp:
        los = 28.0 + 22 * log10(d3) + 20 * log10(f)
    else:
        los = 28.0 + 40 * log10(d3) + 20 * log10(f) - 9 * log10(dbp**2 + (hbs - hut) ** 2)
    return los, 13.54 + 39.08 * log10(d3) + 20 * log10(f) - 0.6 * (hut - 1.5), dbp


def umi(d2: float, d3: float, hbs: float, hut: float, f: float) -> tuple[float, float, float]:
    """PL1, PL2 and PL'UMi-NLOS."""
    dbp = 4 * (hbs - 1) * (hut - 1) * f * 1e9 / 3e8
    if d2 <= dbp:
        los = 32.4 + 21 * log10(d3) + 20 * log10(f)
    else:
        los = 32.4 + 40 * log10(d3) + 20 * log10(f) - 9.5 * log10(dbp**2 + (hbs - hut) ** 2)
    return los, 35.3 * log10(d3) + 22.4 + 21.3 * log10(f) - 0.3 * (hut - 1.5), dbp


def inh(d2: float, d3: float, hbs: float, hut: float, f: float) -> tuple[float, float, float]:
    """PLInH-LOS and PL'InH-NLOS; there is no breakpoint."""
    return 32.4 + 17.3 * log10(d3) + 20 * log10(f), 38.3 * log10(d3) + 17.30 + 24.9 * log10(f), math.inf


def los_chance(model: str, d: float, hut: float) -> float:
    """Table 7.4.2-1."""
    if model == "RMa":
        return 1 if d <= 10 else exp(-(d - 10) / 1000)
    if model == "InH":
        return 1 if d <= 1.2 else exp(-(d - 1.2) / 4.7) if d < 6.5 else exp(-(d - 6.5) / 32.6) * 0.32
    if model == "InH-open":
        return 1 if d <= 5 else exp(-(d - 5) / 70.8) if d <= 49 else exp(-(d - 49) / 211.7) * 0.54
    if d <= 18:
        return 1
    if model == "UMi":
        return 18 / d + exp(-d / 36) * (1 - 18 / d)
    c = 0 if hut <= 13 else ((hut - 13) / 10) ** 1.5
    return (18 / d + exp(-d / 63) * (1 - 18 / d)) * (1 + c * 5 / 4 * (d / 100) ** 3 * exp(-d / 150))


def spread(low: float, high: float, breakpoint_m: float = math.inf) -> list[float]:
    """Rounded distances at equal ratios over the range, and one close to either side of the breakpoint."""
    found = {float(f"{low * (high / low) ** (i / (POINTS - 1)):.4g}") for i in range(POINTS)}
    near = (math.floor(breakpoint_m * 0.99), math.ceil(breakpoint_m * 1.01)) if breakpoint_m < math.inf else ()
    return sorted(found | {d for d in near if low <= d <= high})


def main() -> None:
    """Write the table."""
    lines = []
    formulas = {"RMa": rma, "UMa": uma, "UMi": umi, "InH": inh}
    for model, settings in SETTINGS.items():
        low, high = DISTANCES[model]
        for hbs, hut, f in settings:
            for d in spread(low, high, formulas[model](low, low, hbs, hut, f)[2]):
                los, nlos, _ = formulas[model](d, sqrt(d**2 + (hbs - hut) ** 2), hbs, hut, f)
                lines.append(f"path_loss_db,{model},los,{d:g},{hbs:g},{hut:g},,{f:g},{los:.4f}")
                if model != "RMa" or d <= 5000:
                    lines.append(f"path_loss_db,{model},nlos,{d:g},{hbs:g},{hut:g},,{f:g},{max(los, nlos):.4f}")
    for hbs, hut, he, f in TALL:
        for d in spread(*DISTANCES["UMa"], uma(10, 10, hbs, hut, f, he)[2]):
            los, nlos, _ = uma(d, sqrt(d**2 + (hbs - hut) ** 2), hbs, hut, f, he)
            lines.append(f"path_loss_db,UMa,los,{d:g},{hbs:g},{hut:g},{he:g},{f:g},{los:.4f}")
            lines.append(f"path_loss_db,UMa,nlos,{d:g},{hbs:g},{hut:g},{he:g},{f:g},{max(los, nlos):.4f}")
    for model, heights in HEIGHTS.items():
        low, high = DISTANCES[model]
        for hut in heights:
            # Both sides of the steps in the formulas.
            for d in sorted({*spread(low, high), 1.2, 5, 5.1, 6.4, 6.5, 10, 11, 17, 18, 19, 49, 50}):
                if low <= d <= high:
                    lines.append(f"los_probability,{model},,{d:g},,{hut:g},,,{los_chance(model, d, hut):.6f}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
