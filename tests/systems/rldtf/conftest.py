"""Labels made by hand, and small ones from `aura-paper`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.systems.rldtf.choices import Ground
from ranpilot.systems.rldtf.config import label_config
from ranpilot.systems.rldtf.labels import Labels, label_chunk, spec_of

MakeLabels = Callable[..., Labels]


@pytest.fixture
def make() -> MakeLabels:
    return labels_of


@pytest.fixture(scope="session")
def paper() -> Ground:
    config = label_config("aura-paper", load="high", networks=16, picks=3)
    return Ground("aura-paper", spec_of(config), label_chunk(config, 0))


def labels_of(returns: Any, calm: Any = None, texts: list[str] | None = None) -> Labels:
    """Labels with these returns [N, K, M] and nothing seen; calm: those with the event called off."""
    values = np.asarray(returns, dtype=np.float32)
    count = len(values)
    without = np.full_like(values, np.nan) if calm is None else np.asarray(calm, dtype=np.float32)
    return Labels(
        local=np.zeros((count, 2, 4)),
        state=np.zeros((count, 8)),
        agent=np.zeros(count, dtype=np.int64),
        network=np.arange(count),
        step=np.ones(count, dtype=np.int64),
        text=np.array([""] * count if texts is None else texts, dtype="<U256"),
        lead_s=np.full(count, np.nan),
        returns=values,
        returns_calm=without,
    )
