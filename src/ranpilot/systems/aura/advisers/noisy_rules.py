"""`noisy-rules:80`: the rules, but right in 80 per cent of the situations only, and wrong in the same ones for ever.

Like a language model's, an error belongs to the prompt: each joint situation of own and neighbour's levels is right or
wrong, and its wrong answer (each other option as likely) stays. Which ones is a function of (seed, network id, agent,
situation): every network has an adviser of its own, the same in any batch. With one pattern of errors for all, a result
would hang on which of the few frequent situations it spoils: alone, rules that are right for 60 % of the prompts then
drop between 1.2 and 4.0 requests an episode at normal load of `aura-paper`, depending on the seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.heuristics.rules import Rules
from ranpilot.learning.draws import draw_per_agent
from ranpilot.systems.aura.situations import Situations, choose_prompt
from ranpilot.twin.rng import STREAM_ADVISER

__all__ = ["PART", "NoisyRules"]

DEFAULT_PERCENT = 80


class NoisyRules(Rules):
    """Rules with errors that are fixed for each prompt."""

    def __init__(self, right_percent: int = DEFAULT_PERCENT, *, first_network: int = 0) -> None:
        if not 0 <= right_percent <= 100:
            raise ConfigError("adviser.right_percent", right_percent, "from 0 to 100")
        self.right_percent, self.first_network = right_percent, first_network
        self.name = f"rules, {right_percent} % right"

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Draw where the rules err, and into what."""
        super().reset(task, num_networks, seed, what_if)
        # An error belongs to the words that rules read, whatever else a newer prompt says.
        self._situations = Situations(task, choose_prompt(2))
        shape, count = (num_networks, task.num_agents), 2 * int(self._situations.rows.max())
        numbers = draw_per_agent(seed, self.first_network, 0, shape, count=count, stream=STREAM_ADVISER)
        is_wrong = numbers[:, :, ::2] >= self.right_percent / 100
        other = 1 + (numbers[:, :, 1::2] * (task.num_actions - 1)).astype(np.int8)
        self.shift = np.where(is_wrong, other, 0).astype(np.int8)
        """[B, A, rows] how many options further than the right one the answer is."""
        self._networks, self._agents = np.arange(num_networks)[:, None], np.arange(task.num_agents)[None, :]

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """One option for each agent, [B, A]."""
        shift = self.shift[self._networks, self._agents, self._situations.read(obs)]
        chosen: NDArray[np.int64] = (super().act(obs) + shift) % self.task.num_actions
        return chosen


def make_noisy_rules(*, argument: str | None, train_episodes: int, first_network: int) -> NoisyRules:
    """The rules with that per cent right. Raises ConfigError for what is no whole number from 0 to 100."""
    if argument is None:
        return NoisyRules(first_network=first_network)
    if not argument.isdecimal() or int(argument) > 100:
        raise ConfigError("adviser", f"noisy-rules:{argument}", "a per cent from 0 to 100, such as noisy-rules:80")
    return NoisyRules(int(argument), first_network=first_network)


PART = make_noisy_rules
