"""Shares in proportion to the load: the task gives them back, and an untaught policy begins there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ranpilot.envs.controller import Observation  # noqa: E402
from ranpilot.envs.share_action import ShareAction  # noqa: E402
from ranpilot.envs.tasks._slice_features import SEEN  # noqa: E402
from ranpilot.errors import ConfigError  # noqa: E402
from ranpilot.learning.learners import make_learner  # noqa: E402
from ranpilot.learning.load_logits import LEAST_MBIT, LoadLogits  # noqa: E402
from ranpilot.twin import kpm  # noqa: E402

from .toy_slices import ToySlices, make_task  # noqa: E402

RULE = ShareAction("soft", 3.0, 51)
TASK = replace(make_task(), slice_features=SEEN, share_action=RULE)
COLUMN = [feature.name for feature in SEEN].index(kpm.SLICE_OFFERED.name)


def observe(volume_mbit: np.ndarray, mask: np.ndarray) -> Observation:
    slices = np.zeros((*volume_mbit.shape, len(SEEN)))
    slices[..., COLUMN] = SEEN[COLUMN].shown(volume_mbit) * mask
    obs = ToySlices(len(mask)).observation
    return replace(obs, slices=slices, slice_mask=mask, slice_text_ids=np.full(mask.shape, -1))


def test_the_task_makes_shares_of_the_load_of_them() -> None:
    volume = np.array([[[4.0, 1.0, 50.0, 0.5]] * 2])
    mask = np.array([[[True, True, False, True]] * 2])
    number = LoadLogits(TASK)(observe(volume, mask))
    share, _ = RULE.shares(number, mask)
    offered = (volume + LEAST_MBIT) * mask
    np.testing.assert_allclose(share, offered / offered.sum(axis=-1, keepdims=True), rtol=1e-6)
    assert (number[..., 2] == 0.0).all()


def test_extreme_loads_stay_within_the_range_and_no_load_is_shared_equally() -> None:
    mask = np.ones((2, 2, 4), dtype=np.bool_)
    volume = np.zeros(mask.shape)
    volume[0, :, 1] = 100.0
    number = LoadLogits(TASK)(observe(volume, mask))
    assert np.abs(number[0]).max() == pytest.approx(0.95)
    np.testing.assert_allclose(number[1], 0.0, atol=1e-12)


@pytest.mark.parametrize("name", ["ppo", "masac"])
def test_an_untaught_policy_begins_there(name: str) -> None:
    random = np.random.default_rng(0)
    obs = observe(random.uniform(0.5, 20.0, (3, 2, 4)), random.random((3, 2, 4)) < 0.7)
    learner = make_learner(name, {"start": "load", "train_episodes": 0})
    learner.reset(TASK, 3, 0, None)
    np.testing.assert_allclose(learner.act(obs), LoadLogits(TASK)(obs), atol=0.1)


def test_a_task_that_does_not_show_the_load_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"start = 'load', but must be 'equal' for task 'toy-slices'"):
        LoadLogits(make_task())
