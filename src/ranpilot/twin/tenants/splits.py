"""Which families and phrasings are trained on, and which are held out: by a hash of names, so that it never moves.

u(key) is the first seven bytes of SHA-256 of the key as a fraction in [0, 1). A family is for training where
u("family/<fold>/<name>") < 0.65, for validation below 0.8, else held out. The phrasings of a family are ordered by
u("phrasing/<fold>/<name>/<phrasing>"): the first is held out, the second for validation, the other three for training.
Adding or removing families moves no other; another fold is another split.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from ranpilot.twin.tenants.service_family import PHRASINGS, Phrasing

__all__ = ["SPLITS", "TenantSplit", "family_split", "hash_share", "phrasing_split"]

TenantSplit = Literal["train", "validation", "heldout"]
SPLITS: tuple[TenantSplit, ...] = ("train", "validation", "heldout")

TRAIN_BELOW, VALIDATION_BELOW = 0.65, 0.8
BY_PLACE: tuple[TenantSplit, ...] = ("heldout", "validation", "train", "train", "train")


def family_split(family: str, fold: int = 0) -> TenantSplit:
    """The split that a family belongs to."""
    share = hash_share(f"family/{fold}/{family}")
    if share < TRAIN_BELOW:
        return "train"
    return "validation" if share < VALIDATION_BELOW else "heldout"


def phrasing_split(family: str, phrasing: Phrasing, fold: int = 0) -> TenantSplit:
    """The split that a phrasing of a family belongs to, also where the family lacks other phrasings."""
    order = sorted(PHRASINGS, key=lambda name: hash_share(f"phrasing/{fold}/{family}/{name}"))
    return BY_PLACE[order.index(phrasing)]


def hash_share(key: str) -> float:
    """A number in [0, 1) that depends on the key only."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") / 2**56
