"""How much advice was used, counted over the decisions since the last reading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranpilot.systems.aura.turn import Turn

__all__ = ["Usage", "UsageCounter"]


@dataclass(frozen=True)
class Usage:
    """Shares of the decisions of each agent, all [B, A]; NaN where nothing was decided or nobody advised."""

    decisions: NDArray[np.float64]
    """Number of decisions counted."""
    used: NDArray[np.float64]
    """Share executed from the adviser where it differed from the agent's own choice: the "use of advice"."""
    matched: NDArray[np.float64]
    """Share in which the executed option was the advice, for whatever reason."""
    agreed: NDArray[np.float64]
    """Share in which the advice was the agent's own choice."""
    trust: NDArray[np.float64]
    """Mean trust in the advice given."""


class UsageCounter:
    """Sums over decisions, [B, A]."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._sums = np.zeros((5, *shape))

    def record(self, turn: Turn) -> None:
        """Enter one step."""
        sums = self._sums
        sums[0] += 1
        sums[1] += turn.followed
        sums[2] += turn.executed == turn.advice
        sums[3] += turn.own == turn.advice
        sums[4] += turn.trust

    def take(self) -> Usage:
        """The shares since the last call, and begin anew."""
        decisions = self._sums[0].copy()
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = self._sums[1:] / decisions
        self._sums[...] = 0.0
        unadvised = np.isnan(shares[3])
        shares[1:3][:, unadvised] = np.nan
        return Usage(decisions, shares[0], shares[1], shares[2], shares[3])

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The live state, by name."""
        return {"sums": self._sums}
