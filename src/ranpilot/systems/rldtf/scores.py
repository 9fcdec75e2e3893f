"""How good choices are by the labels: accuracy and regret, in groups of states.

Regret is the best mean return of a state minus that of the choice; its standard error is over states. A state *flips*
where the announced event changes what is best: the best action with it and the best without it beat each other by more
than two standard errors of the difference, each on its own side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import BoolArray, FloatArray
from ranpilot.systems.rldtf.labels import Labels

__all__ = ["GROUPS", "Score", "certain", "flips", "groups", "regrets", "score"]

GROUPS = ("all", "no notice", "notice", "flips")
ERRORS = 2.0
TIE = 1e-6
"""Mean returns closer than this are equal: float32 sums of the same rewards."""


@dataclass(frozen=True)
class Score:
    """How one row did in one group of states."""

    task: str
    row: str
    group: str
    n: int
    accuracy: float
    regret: float
    regret_se: float

    def to_json(self) -> dict[str, str | int | float]:
        """As a plain mapping."""
        return asdict(self)


def certain(choice: NDArray[np.int64], num_actions: int) -> NDArray[np.float64]:
    """[N, K] probabilities of one choice for each state."""
    return np.eye(num_actions)[choice]


def regrets(labels: Labels, probability: FloatArray) -> NDArray[np.float64]:
    """[N] best mean return minus the expected one under `probability` [N, K]."""
    mean = labels.mean
    expected: NDArray[np.float64] = (np.asarray(probability) * mean).sum(axis=1)
    lost: NDArray[np.float64] = mean.max(axis=1) - expected
    return lost


def flips(labels: Labels) -> BoolArray:
    """[N] whether the announced event changes what is best."""
    rows = np.arange(len(labels))
    best, best_calm = labels.mean.argmax(axis=1), labels.mean_calm.argmax(axis=1)
    gain = labels.returns[rows, best] - labels.returns[rows, best_calm]
    gain_calm = labels.returns_calm[rows, best_calm] - labels.returns_calm[rows, best]
    found: BoolArray = labels.has_notice & (best != best_calm) & _is_clear(gain) & _is_clear(gain_calm)
    return found


def groups(labels: Labels) -> dict[str, BoolArray]:
    """The states of each of GROUPS."""
    told = labels.has_notice
    return dict(zip(GROUPS, (np.ones_like(told), ~told, told, flips(labels)), strict=True))


def score(task: str, row: str, labels: Labels, probability: FloatArray) -> Iterable[Score]:
    """The row's score in every group that has two states or more; probability: [N, K]."""
    regret, mean = regrets(labels, probability), labels.mean
    is_best = mean >= mean.max(axis=1, keepdims=True) - TIE
    right = (np.asarray(probability) * is_best).sum(axis=1)
    for name, members in groups(labels).items():
        count = int(members.sum())
        if count < 2:
            continue
        error = regret[members].std(ddof=1) / np.sqrt(count)
        accuracy = float(right[members].mean())
        yield Score(task, row, name, count, accuracy, float(regret[members].mean()), float(error))


def _is_clear(gain: FloatArray) -> BoolArray:
    """[N] whether the mean over draws of gain [N, M] is above zero by more than two standard errors."""
    error = gain.std(axis=1, ddof=1) / np.sqrt(gain.shape[1])
    clear: BoolArray = gain.mean(axis=1) > ERRORS * error
    return clear
