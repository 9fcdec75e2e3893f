"""What a trust mechanism does: says how likely advice is taken, and learns how good it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import FloatArray, IntArray, Policy, WhatIf
from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.turn import Turn

__all__ = ["OwnPolicy", "Trust", "TrustShape"]

TrustShape = tuple[int, int, int, int]
"""Networks B, agents A, options K, situations (levels of the context feature)."""

OwnPolicy = Callable[[IntArray], Policy]
"""From the network of each row of a batch to the agents' own greedy policy for that batch."""


class Trust(Protocol):
    """Trust of every agent of every network in one adviser."""

    needs_what_if: ClassVar[bool]
    """Whether `ask` tries actions on copies of the network."""

    def __init__(self, config: AuraConfig, shape: TrustShape) -> None: ...

    def level(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """Trust [B, A] in this advice in this situation, in [0, 1], as it is reported."""
        ...

    def follow_probability(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """Probability [B, A] that the advice is taken where it differs from the agent's own choice."""
        ...

    def ask(self, turn: Turn, draw: FloatArray, what_if: WhatIf | None, own_policy: OwnPolicy) -> None:
        """Learn from what-ifs before the step is executed; draw [B, A] is one uniform number for each agent."""
        ...

    def learn(self, turn: Turn, reward: FloatArray) -> None:
        """Learn from the reward [B, A] that the step brought."""
        ...

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The live state, by name; a checkpoint holds it and is written back into it."""
        ...
