"""How the numbers of an action become shares of a cell, and shares numbers again: the one place for both ways.

Numbers are in [-1, 1], one for each seat; shares are in [0, 1], sum to at most 1, and free seats have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["ShareAction"]

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class ShareAction:
    """The rule of a variant.

    soft: shares are the softmax of `logit_scale` times the numbers over the taken seats, and minima: what is not wanted
    is lent. hard: the same shares, maxima too. blocks: round((number + 1) / 2 * num_prbs) resource blocks each, minima
    and maxima, scaled down together where they are more than there are.
    """

    kind: Literal["soft", "hard", "blocks"]
    logit_scale: float
    num_prbs: int

    @property
    def lends(self) -> bool:
        """Whether a slice may use more than its share where others leave it."""
        return self.kind == "soft"

    def shares(self, numbers: FloatArray, is_taken: BoolArray) -> tuple[FloatArray, FloatArray]:
        """Shares [..., S], and what was asked for beyond everything [...], as a share of the cell.

        is_taken: [..., S].
        """
        if self.kind == "blocks":
            asked = np.where(is_taken, np.round((numbers + 1.0) / 2.0 * self.num_prbs) / self.num_prbs, 0.0)
            total = asked.sum(axis=-1)
            return asked / np.maximum(total, 1.0)[..., None], np.maximum(total - 1.0, 0.0)
        weight = np.where(is_taken, np.exp(self.logit_scale * numbers), 0.0)
        total = weight.sum(axis=-1, keepdims=True)
        return weight / np.where(total > 0.0, total, 1.0), np.zeros(numbers.shape[:-1])

    def numbers(self, share: FloatArray, is_taken: BoolArray) -> FloatArray:
        """The numbers [..., S] that give those shares, which sum to 1 over the taken seats; free seats have -1.

        soft, hard: exact where the greatest share is at most exp(2 logit_scale) times the least (403 at a scale of 3);
        smaller shares are raised to that, and equal ones are numbers of 0. blocks: shares in whole blocks by largest
        remainders, which add up to what the cell has; each is less than a block off.
        """
        wanted = np.where(is_taken, np.maximum(share, 0.0), 0.0)
        if self.kind == "blocks":
            numbers: FloatArray = 2.0 * self._whole_blocks(wanted) / self.num_prbs - 1.0
        else:
            numbers = self._logits(wanted, is_taken) / self.logit_scale
        return np.where(is_taken, np.clip(numbers, -1.0, 1.0), -1.0)

    def _logits(self, share: FloatArray, is_taken: BoolArray) -> FloatArray:
        """Logarithms of shares, cut off below and moved so that they lie evenly around 0."""
        most = share.max(axis=-1, keepdims=True)
        most = np.where(most > 0.0, most, 1.0)
        logit = np.log(np.clip(share, most * np.exp(-2.0 * self.logit_scale), most))
        top = logit.max(axis=-1, keepdims=True)
        bottom = np.where(is_taken, logit, top).min(axis=-1, keepdims=True)
        result: FloatArray = logit - (top + bottom) / 2.0
        return result

    def _whole_blocks(self, share: FloatArray) -> FloatArray:
        """[..., S] whole blocks, as many in all as the shares come to."""
        blocks = share * self.num_prbs
        whole = np.floor(blocks + 1e-9)
        left = np.round(blocks.sum(axis=-1, keepdims=True) - whole.sum(axis=-1, keepdims=True))
        place = np.argsort(np.argsort(-(blocks - whole), axis=-1, kind="stable"), axis=-1, kind="stable")
        result: FloatArray = whole + (place < left)
        return result
