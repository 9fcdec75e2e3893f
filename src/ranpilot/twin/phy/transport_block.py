"""Transport block size and code block segmentation of PDSCH, exactly.

Source: TS 38.214 §5.1.3.2 (size), TS 38.212 §5.2.2, §7.2.1 and §7.2.2 (CRC, base graph, segmentation).
Rational arithmetic throughout: N_info is a whole number of 1/2048 (code rates have halves), so that no rounding of
floats moves a size. Left out: the scaling field of paging and random access, and MCS 28 to 31 (retransmissions).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from ranpilot.errors import ConfigError
from ranpilot.twin.phy.mcs import ModulationAndCoding, check_mcs, read_rows

__all__ = ["CodeBlocks", "code_blocks", "scheme_transport_block_bits", "transport_block_bits"]

MAX_PRB = 275
"""Largest number of resource blocks of a carrier (TS 38.101-1 has 273, TS 38.211 allows 275)."""

MAX_RE_PER_PRB = 156
"""Resource elements of one resource block that count (TS 38.214 §5.1.3.2, step 1)."""

_PARTS = 2048
_LARGE_N_INFO = 3824
_CRC_BITS = 24
_CODE_BLOCK_BITS = {1: 8448, 2: 3840}


class CodeBlocks(NamedTuple):
    """How a transport block is cut."""

    base_graph: int
    num_blocks: int
    bits: int
    """Bits of one code block with its CRCs, before filler bits."""


def transport_block_bits(num_prb: int, mcs: int, *, table: int = 1, layers: int = 1, re_per_prb: int = 144) -> int:
    """Transport block size in bits of `num_prb` resource blocks.

    num_prb: 1 to 275; mcs: an index of MCS table 1, 2 or 3; layers: 1 to 4; re_per_prb: resource elements for data in
    one resource block, 1 to 168, of which the standard counts at most 156 (144 = 14 symbols less 2 for overhead).
    Raises: ConfigError.
    Source: TS 38.214 §5.1.3.2.
    """
    for field, value, high in (("num_prb", num_prb, MAX_PRB), ("layers", layers, 4), ("re_per_prb", re_per_prb, 168)):
        if isinstance(value, bool) or not 1 <= value <= high or value != int(value):
            raise ConfigError(field, value, f"a whole number 1 to {high}")
    return scheme_transport_block_bits(check_mcs(mcs, table), int(num_prb), int(layers), int(re_per_prb))


def scheme_transport_block_bits(scheme: ModulationAndCoding, num_prb: int, layers: int, re_per_prb: int) -> int:
    """Transport block size in bits of a modulation and code rate; the arguments are taken as checked."""
    num_re = min(MAX_RE_PER_PRB, re_per_prb) * num_prb
    info_parts = num_re * round(scheme.code_rate_x1024 * 2) * scheme.modulation_order * layers
    if info_parts <= _LARGE_N_INFO * _PARTS:
        return _small_size(info_parts)
    return _large_size(info_parts, scheme.code_rate_x1024)


def code_blocks(transport_bits: int, code_rate_x1024: float) -> CodeBlocks:
    """Base graph, number and size of the code blocks of a transport block.

    Source: TS 38.212 §7.2.2 (base graph), §7.2.1 (24 or 16 CRC bits), §5.2.2 (segmentation).
    """
    # R <= 0.67 and R <= 0.25 of §7.2.2, for a rate in 1/1024.
    uses_graph_2 = (
        transport_bits <= 292
        or (transport_bits <= _LARGE_N_INFO and code_rate_x1024 <= 0.67 * 1024)
        or code_rate_x1024 <= 0.25 * 1024
    )
    base_graph = 2 if uses_graph_2 else 1
    with_crc = transport_bits + (_CRC_BITS if transport_bits > _LARGE_N_INFO else 16)
    largest = _CODE_BLOCK_BITS[base_graph]
    if with_crc <= largest:
        return CodeBlocks(base_graph, 1, with_crc)
    count = _ceil_div(with_crc, largest - _CRC_BITS)
    return CodeBlocks(base_graph, count, _ceil_div(with_crc + count * _CRC_BITS, count))


@functools.cache
def _size_table() -> tuple[int, ...]:
    return tuple(int(bits) for _, bits in read_rows("tbs_sizes.csv"))


def _small_size(info_parts: int) -> int:
    """Step 3, N_info <= 3824: round down to a multiple of 2^n, then the next size of Table 5.1.3.2-1."""
    whole = info_parts // _PARTS
    exponent = max(3, whole.bit_length() - 1 - 6)
    quantized = max(24, whole >> exponent << exponent)
    return next(size for size in _size_table() if size >= quantized)


def _large_size(info_parts: int, code_rate_x1024: float) -> int:
    """Step 4, N_info > 3824: round to a multiple of 2^n (ties up), then whole bytes in equal code blocks."""
    rest_parts = info_parts - _CRC_BITS * _PARTS
    exponent = (rest_parts // _PARTS).bit_length() - 1 - 5
    step_parts = _PARTS << exponent
    quantized = max(3840, ((2 * rest_parts + step_parts) // (2 * step_parts)) << exponent)
    with_crc = quantized + _CRC_BITS
    if code_rate_x1024 <= 256:
        count = _ceil_div(with_crc, 3816)
    elif quantized > 8424:
        count = _ceil_div(with_crc, 8424)
    else:
        count = 1
    return 8 * count * _ceil_div(with_crc, 8 * count) - _CRC_BITS


def _ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
