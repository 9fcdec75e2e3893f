"""Numbers that stand for what a tenant says of its service: a table with a row for each distinct text.

Every text is encoded once, when it is first seen; rollouts and memories keep rows, not numbers, so that a table made
anew (`refresh`) holds for everything that is remembered. Row 0 is for a seat that says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ranpilot.envs.controller import IntArray, Observation
from ranpilot.errors import ConfigError

__all__ = ["SliceCodes"]

Encode = Callable[[Sequence[str]], NDArray[np.floating]]
"""[n, Z] numbers for n texts."""


class SliceCodes:
    """A growing table of codes [rows, Z]."""

    def __init__(self, size: int, encode: Encode) -> None:
        self.size = size
        self._encode = encode
        self._row_of: dict[str, int] = {}
        self.table: Tensor = torch.zeros((1, size))
        """[rows, Z]; who trains codes may put a tensor with gradients in its place."""

    def rows(self, obs: Observation) -> IntArray:
        """[B, A, S] row of every seat; texts not seen before are encoded."""
        unseen = [text for text in obs.texts if text not in self._row_of]
        if unseen:
            start = len(self.table)
            self.table = torch.cat([self.table.detach(), self._encoded(unseen)])
            self._row_of.update({text: start + index for index, text in enumerate(unseen)})
        of_text = np.array([self._row_of[text] for text in obs.texts] + [0], dtype=np.int64)
        rows: IntArray = of_text[obs.slice_text_ids]  # -1 picks the last entry, row 0
        return rows

    def refresh(self) -> None:
        """Encode every text anew, after the encoder has changed."""
        if self._row_of:
            self.table = torch.cat([torch.zeros((1, self.size)), self._encoded(list(self._row_of))])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint holds."""
        return {"codes.texts": np.array(list(self._row_of), dtype=np.str_), "codes.table": self.table.detach().numpy()}

    def restore(self, found: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` gave."""
        self._row_of = {str(text): row for row, text in enumerate(found["codes.texts"], start=1)}
        self.table = torch.from_numpy(found["codes.table"].astype(np.float32))

    def _encoded(self, texts: Sequence[str]) -> Tensor:
        numbers = np.asarray(self._encode(texts), dtype=np.float32)
        if numbers.shape != (len(texts), self.size):
            raise ConfigError("encode(texts)", numbers.shape, f"numbers of shape {(len(texts), self.size)}")
        return torch.from_numpy(numbers)
