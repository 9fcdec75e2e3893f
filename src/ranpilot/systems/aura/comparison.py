"""Advice against own choice on copies of the running networks, beside each other in the same futures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import IntArray, Policy, WhatIf
from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.turn import Turn

__all__ = ["TIE", "OwnPolicy", "compare_on_copies"]

OwnPolicy = Callable[[IntArray], Policy]
"""From the network of each row of a batch to the agents' own greedy policy for that batch."""

TIE = 1e-9
"""Differences of return below this are rounding, not preference."""


def compare_on_copies(
    turn: Turn,
    asking: tuple[IntArray, IntArray],
    what_if: WhatIf,
    own_policy: OwnPolicy,
    draws: int,
    config: AuraConfig,
) -> NDArray[np.float64]:
    """The team's discounted gain [N, draws] from advice over own choice, where agents ask.

    asking: networks [N] and agents [N]; a network stands there once for each of its agents that asks.
    Both copies begin with what the other agents are about to do, and all follow their own greedy policies afterwards.
    """
    networks, agents = asking

    actions = np.repeat(turn.executed[networks][:, :, None], 2, axis=2)
    rows = np.arange(len(networks))
    actions[rows, agents, 0] = turn.advice[networks, agents]
    actions[rows, agents, 1] = turn.own[networks, agents]
    returns = what_if.roll(
        actions,
        config.horizon,
        draws,
        then=own_policy(np.repeat(networks, 2 * draws)),
        networks=networks,
        discount=config.gamma,
    )
    gain: NDArray[np.float64] = np.asarray(returns[:, 0] - returns[:, 1], dtype=np.float64)
    return gain
