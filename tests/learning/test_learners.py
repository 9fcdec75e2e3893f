"""Learners by name."""

from __future__ import annotations

import importlib.util

import pytest

from ranpilot.errors import MissingExtraError, UnknownNameError
from ranpilot.learning.learners import LEARNERS, make_learner


@pytest.mark.parametrize("name", LEARNERS)
def test_every_name_makes_its_learner_with_its_settings(name: str) -> None:
    pytest.importorskip("torch")
    learner = make_learner(name, {"hidden": 7})
    assert name == learner.NAME
    assert learner.config.hidden == 7


def test_an_unknown_name_lists_the_known_and_a_missing_torch_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UnknownNameError, match=r"No learner is called 'pppo'; did you mean 'ppo'"):
        make_learner("pppo", {})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"The controller sac needs torch.*pip install 'ranpilot\[learn\]'"):
        make_learner("sac", {})
