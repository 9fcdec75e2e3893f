"""TS 38.214 §5.1.3.2 word by word, in exact fractions, with the sizes of its Table 5.1.3.2-1 typed in once more.

Usage: python tests/reference/transport_block_reference.py   (writes src/ranpilot/twin/validate/data/tbs.csv)
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

TARGET = Path(__file__).parents[2] / "src" / "ranpilot" / "twin" / "validate" / "data" / "tbs.csv"
HEADER = """\
# Transport block sizes in bits of PDSCH.
# Source: TS 38.214 V17 §5.1.3.2, worked through in exact fractions by tests/reference/transport_block_reference.py,
# which shares no code with the package; the code rate is given here, so that no MCS table is needed.
num_prb,modulation_order,code_rate_x1024,layers,re_per_prb,tbs_bits
"""
SMALL_SIZES = [
    *range(24, 193, 8), *range(208, 289, 16), *(304, 320, 336, 352, 368, 384, 408, 432, 456, 480, 504, 528, 552, 576),
    *(608, 640, 672, 704, 736, 768, 808, 848, 888, 928, 984, 1032, 1064, 1128, 1160, 1192, 1224, 1256, 1288, 1320),
    *(1352, 1416, 1480, 1544, 1608, 1672, 1736, 1800, 1864, 1928, 2024, 2088, 2152, 2216, 2280, 2408, 2472, 2536),
    *(2600, 2664, 2728, 2792, 2856, 2976, 3104, 3240, 3368, 3496, 3624, 3752, 3824),
]  # fmt: skip


def reference_bits(num_prb: int, order: int, rate: Fraction, layers: int, re_per_prb: int) -> int:
    """The transport block size of a modulation order and code rate."""
    n_re = min(156, re_per_prb) * num_prb
    n_info = n_re * rate * order * layers
    if n_info <= 3824:
        n = max(3, math.floor(math.log2(n_info)) - 6)
        quantized = max(24, 2**n * math.floor(n_info / 2**n))
        return min(size for size in SMALL_SIZES if size >= quantized)
    n = math.floor(math.log2(n_info - 24)) - 5
    # "ties in the round function are broken towards the next largest integer"
    quantized = max(3840, 2**n * math.floor((n_info - 24) / 2**n + Fraction(1, 2)))
    if rate <= Fraction(1, 4):
        blocks = math.ceil(Fraction(quantized + 24, 3816))
    elif quantized > 8424:
        blocks = math.ceil(Fraction(quantized + 24, 8424))
    else:
        blocks = 1
    return 8 * blocks * math.ceil(Fraction(quantized + 24, 8 * blocks)) - 24


def main() -> None:
    """Write the file: every order with its extreme and middle rates, from one PRB to the widest carrier."""
    lines = []
    for order, rates in ((2, (30, 120, 251, 526)), (4, (340, 490, 658)), (6, (438, 616, 948)), (8, (682.5, 841, 948))):
        for rate in rates:
            for num_prb in (1, 2, 5, 11, 24, 52, 106, 133, 217, 273):
                for layers, re_per_prb in ((1, 144), (1, 156), (4, 132)):
                    bits = reference_bits(num_prb, order, Fraction(rate) / 1024, layers, re_per_prb)
                    lines.append(f"{num_prb},{order},{rate:g},{layers},{re_per_prb},{bits}")
    TARGET.write_text(HEADER + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
