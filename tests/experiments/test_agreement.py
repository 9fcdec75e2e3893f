"""How often an adviser says what the rules say, counted over every prompt."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.envs.make import make_batch
from ranpilot.envs.words import level_counts, levels
from ranpilot.experiments.agreement import agreement, every_situation
from ranpilot.systems.aura.advisers import make_adviser

ENV = make_batch("aura-paper", None, 1, 0)


def test_every_combination_of_words_stands_there_once() -> None:
    situations = every_situation(ENV.spec)
    assert situations is not None
    observation = make_batch("aura-paper", None, 1, 0).observation
    from dataclasses import replace

    found = levels(ENV.spec, replace(observation, local=situations))
    counts = level_counts(ENV.spec)[:, :3]
    assert len(found) == np.prod(counts) == 1152
    assert len(np.unique(found.reshape(len(found), -1), axis=0)) == 1152
    assert (found[:, :, 3] == 0).all()


@pytest.mark.parametrize(("adviser", "low", "high"), [("rules", 1, 1), ("noisy-rules:80", 0.77, 0.83)])
def test_rules_agree_with_themselves_and_noisy_rules_as_often_as_they_say(
    adviser: str, low: float, high: float
) -> None:
    share = agreement(make_adviser(adviser), make_adviser("rules"), ENV.spec, ENV.observation, 0)
    assert share is not None
    assert low <= share <= high
