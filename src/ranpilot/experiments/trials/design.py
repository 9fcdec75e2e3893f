"""What a comparison of learners with heuristics is: entrants, loads, seeds and one budget, in one typed record.

A seed is a batch of networks of its own: an entrant that learns is taught on all of them together, at one load of the
train split, and everybody is tested on the same networks' held-out split at every load. So a difference is paired by
seed, and n counts trainings, not networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.validation import as_config_error

__all__ = ["NETWORKS_PER_SEED", "Entrant", "Leg", "Trials", "make_trials"]

NETWORKS_PER_SEED = 1000
"""Seed k has the networks from k times this on, so that no two seeds share one."""

ORACLE = "oracle"


class Entrant(BaseModel, frozen=True, extra="forbid"):
    """One line of the table."""

    label: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]
    kind: Literal["learner", "heuristic", "given"]
    """given: a controller that was taught elsewhere."""
    name: str
    settings: Mapping[str, bool | int | float | str] = {}
    """Fields of the learner's own configuration."""
    test_episodes: Annotated[int, Field(ge=1)] | None = None
    """Fewer than the others' where it is slow; None for the same."""
    cost: Annotated[float, Field(gt=0, exclude=True, description="wall time of a step relative to a heuristic's")] = 1.0

    @property
    def learns(self) -> bool:
        """Whether it is taught first."""
        return self.kind == "learner"

    @property
    def is_oracle(self) -> bool:
        """Whether it tries what it does on copies of the network: a ceiling, not a rival."""
        return ORACLE in self.name


class Leg(NamedTuple):
    """Episodes in one environment."""

    phase: Literal["train", "test"]
    load: str
    split: Literal["train", "heldout"]
    episodes: range


class Trials(BaseModel, frozen=True, extra="forbid"):
    """Entrants x seeds with equal budgets; every number of the report follows from it."""

    name: str
    scenario: str
    task: str = "slicing"
    variant: str | None = None
    train_load: str
    loads: Annotated[tuple[str, ...], Field(min_length=1)]
    entrants: Annotated[tuple[Entrant, ...], Field(min_length=1)]
    seeds: Annotated[int, Field(ge=1, le=1000)] = 5
    networks: Annotated[int, Field(ge=1, le=NETWORKS_PER_SEED)] = 16
    """In the batch of every seed."""
    train_episodes: Annotated[int, Field(ge=0)] = 63
    test_episodes: Annotated[int, Field(ge=1)] = 2
    """At each load."""
    first_test_episode: Annotated[int, Field(ge=0)] | None = None
    """Beyond every training; None for the one after it."""
    base_seed: Annotated[int, Field(ge=0)] = 0
    scenario_hash: str | None = None
    """Of every load and split; entered when the comparison begins: an edited file is told."""

    @model_validator(mode="after")
    def _entrants_differ(self) -> Self:
        labels = [entrant.label for entrant in self.entrants]
        for label in labels:
            if labels.count(label) > 1:
                raise ConfigError("entrants", label, "a label that only one entrant has")
        return self

    def entrant(self, label: str) -> Entrant:
        """The entrant of that label. Raises UnknownNameError."""
        for entrant in self.entrants:
            if entrant.label == label:
                return entrant
        raise UnknownNameError("entrant", label, [entrant.label for entrant in self.entrants])

    def test_length(self, entrant: Entrant) -> int:
        """Test episodes that it plays at each load, the first ones of all."""
        return entrant.test_episodes or self.test_episodes

    def legs(self, entrant: Entrant) -> tuple[Leg, ...]:
        """What it plays, in order; test episodes have the same indices for all, beyond every training."""
        taught = range(self.train_episodes if entrant.learns else 0)
        first = self.train_episodes if self.first_test_episode is None else self.first_test_episode
        test = range(first, first + self.test_length(entrant))
        training = (Leg("train", self.train_load, "train", taught),) if taught else ()
        return (*training, *(Leg("test", load, "heldout", test) for load in self.loads))


def make_trials(values: Mapping[str, object]) -> Trials:
    """A comparison from plain values. Raises ConfigError, one sentence for the first value that is wrong."""
    try:
        return Trials.model_validate(values)
    except ValidationError as report:
        raise as_config_error(report, Trials) from None
