"""What states are sampled and how long what they are tried with is watched."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from ranpilot.envs.announcements import kinds
from ranpilot.envs.make import AURA_PAPER, DEFAULT_TASK, Split
from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.validation import as_config_error

__all__ = ["FOCUS", "LabelConfig", "label_config", "label_configs"]

Steps = Annotated[int, Field(ge=1, le=1000)]

LOADS = {AURA_PAPER: ("normal", "high")}
"""Loads that an adviser is trained on where none is named; elsewhere the high one, where advice matters."""

TRIALS = {AURA_PAPER: {"hold_steps": 1, "horizon_steps": 6, "picks": 4, "networks": 64}}
"""Where a step is a second and an action moves three calls, an action is tried once; see README."""


FOCUS = ("neighbour-maintenance", "neighbour-surge")
"""Announcements that turn what is best most often; states with these alone are a set of labels of their own."""


class LabelConfig(BaseModel, frozen=True, extra="forbid"):
    """Where states come from and how actions are tried; decides every label."""

    scenario: str
    task: str = DEFAULT_TASK
    load: str | None = None
    split: Split = "train"
    seed: Annotated[int, Field(ge=0)] = 0
    networks: Annotated[int, Field(ge=1, le=4096, description="networks that run at once, a chunk of labels")] = 32
    picks: Annotated[int, Field(ge=0, description="states without announcement that a network gives")] = 2
    told: Annotated[
        tuple[str, ...] | None, Field(min_length=1, description="kinds of announcements that are labelled, None = all")
    ] = None
    draws: Annotated[int, Field(ge=2, le=4096, description="futures that each action is tried on")] = 4
    is_compared: Annotated[
        bool, Field(description="whether announced states are tried with the event called off as well")
    ] = True
    hold_steps: Annotated[Steps, Field(description="how long the action is repeated")] = 10
    horizon_steps: Annotated[Steps, Field(description="how long what comes of it counts")] = 10
    discount: Annotated[float, Field(gt=0, le=1)] = 0.95
    behaviour: Annotated[tuple[str, ...], Field(min_length=1, description="heuristics that run the networks")] = (
        "rules",
        "random",
        "maintain",
    )
    afterwards: Annotated[str, Field(description="heuristic that acts after the action, and for all others")] = (
        "kpm-rules"
    )

    @property
    def key(self) -> str:
        """Short hash of all of it, for the names of folders."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]


def label_configs(scenario: str, *, load: str | None = None, **settings: Any) -> list[LabelConfig]:
    """The labels that an adviser of a scenario needs, one set for each load. Raises ConfigError."""
    loads = (load,) if load is not None else LOADS.get(scenario, ("high",))
    return [label_config(scenario, load=each, **settings) for each in loads]


def label_config(scenario: str, **settings: Any) -> LabelConfig:
    """The usual settings for a scenario with `settings` in their place. Raises ConfigError."""
    try:
        config = LabelConfig(scenario=scenario, **(TRIALS.get(scenario, {}) | settings))
    except ValidationError as error:
        raise as_config_error(error, LabelConfig, prefix="labels") from None
    if config.hold_steps > config.horizon_steps:
        raise ConfigError("labels.hold_steps", config.hold_steps, f"at most horizon_steps ({config.horizon_steps})")
    for kind in config.told or ():
        if kind not in kinds():
            raise UnknownNameError("kind of announcement", kind, kinds())
    return config
