"""Shares in proportion to the load: the softmax of the task gives them back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ranpilot.envs.tasks._slice_features import SEEN, SEEN_NAMES  # noqa: E402
from ranpilot.errors import ConfigError  # noqa: E402
from ranpilot.learning.features import Features  # noqa: E402
from ranpilot.learning.load_logits import LEAST_MBIT, LoadLogits  # noqa: E402
from ranpilot.twin import kpm  # noqa: E402

from .toy_slices import make_task  # noqa: E402

TASK = replace(make_task(), slice_features=SEEN_NAMES)


def features_of(volume_mbit: np.ndarray, mask: np.ndarray) -> Features:
    column = SEEN_NAMES.index(kpm.SLICE_OFFERED.name)
    high = next(seen.high for seen in SEEN if seen.name == kpm.SLICE_OFFERED.name)
    slices = np.zeros((*volume_mbit.shape, len(SEEN_NAMES)))
    slices[..., column] = np.log1p(volume_mbit) / np.log1p(high)
    tensors = (torch.from_numpy(np.asarray(a, dtype=np.float64)) for a in (slices, mask))
    return Features(torch.zeros(1), torch.zeros(1), *tensors)


def test_the_tasks_softmax_of_them_is_the_share_of_the_load() -> None:
    volume = np.array([[[4.0, 1.0, 50.0, 0.5]]])
    mask = np.array([[[1.0, 1.0, 0.0, 1.0]]])
    number = LoadLogits(TASK)(features_of(volume, mask)).numpy()
    weight = np.exp(3.0 * number) * mask
    offered = (volume + LEAST_MBIT) * mask
    np.testing.assert_allclose(weight / weight.sum(), offered / offered.sum(), rtol=1e-6)
    assert number[0, 0, 2] == 0.0


def test_extreme_loads_stay_within_the_range() -> None:
    number = LoadLogits(TASK)(features_of(np.array([[[0.0, 100.0, 0.0, 0.0]]]), np.ones((1, 1, 4))))
    assert float(number.abs().max()) == pytest.approx(0.95)


def test_a_task_that_does_not_show_the_load_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"start = 'load', but must be 'equal' for task 'toy-slices'"):
        LoadLogits(make_task())
