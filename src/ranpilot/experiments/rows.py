"""The rows and budgets of the named experiments, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.experiments.aura_rows import (
    LONGEST_TRAINING,
    MODEL,
    TEXT_ROWS,
    advised_label,
    aura_rows,
)
from ranpilot.experiments.design import PAPER_SCENARIO, Experiment, Row, make_experiment, pick

if TYPE_CHECKING:
    from ranpilot.twin.scenario import Scenario

__all__ = [
    "DEMO_PAPER",
    "DEMO_TWIN",
    "SYSTEMS",
    "Budget",
    "aura_experiment",
    "demo_experiments",
    "experiment_of",
    "run_rows",
    "short_name",
]


@dataclass(frozen=True)
class Budget:
    """How much is played: seeds (networks in each row), loads, episodes."""

    loads: tuple[str, ...]
    seeds: int
    train_episodes: int
    test_episodes: int
    oracle_test_episodes: int


PAPER = Budget(("low", "normal", "high"), 20, 500, 100, 10)
TWIN = Budget(("high",), 10, 60, 20, 2)
DEMO_TWIN = Budget(("high",), 6, 30, 8, 2)
DEMO_PAPER = Budget(("normal", "high"), 10, 150, 30, 5)

DEMO_NOTE = (
    "A demonstration in a few minutes: so little training favours whoever is told what to do. "
    "`ranpilot compare aura` plays the full budgets."
)
YARDSTICKS = ("rules", "kpm-rules", "maintain", "random")
"""Shown beside every learner: sensible rules, the best heuristic, doing nothing, and chance."""

DEMO_TAUGHT = ("guided-trained", "trained-alone")
DEMO_TWIN_ROWS = ("marl-only", "guided", "aura", *DEMO_TAUGHT, *YARDSTICKS)
DEMO_PAPER_ROWS = ("marl-only", "guided", "aura", *YARDSTICKS)
TWIN_ROWS = (
    "marl-only",
    "guided",
    "aura",
    *(advised_label("inverted-rules", "counterfactual", of) for of in ("guided", "aura")),
    *TEXT_ROWS,
    *TEXT_ROWS.values(),
    "always-handoff",
    *YARDSTICKS,
)
NOT_ON_PAPER = (*TEXT_ROWS.values(), advised_label("inverted-rules", "counterfactual", "aura"))
"""Rows for announcements, of which `aura-paper` has none, and their bad adviser."""


def aura_experiment(
    scenario: str, *, rows: Sequence[str] | None = None, given: tuple[Row, ...] | None = None, **changes: object
) -> Experiment:
    """`ranpilot compare aura`: the full budget on `aura-paper`; on the twin a smaller one whose rows share networks.

    rows: labels to keep; given: other rows altogether; changes: fields of `Experiment`, None for the usual.
    """
    is_paper = scenario == PAPER_SCENARIO
    budget = PAPER if is_paper else TWIN
    known = aura_rows(budget.oracle_test_episodes)
    usual = [row.label for row in known if row.label not in NOT_ON_PAPER] if is_paper else TWIN_ROWS
    picked = given or pick(known, usual if rows is None else rows)
    own = {"test_after": LONGEST_TRAINING, "shared_networks": not is_paper}
    return _experiment(f"aura-on-{short_name(scenario)}", scenario, budget, picked, {**own, **changes})


def short_name(scenario: str | Path | Scenario) -> str:
    """What folders and titles call a scenario: its name, or its file's."""
    if isinstance(scenario, str | Path):
        return Path(scenario).stem
    return scenario.name


def demo_experiments(adviser: str = MODEL) -> tuple[Experiment, Experiment]:
    """`ranpilot demo`: the twin with fitted traffic, and a small panel on the paper's own scenario.

    adviser: the trained language model of the twin's rows.
    """
    picked = pick(aura_rows(DEMO_TWIN.oracle_test_episodes), DEMO_TWIN_ROWS)
    twin_rows = tuple(_advised_by(row, adviser) for row in picked)
    paper_rows = pick(aura_rows(DEMO_PAPER.oracle_test_episodes), DEMO_PAPER_ROWS)
    twin = _experiment("twin", "two-cell", DEMO_TWIN, twin_rows, {"shared_networks": True})
    return twin, _experiment("aura-paper", PAPER_SCENARIO, DEMO_PAPER, paper_rows, {})


def _advised_by(row: Row, model: str) -> Row:
    """The row with another trained language model where it has one."""
    if row.adviser is None or not row.adviser.startswith(MODEL):
        return row
    return row.model_copy(update={"adviser": row.adviser.replace(MODEL, model, 1)})


def run_rows(configuration: str, adviser: str | None, trust: str | None) -> tuple[Row, ...]:
    """`ranpilot run aura`: the trained configuration beside the heuristics that it must beat.

    adviser, trust: None for the rules and the configuration's own trust. Raises UnknownNameError for an unknown
    configuration, ConfigError where an adviser or a trust is named for one that takes no advice.
    """
    from ranpilot.systems.aura.configurations import CONFIGURATIONS

    if configuration not in CONFIGURATIONS:
        raise UnknownNameError("configuration of aura", configuration, list(CONFIGURATIONS))
    own_trust = CONFIGURATIONS[configuration]().trust
    if own_trust is None:
        for field, value in (("adviser", adviser), ("trust", trust)):
            if value is not None:
                raise ConfigError(field, value, f"left out, since {configuration!r} takes no advice")
    else:
        adviser, trust = adviser or "rules", trust or own_trust
    learner = Row(label="trained", kind="aura", name=configuration, adviser=adviser, trust=trust, block=0)
    return (learner, *pick(aura_rows(1), YARDSTICKS))


def _experiment(
    name: str, scenario: str, budget: Budget, rows: tuple[Row, ...], changes: Mapping[str, object]
) -> Experiment:
    values: dict[str, object] = {
        "name": name,
        "scenario": scenario,
        "loads": budget.loads,
        "rows": rows,
        "seeds": budget.seeds,
        "train_episodes": budget.train_episodes,
        "test_episodes": budget.test_episodes,
    }
    changed = {field: value for field, value in changes.items() if value is not None}
    return make_experiment({**values, **changed})


SYSTEMS: dict[str, Callable[..., Experiment]] = {"aura": aura_experiment}
"""The experiment of each learning system."""


def experiment_of(system: str) -> Callable[..., Experiment]:
    """The experiment of that system. Raises UnknownNameError."""
    if system not in SYSTEMS:
        raise UnknownNameError("system", system, list(SYSTEMS))
    return SYSTEMS[system]
