"""Environments by scenario and task: `aura-paper`, or a task on a scenario of the twin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ranpilot.envs.controller import Environment
from ranpilot.errors import UnknownNameError

if TYPE_CHECKING:
    from ranpilot.twin.scenario import Scenario

__all__ = ["AURA_PAPER", "DEFAULT_TASK", "IDS", "Split", "make_batch", "register_ids"]

Split = Literal["train", "validation", "heldout", "reworded"]

AURA_PAPER = "aura-paper"
DEFAULT_TASK = "power-handover"
DEFAULT_VARIANT = "default"

IDS = {"ranpilot/aura-paper-v0": AURA_PAPER, "ranpilot/two-cell-v0": "two-cell"}
"""Scenario of each id in Gymnasium's registry; the number is raised when results change."""

FUTURES: Mapping[str, int] = {"heldout": 1, "validation": 2}
"""Entity of the counter that the seed of a split other than train is drawn from."""


def make_batch(
    scenario: str | Path | Scenario,
    task: str | None,
    num: int,
    seed: int,
    *,
    load: str | None = None,
    split: Split = "train",
    first_network: int = 0,
    variant: str | None = None,
) -> Environment:
    """A batch of `num` networks with ids from `first_network` on, at the beginning of episode 0.

    scenario: `aura-paper`, or the name, file or object of a twin scenario; task: `power-handover` where None;
    split: splits share no randomness; every scenario has `train`, `validation` and `heldout`.

    Raises UnknownNameError for names that no scenario, task, load, split or variant has, ConfigError for other values.
    """
    if scenario == AURA_PAPER:
        if task not in (None, DEFAULT_TASK):
            raise UnknownNameError("task of aura-paper", task, (DEFAULT_TASK,))
        return _make_aura_paper(num, seed, load, split, first_network, variant)
    from ranpilot import scenarios
    from ranpilot.envs.tasks import TASKS

    loaded = scenarios.load(scenario) if isinstance(scenario, str | Path) else scenario
    part = TASKS.load(DEFAULT_TASK if task is None else task)
    name = DEFAULT_VARIANT if variant is None else variant
    return part.make(loaded, num, seed, load=load, split=split, first_network=first_network, variant=name)


def register_ids() -> None:
    """Enter IDS into Gymnasium's registry, for `gymnasium.make` and `gymnasium.make_vec`.

    It happens when ranpilot is imported after Gymnasium, and with the first use of `ranpilot.envs.views`.
    `gymnasium.make("ranpilot.envs.views:ranpilot/two-cell-v0")` works whatever was imported before.
    """
    from gymnasium.envs.registration import register, registry

    for name, scenario in IDS.items():
        if name not in registry:
            register(
                name,
                entry_point="ranpilot.envs.views:make_single",
                vector_entry_point="ranpilot.envs.views:make_vec",
                kwargs={"scenario": scenario},
            )


def _make_aura_paper(
    num: int, seed: int, load: str | None, split: Split, first_network: int, variant: str | None
) -> Environment:
    from ranpilot.envs.aura_paper.config import VARIANTS
    from ranpilot.envs.aura_paper.environment import AuraPaper
    from ranpilot.twin.rng import STREAM_PAPER_INIT, fold_seed

    name = DEFAULT_VARIANT if variant is None else variant
    if name not in VARIANTS:
        raise UnknownNameError("variant of aura-paper", name, tuple(VARIANTS))
    config = VARIANTS[name]()
    if load is not None:
        config = config.with_load(load)
    if split not in ("train", *FUTURES):
        raise UnknownNameError("split of aura-paper", split, ("train", *FUTURES))
    if split != "train":
        seed = int(fold_seed(seed, 0, FUTURES[split], 0, STREAM_PAPER_INIT))
    return AuraPaper(config, num, seed, first_network=first_network)
