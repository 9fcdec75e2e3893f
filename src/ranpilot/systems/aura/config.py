"""What an AURA controller is made of, in one record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from ranpilot.errors import ConfigError
from ranpilot.validation import as_config_error

__all__ = ["SITUATION", "AuraConfig", "CreditRule", "make_config"]

SITUATION = ("power", "coverage", "capacity", "drops")
"""What an agent sees, by the names used here; AURA's tasks declare their features in this order."""

Share = Annotated[float, Field(ge=0, le=1)]
CreditRule = Literal["none", "uniform", "centred"]


class AuraConfig(BaseModel, frozen=True, extra="forbid"):
    """Parameters of the agents, of their trust in the adviser and of the delayed reward.

    The agents' numbers and the score trust are the paper's where it gives them; the rest is ours
    (`README.md` says which and why).
    """

    train_episodes: Annotated[int, Field(ge=0, description="episodes before exploration stops")] = 500
    first_network: Annotated[int, Field(ge=0, description="id of the batch's first network, for random numbers")] = 0

    alpha: Annotated[float, Field(gt=0, le=1, description="learning rate of rule `constant`")] = 0.1
    alpha_rule: Literal["constant", "visits"] = "constant"
    """`visits`: the rate is n^-0.6 after n updates of the pair."""
    gamma: Share = 0.95
    initial_value: float = 0.0
    epsilon_start: Annotated[float, Field(gt=0, le=1)] = 1.0
    epsilon_end: Annotated[float, Field(gt=0, le=1)] = 0.05
    epsilon_share: Annotated[float, Field(gt=0, le=1, description="part of the training in which epsilon falls")] = 0.6

    neighbour_features: Annotated[
        bool, Field(description="the nearest neighbour's coverage and capacity join the agent's state")
    ] = False

    trust: str | None = None
    """A part of `trust/`; None: the agents never take advice."""
    followed_teach: Literal["as-trusted", "fully"] = "as-trusted"
    """How far agents learn from steps in which they followed differing advice: at rate α · trust, or α."""
    quiet_share: Annotated[Share, Field(description="part of the training episodes without advice")] = 0.2
    context: Literal["power", "coverage", "capacity", "drops"] = "coverage"
    """The feature whose level tells situations apart in trust, besides the advice itself."""
    trust_step: Annotated[float, Field(gt=0, le=1, description="score: change of trust a step")] = 0.05
    trust_low: Share = 0.05
    trust_high: Share = 0.95
    trust_start: Share = 0.5
    baseline_rate: Annotated[float, Field(gt=0, le=1, description="score: weight of a new reward in the mean")] = 0.05
    horizon: Annotated[int, Field(ge=1, description="counterfactual: steps of a what-if")] = 5
    draws: Annotated[int, Field(ge=1, description="counterfactual: futures of a what-if")] = 1
    ask_share: Annotated[Share, Field(description="counterfactual: part of disagreements that is tried")] = 0.3
    decay: Annotated[float, Field(gt=0, le=1, description="counterfactual, beta: weight of older answers")] = 0.995

    ab_decay: Annotated[float, Field(gt=0, le=1, description="ab: weight of scores one episode older")] = 0.98
    ab_score_sd: Annotated[float, Field(gt=0, description="ab: first guess of a score's standard deviation")] = 0.05
    renewal: Annotated[Share, Field(description="part of its evidence that trust keeps when the adviser changes")] = 0.1

    probe_share: Annotated[Share, Field(description="part of test disagreements that calibration looks into")] = 0.02
    probe_draws: Annotated[int, Field(ge=1, description="futures of such a look")] = 4

    credit: CreditRule = "none"
    credit_every: Annotated[int, Field(ge=1, description="episodes between two delayed rewards")] = 5
    credit_alpha: Annotated[float, Field(gt=0, le=1, description="rate of the delayed reward")] = 0.05
    credit_gain: Annotated[float, Field(gt=0, description="centred: factor of the score minus its mean")] = 5.0
    credit_mean_rate: Annotated[float, Field(gt=0, le=1, description="centred: weight of a new score in its mean")] = (
        0.2
    )

    @model_validator(mode="after")
    def _ranges_in_order(self) -> Self:
        if self.epsilon_end > self.epsilon_start:
            raise ConfigError("epsilon_end", self.epsilon_end, f"at most epsilon_start ({self.epsilon_start:g})")
        if not self.trust_low <= self.trust_start <= self.trust_high:
            allowed = f"from trust_low ({self.trust_low:g}) to trust_high ({self.trust_high:g})"
            raise ConfigError("trust_start", self.trust_start, allowed)
        return self

    @property
    def learning_rate(self) -> tuple[float, float]:
        """The factor α and the exponent p of α · n^(−p)."""
        return (self.alpha, 0.0) if self.alpha_rule == "constant" else (1.0, 0.6)


def make_config(settings: Mapping[str, object], base: AuraConfig | None = None) -> AuraConfig:
    """`base` (the defaults where None) with some settings changed. Raises ConfigError for an unknown or bad one."""
    values = {**(base.model_dump() if base else {}), **settings}
    try:
        return AuraConfig.model_validate(values)
    except ValidationError as report:
        raise as_config_error(report, AuraConfig, prefix="aura") from None
