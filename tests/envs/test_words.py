"""Values, their levels and their words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranpilot.declare import Measurement
from ranpilot.envs.controller import Feature, Observation, TaskSpec
from ranpilot.envs.words import describe, level_counts, levels, state_words

POWER = Feature(
    measurement=Measurement("power", "dBm", "cell", 30.0, 46.0, "neither"),
    edges=((44.0, 45.0, 46.0), (31.0,)),
    words=(("43", "44", "45", "46"), ("30", "31")),
    low=(43.0, 30.0),
    high=(46.0, 31.0),
)
COVERAGE = Feature(
    measurement=Measurement("bad links", "1", "cell", 0.0, 1.0, "lower"),
    edges=((0.05, 0.15), (0.05, 0.15)),
    words=(("good", "fair", "poor"),) * 2,
    low=(0.0, 0.0),
    high=(1.0, 1.0),
)
SPEC = TaskSpec(
    name="words",
    scenario="made-up",
    agents=("rural", "urban"),
    features=(POWER, COVERAGE),
    state_names=(),
    actions=("keep",),
    neutral_action=0,
    reward_terms=(),
    counters=(),
    step_s=1.0,
    slots_per_step=1,
    episode_steps=1,
    neighbours=((1,), (0,)),
)


def observe(local: np.ndarray) -> Observation:
    count = len(local)
    return Observation(
        local=local,
        state=np.zeros((count, 0)),
        slot=np.zeros(count, np.int64),
        first=np.zeros(count, bool),
        episode=np.zeros(count, np.int64),
        notice_ids=np.zeros((count, 0), np.int64),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_power_on_the_grid_has_its_own_level(dtype: type) -> None:
    grid = np.zeros((4, 2, 2), dtype)
    grid[:, 0, 0] = np.arange(4) / 3
    grid[:, 1, 0] = [0, 1, 0, 1]
    found = levels(SPEC, observe(grid))
    assert found[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert found[:, 1, 0].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(("share", "word"), [(0.0, "good"), (0.0499, "good"), (0.05, "fair"), (0.15, "poor")])
def test_a_value_on_an_edge_has_the_word_above_it(share: float, word: str) -> None:
    obs = observe(np.array([[[0.0, share], [0.0, share]]]))
    found = levels(SPEC, obs)
    assert [state_words(SPEC, a, found[0, a])[1] for a in range(2)] == [word, word]


def test_the_counts_of_levels_are_those_of_the_words() -> None:
    assert level_counts(SPEC).tolist() == [[4, 3], [2, 3]]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_larger_value_never_has_a_lower_level(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    local = np.zeros((len(ordered), 2, 2))
    local[:, :, :] = ordered[:, None, None]
    found = levels(SPEC, observe(local))
    assert (np.diff(found, axis=0) >= 0).all()
    assert (found < level_counts(SPEC)).all()


def test_a_network_is_described_with_what_its_agents_are_told() -> None:
    obs = observe(np.zeros((1, 2, 2)))
    lines = describe(SPEC, obs, 0).splitlines()
    assert len(lines) == 3 and not any("told" in line for line in lines)
    told = replace(obs, notice_ids=np.array([[1, -1]]), texts=("Nothing.", "Match ends."))
    heard, silent = describe(SPEC, told, 0).splitlines()[1:]
    assert heard == lines[1] + "; told: Match ends." and silent == lines[2]
