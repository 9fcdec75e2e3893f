"""What a trust mechanism does: says how likely advice is taken, and learns how good it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import FloatArray, IntArray, WhatIf
from ranpilot.systems.aura.comparison import OwnPolicy
from ranpilot.systems.aura.config import AuraConfig
from ranpilot.systems.aura.turn import Turn

__all__ = ["Advantage", "OwnPolicy", "StepTrust", "Trust", "TrustShape"]

TrustShape = tuple[int, int, int, int]
"""Networks B, agents A, options K, situations (levels of the context feature)."""

Advantage = Callable[[], FloatArray]
"""Gives the step's TD advantage r + γ max Q(s', ·) − max Q(s, ·), [B, A], to whoever asks before Q is learned."""


class Trust(Protocol):
    """Trust of every agent of every network in one adviser."""

    needs_what_if: ClassVar[bool]
    """Whether `ask` tries actions on copies of the network."""
    needs_score: ClassVar[bool]
    """Whether `end_episode` is to be told how every episode was scored."""

    def __init__(self, config: AuraConfig, shape: TrustShape) -> None: ...

    def open_episode(self, draw: FloatArray, quiet_share: FloatArray) -> NDArray[np.bool_]:
        """Whether advice is open to each network in its running episode, [B].

        draw: one uniform number [B] for each network's episode; quiet_share: [B] part of such episodes that must run
        without advice (none in test). Asked again in the same episode, the answer is the same.
        """
        ...

    def level(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """Trust [B, A] in this advice in this situation, in [0, 1], as it is reported."""
        ...

    def follow_probability(self, advice: IntArray, context: IntArray) -> NDArray[np.float64]:
        """Probability [B, A] that the advice is taken where it differs from the agent's own choice and is open."""
        ...

    def ask(self, turn: Turn, draw: FloatArray, what_if: WhatIf | None, own_policy: OwnPolicy) -> None:
        """Learn from what-ifs before the step is executed; draw [B, A] is one uniform number for each agent."""
        ...

    def learn(self, turn: Turn, reward: FloatArray, advantage: Advantage) -> None:
        """Learn from the reward [B, A] that the step brought."""
        ...

    def end_episode(self, networks: IntArray, score: FloatArray) -> None:
        """Learn from the score [N, A] of the episodes that ended in these networks."""
        ...

    def shrink(self, factor: float) -> None:
        """Let what was learned weigh only `factor` of it: the adviser or the world is not the same any more."""
        ...

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The live state, by name; a checkpoint holds it and is written back into it."""
        ...


class StepTrust:
    """What trust shares that decides step by step: quiet episodes as they are drawn, and no episode's score."""

    needs_what_if: ClassVar[bool] = False
    needs_score: ClassVar[bool] = False

    def open_episode(self, draw: FloatArray, quiet_share: FloatArray) -> NDArray[np.bool_]:
        """Advice is open but in the quiet episodes."""
        is_open: NDArray[np.bool_] = np.asarray(draw >= quiet_share)
        return is_open

    def ask(self, turn: Turn, draw: FloatArray, what_if: WhatIf | None, own_policy: OwnPolicy) -> None:
        """Nothing is tried on copies."""

    def learn(self, turn: Turn, reward: FloatArray, advantage: Advantage) -> None:
        """Nothing is learned from the step itself."""

    def end_episode(self, networks: IntArray, score: FloatArray) -> None:
        """Episodes as a whole teach nothing."""
