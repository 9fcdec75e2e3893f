"""How often an adviser says what the rules say, counted over every prompt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ranpilot.envs.make import make_batch
from ranpilot.envs.words import levels
from ranpilot.experiments.agreement import agreement, every_situation
from ranpilot.heuristics import HEURISTICS
from ranpilot.systems.aura.advisers import make_adviser
from ranpilot.systems.aura.situations import Situations

ENV = make_batch("aura-paper", None, 1, 0)


def test_every_combination_of_words_stands_there_once_for_each_station() -> None:
    asked = every_situation(ENV.spec)
    assert asked is not None
    obs = replace(ENV.observation, local=asked.local, state=asked.state)
    situations = Situations(ENV.spec)
    rows = situations.read(obs)[np.arange(len(asked.agent)), asked.agent]
    for agent, count in ((0, 1152), (1, 2304)):
        np.testing.assert_array_equal(np.sort(rows[asked.agent == agent]), np.arange(count))
    assert (levels(ENV.spec, obs)[:, :, 3] == 0).all()


def test_what_is_asked_could_be_seen() -> None:
    """A station is full where it has no place, and its coverage is the word for its share of bad links."""
    asked = every_situation(ENV.spec)
    assert asked is not None
    central = asked.state.reshape(len(asked.agent), 2, 4)
    np.testing.assert_array_equal(asked.local[:, :, 2] == 1, central[:, :, 2] == 0)
    np.testing.assert_array_equal(asked.local[:, :, 1], central[:, :, 3])
    assert {0.0, 1.0} == set(asked.local[:, :, 2].ravel())


@pytest.mark.parametrize(("adviser", "low", "high"), [("rules", 1, 1), ("noisy-rules:80", 0.77, 0.83)])
def test_rules_agree_with_themselves_and_noisy_rules_as_often_as_they_say(
    adviser: str, low: float, high: float
) -> None:
    share = agreement(make_adviser(adviser), make_adviser("rules"), ENV.spec, ENV.observation, 0)
    assert share is not None
    assert low <= share <= high


def test_who_reads_numbers_agrees_less_but_not_by_chance() -> None:
    share = agreement(HEURISTICS.load("kpm-rules")(), make_adviser("rules"), ENV.spec, ENV.observation, 0)
    assert share is not None
    assert 0.3 < share < 0.9
