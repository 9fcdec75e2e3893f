"""Who gets how many groups of a slot, in the plainest words: every slice wants all it can get, all groups are alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

GOLDEN = 0.6180339887498949
MARGIN = 1e-9


@dataclass
class Share:
    """What a slice may take of a cell, as fractions, and how many members want more."""

    least: float
    most: float
    dedicated: float
    wanting: int


def groups_of_slot(shares: list[Share], num_groups: int, slot: int) -> list[int]:
    """Groups of each slice in a slot."""
    scale = num_groups / max(1.0, sum(share.least for share in shares))
    edge = (slot * GOLDEN % 1.0) * (1.0 - 2.0 * MARGIN) + MARGIN
    quota, cap, reserve = [], [], []
    for share in shares:
        # The boundary between two slices moves from slot to slot, so that parts of groups are whole ones now and then.
        phase = edge % 1.0
        quota.append(math.floor(phase + share.least * scale))
        reserve.append(math.floor(phase + share.dedicated * scale))
        cap.append(max(quota[-1], min(num_groups, math.floor(phase + share.most * num_groups + MARGIN))))
        edge += share.least * scale
    used = [own if share.wanting else 0 for own, share in zip(quota, shares, strict=True)]
    kept = sum(max(0, own - taken) for own, taken in zip(reserve, used, strict=True))
    borrowed = [0] * len(shares)
    for _ in range(num_groups - sum(used) - kept):
        claims = []
        for turn in range(len(shares)):
            index = (slot + turn) % len(shares)
            if shares[index].wanting and used[index] < cap[index]:
                claims.append((shares[index].wanting / (borrowed[index] + 0.5), -turn, index))
        if not claims:
            break
        _, _, index = max(claims)
        used[index] += 1
        borrowed[index] += 1
    return used
