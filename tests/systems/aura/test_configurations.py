from __future__ import annotations

import pytest

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.systems import aura
from ranpilot.systems.aura import AuraConfig


def test_the_configurations_are_what_their_names_say() -> None:
    assert aura.marl_only() == AuraConfig(trust=None, credit="none")
    assert aura.guided() == AuraConfig(trust="counterfactual", credit="none")
    assert aura.aura() == AuraConfig(trust="counterfactual", credit="centred", credit_alpha=0.05)
    assert aura.aura_literal() == AuraConfig(trust="score", credit="uniform", credit_alpha=0.1, followed_teach="fully")
    assert list(aura.CONFIGURATIONS) == ["marl-only", "guided", "aura", "aura-literal"]


def test_a_controller_is_made_by_name(hands) -> None:
    controller = aura.make("guided", adviser="rules", trust="score", train_episodes=30, first_network=2000, gamma=0.9)
    expected = AuraConfig(trust="score", train_episodes=30, first_network=2000, gamma=0.9)
    assert controller.config == expected
    assert aura.make("aura", adviser=hands.good())._adviser_name == "fixed"


def test_agents_alone_need_no_adviser() -> None:
    assert aura.make("marl-only", adviser=None, trust="counterfactual").config == aura.marl_only()
    with pytest.raises(ConfigError, match=r"aura.adviser = None, but must be a controller, since trust is"):
        aura.make("aura", adviser=None)


def test_a_wrong_name_or_setting_is_one_sentence() -> None:
    with pytest.raises(UnknownNameError, match="No configuration of aura is called 'guide'; did you mean 'guided'"):
        aura.make("guide")
    with pytest.raises(
        ConfigError, match=r"aura.gama = 0.9, but must be left out \(no such key; did you mean 'gamma'; "
    ):
        aura.make("aura", gama=0.9)
    with pytest.raises(ConfigError, match=r"aura.gamma = 1.5, but must be at most 1"):
        aura.make("marl-only", gamma=1.5)
    with pytest.raises(ConfigError, match=r"aura.context = 'weather', but must be one of power, coverage, capacity"):
        aura.make("marl-only", context="weather")
    with pytest.raises(ConfigError, match=r"aura.epsilon_end = 0.5, but must be at most epsilon_start \(0.1\)"):
        aura.make("marl-only", epsilon_start=0.1, epsilon_end=0.5)


def test_every_public_name_is_there() -> None:
    for name in aura.__all__:
        assert getattr(aura, name) is not None
