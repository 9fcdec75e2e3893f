"""Write src/ranpilot/twin/validate/data/antenna.csv: TR 38.901 Table 7.3-1 and sums of phasors, each by itself.

It imports nothing of ranpilot: the element's pattern is typed in from the standard, and a column of elements is added
up phasor by phasor. Run it with `python scripts/make_antenna_table.py`.
"""

from __future__ import annotations

import cmath
import itertools
import math
from pathlib import Path

OUT = Path(__file__).parent.parent / "src" / "ranpilot" / "twin" / "validate" / "data" / "antenna.csv"
HEADER = """\
# Gain in dBi of the antenna of TR 38.901 (V17) Table 7.3-1 at azimuths off boresight and zenith angles: one element, or
# a column of elements with weights exp(-2 pi i m d cos(tilt)) / sqrt(M). Made by scripts/make_antenna_table.py, which
# adds up phasors and imports nothing of the package.
elements,spacing_wavelengths,downtilt_deg,azimuth_deg,zenith_deg,gain_dbi
"""
COLUMNS = ((1, 0.5, 0.0), (10, 0.5, 12.0), (10, 0.5, 20.0), (8, 0.8, 6.0), (4, 0.5, 0.0))
AZIMUTHS_DEG = (0.0, 32.5, -60.0, 180.0)
ZENITHS_DEG = (57.5, 90.0, 95.0, 102.0, 110.0, 140.0)


def gain_dbi(elements: int, spacing: float, downtilt_deg: float, azimuth_deg: float, zenith_deg: float) -> float:
    """8 dBi less what Table 7.3-1 takes, plus the column's power pattern."""
    vertical_db = min(12 * ((zenith_deg - 90) / 65) ** 2, 30)
    horizontal_db = min(12 * (azimuth_deg / 65) ** 2, 30)
    element_dbi = 8 - min(vertical_db + horizontal_db, 30)
    total = 0j
    for element in range(elements):
        arrives = 2 * math.pi * element * spacing * math.cos(math.radians(zenith_deg))
        steered = 2 * math.pi * element * spacing * math.cos(math.radians(90 + downtilt_deg))
        total += cmath.exp(1j * (arrives - steered)) / math.sqrt(elements)
    return element_dbi + 20 * math.log10(abs(total))


def main() -> None:
    """Write the table."""
    lines = []
    for (elements, spacing, tilt), azimuth, zenith in itertools.product(COLUMNS, AZIMUTHS_DEG, ZENITHS_DEG):
        gain = gain_dbi(elements, spacing, tilt, azimuth, zenith)
        lines.append(f"{elements},{spacing:g},{tilt:g},{azimuth:g},{zenith:g},{gain:.4f}")
    OUT.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
