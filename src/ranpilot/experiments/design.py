"""What an experiment is: rows (who controls), loads, seeds and budgets, in one typed record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.validation import as_config_error

__all__ = ["NETWORKS_PER_ROW", "PAPER_SCENARIO", "Experiment", "Row", "make_experiment", "pick"]

NETWORKS_PER_ROW = 1000
"""Row k has the networks from k times this on, so that no two rows share one (Kruskal-Wallis needs that)."""

PAPER_SCENARIO = "aura-paper"
"""The source's scenario of AURA, which is no scenario of the twin."""

LEARNERS = frozenset({"aura", "dqn"})
"""Kinds of rows with training episodes."""

Label = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]


class Row(BaseModel, frozen=True, extra="forbid"):
    """One line of the table: a learner with its adviser, an adviser or a heuristic that decides alone."""

    label: Label
    kind: Literal["aura", "heuristic", "adviser", "dqn"]
    name: str
    """The system's configuration (`marl-only`, `guided`, ...) or the heuristic's name."""
    adviser: str | None = None
    """Who advises; of the kind `adviser` who decides."""
    trust: str | None = None
    settings: Mapping[str, bool | int | float | str] = {}
    """Further fields of the learner's own configuration."""
    group: Annotated[str, Field(exclude=True)] = ""
    """Heading under which a report shows it; like `cost` no part of what a run must agree in."""
    block: Annotated[int, Field(ge=0, description="number of its block of networks")]
    train_factor: Annotated[int, Field(ge=1, description="its training, as a multiple of the experiment's")] = 1
    test_episodes: Annotated[int, Field(ge=1)] | None = None
    """Fewer than the experiment's where the row is slow; None for the same."""
    cost: Annotated[float, Field(gt=0, exclude=True, description="wall time of an episode relative to marl-only")] = 1.0

    @property
    def learns(self) -> bool:
        """Whether the row has training episodes."""
        return self.kind in LEARNERS


class Experiment(BaseModel, frozen=True, extra="forbid"):
    """Rows × loads × seeds with equal budgets; every number of the report follows from it."""

    name: str
    scenario: str
    task: str = "power-handover"
    variant: str | None = None
    loads: Annotated[tuple[str, ...], Field(min_length=1)]
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    seeds: Annotated[int, Field(ge=1, le=NETWORKS_PER_ROW)] = 20
    """Networks in each row and load; each learns for itself."""
    train_episodes: Annotated[int, Field(ge=0)] = 500
    test_episodes: Annotated[int, Field(ge=1)] = 100
    test_after: Annotated[int, Field(ge=1)] = 1
    """Test begins after this many times `train_episodes`, or after the longest training of its rows if that is more."""
    base_seed: Annotated[int, Field(ge=0)] = 0
    model_hashes: Mapping[str, str] = {}
    """Name and hash of every language model that advises; entered when the experiment begins: another one is told."""
    scenario_hash: str | None = None
    """Of every load and split of a twin scenario; entered when the experiment begins: an edited file is told."""
    shared_networks: bool = False
    """True: all rows see the same networks (paired statistics); False: each row its own (the paper's rank tests)."""

    @model_validator(mode="after")
    def _rows_differ(self) -> Self:
        labels = [row.label for row in self.rows]
        for label in labels:
            if labels.count(label) > 1:
                raise ConfigError("rows", label, "a label that only one row has")
        return self

    def row(self, label: str) -> Row:
        """The row of that label. Raises UnknownNameError."""
        for row in self.rows:
            if row.label == label:
                return row
        raise UnknownNameError("row", label, [row.label for row in self.rows])

    def has_row(self, label: str) -> bool:
        """Whether there is a row of that label."""
        return any(row.label == label for row in self.rows)

    def first_network(self, row: Row) -> int:
        """Id of the row's first network."""
        return 0 if self.shared_networks else NETWORKS_PER_ROW * row.block

    def training(self, row: Row) -> int:
        """Episodes that the row is trained for."""
        return self.train_episodes * row.train_factor if row.learns else 0

    def phases(self, row: Row) -> tuple[range, range]:
        """Episodes of training (none for what does not learn) and of test; test begins at the same index for all."""
        test = row.test_episodes or self.test_episodes
        first = self.train_episodes * max(self.test_after, *(other.train_factor for other in self.rows))
        training = range(self.training(row)) if row.learns else range(first, first)
        return training, range(first, first + test)

    def cells(self) -> list[tuple[Row, str]]:
        """Every (row, load), row by row."""
        return [(row, load) for row in self.rows for load in self.loads]

    def work(self, row: Row, until: int | None = None) -> float:
        """Episodes of one load of the row, weighted by its cost; until: only those before that episode."""
        played = (phase if until is None else range(phase.start, min(phase.stop, until)) for phase in self.phases(row))
        return row.cost * sum(len(phase) for phase in played)


def make_experiment(values: Mapping[str, object]) -> Experiment:
    """An experiment from plain values. Raises ConfigError, one sentence for the first value that is wrong."""
    try:
        return Experiment.model_validate(values)
    except ValidationError as report:
        raise as_config_error(report, Experiment) from None


def pick(rows: Sequence[Row], labels: Sequence[str] | None) -> tuple[Row, ...]:
    """The rows of those labels in the order of `rows`, all where None. Raises UnknownNameError."""
    known = [row.label for row in rows]
    for label in labels or ():
        if label not in known:
            raise UnknownNameError("row", label, known)
    return tuple(row for row in rows if labels is None or row.label in labels)
