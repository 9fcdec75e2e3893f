"""Why an agent did what it did, as a record with one sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Decision, TaskSpec
from ranpilot.systems.aura.config import SITUATION, AuraConfig
from ranpilot.systems.aura.turn import Turn

__all__ = ["Explainer"]


@dataclass(frozen=True)
class Explainer:
    """Decisions of one controller in words."""

    config: AuraConfig
    task: TaskSpec
    adviser: str
    """What the adviser is called."""

    def decide(self, turn: Turn, reward: NDArray[np.float64] | None, network: int, agent: int) -> Decision:
        """The last decision of the agent of the network at that place of the batch; reward [B, A], None before it."""
        names, at = self.task.actions, (network, agent)
        advice, own, executed = int(turn.advice[at]), int(turn.own[at]), int(turn.executed[at])
        return Decision(
            network=self.config.first_network + network,
            agent=self.task.agents[agent],
            slot=int(turn.slot[network]),
            suggested=names[advice] if advice >= 0 else None,
            adviser=self.adviser if advice >= 0 else None,
            own=names[own],
            executed=names[executed],
            followed=bool(turn.followed[at]),
            trust=float(turn.trust[at]) if advice >= 0 else None,
            why=self._why(turn, network, agent),
            reward=None if reward is None else float(reward[at]),
        )

    def _why(self, turn: Turn, network: int, agent: int) -> str:
        """One sentence on what decided."""
        at = (network, agent)
        names = self.task.actions
        executed = names[int(turn.executed[at])]
        if turn.explored[at]:
            return f"Tried {executed!r} at random to learn; advice never overrides exploration."
        if turn.advice[at] < 0:
            return f"Own learned choice {executed!r}; nobody advised."
        if turn.advice[at] == turn.own[at]:
            return f"Adviser and own learned choice agree on {executed!r}."
        advice = names[int(turn.advice[at])]
        if not turn.advised[at]:
            phase = "training episode" if turn.episode[network] < self.config.train_episodes else "episode"
            return f"Own learned choice {executed!r}; this {phase} runs without advice."
        feature = self.task.features[SITUATION.index(self.config.context)]
        situation = f"{self.config.context} is {feature.words[agent][int(turn.context[at])]}"
        trust = f"{self.config.trust} trust in {advice!r} while {situation} is {turn.trust[at]:.2f}"
        if turn.followed[at]:
            return f"Followed {self.adviser}: {trust}."
        return f"Kept own learned choice {executed!r} over {self.adviser}'s {advice!r}: {trust}."
