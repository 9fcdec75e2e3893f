"""The configurations that are compared, each a function that returns its config, and one way to make them by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ranpilot.envs.controller import Controller
from ranpilot.errors import UnknownNameError
from ranpilot.systems.aura.config import AuraConfig, CreditRule, make_config

if TYPE_CHECKING:
    from ranpilot.systems.aura.controller import Aura

__all__ = ["CONFIGURATIONS", "aura", "aura_literal", "guided", "make", "marl_only"]


def marl_only() -> AuraConfig:
    """Agents that learn alone."""
    return AuraConfig()


def guided(trust: str = "counterfactual") -> AuraConfig:
    """Agents with an adviser and trust in it."""
    return AuraConfig(trust=trust)


def aura(trust: str = "counterfactual", credit: CreditRule = "centred") -> AuraConfig:
    """Guided agents with the delayed reward of the alignment controller."""
    return AuraConfig(trust=trust, credit=credit)


def aura_literal(trust: str = "score") -> AuraConfig:
    """Algorithm 1 as printed: the paper's score, and the delayed reward on every visit at the agents' own rate."""
    return AuraConfig(trust=trust, credit="uniform", credit_alpha=0.1, followed_teach="fully")


CONFIGURATIONS: dict[str, Callable[..., AuraConfig]] = {
    "marl-only": marl_only,
    "guided": guided,
    "aura": aura,
    "aura-literal": aura_literal,
}


def make(
    configuration: str = "aura",
    *,
    adviser: str | Controller | None = "rules",
    trust: str | None = None,
    train_episodes: int = 500,
    first_network: int = 0,
    **settings: object,
) -> Aura:
    """The controller of that name, not yet reset.

    adviser: a name (`advisers.adviser_names`) or any controller; trust: None for the configuration's own; settings:
    further fields of `AuraConfig`. `marl-only` has neither adviser nor trust and leaves both aside.
    Raises UnknownNameError for an unknown configuration, adviser or trust, ConfigError for a bad setting.
    """
    from ranpilot.systems.aura.advisers import make_adviser
    from ranpilot.systems.aura.controller import Aura

    if configuration not in CONFIGURATIONS:
        raise UnknownNameError("configuration of aura", configuration, list(CONFIGURATIONS))
    chosen = {} if trust is None or configuration == "marl-only" else {"trust": trust}
    base = CONFIGURATIONS[configuration](**chosen)
    given = {**settings, "train_episodes": train_episodes, "first_network": first_network}
    config = make_config(given, base)
    if config.trust is None or adviser is None:
        return Aura(config)
    if not isinstance(adviser, str):
        return Aura(config, adviser, adviser_name=getattr(adviser, "name", type(adviser).__name__))
    made = make_adviser(adviser, train_episodes=train_episodes, first_network=first_network)
    name = getattr(made, "name", adviser)
    return Aura(config, made, adviser_name=name)
