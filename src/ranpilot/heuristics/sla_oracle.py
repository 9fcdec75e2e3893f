"""Shares by search on copies of the running network: what could be had by whoever knew every promise.

In each step every agent tries what the rules say, what it did last, and random changes of the best (cross-entropy
search, two rounds). Copies run `HORIZON_STEPS` steps with the same shares on common fresh futures, and each agent takes
what gave its own reward the greatest mean. The reward knows the SLAs, so the search does, without being told. It sees
the full state but never the true future, and is a yardstick, not a bound: its horizon is short, its sample finite, and
agents are judged one by one although their cells disturb each other.

Source: cross-entropy method, Rubinstein 1999. Differs from source: candidates of rules join the first round.
"""

from __future__ import annotations

import numpy as np

from ranpilot.envs.controller import FloatArray, Observation, TaskSpec, WhatIf, WhatIfEach
from ranpilot.errors import ConfigError
from ranpilot.heuristics._shares import Shares, in_proportion
from ranpilot.heuristics.backlog import Backlog
from ranpilot.heuristics.deadline import Deadline
from ranpilot.heuristics.equal import Equal
from ranpilot.heuristics.load_proportional import LoadProportional
from ranpilot.heuristics.max_min import MaxMin
from ranpilot.heuristics.pf_shares import PfShares

__all__ = ["PART", "SlaOracle"]

HORIZON_STEPS = 3
DRAWS = 2
CANDIDATES = 14
"""Of each round."""
SPREADS = (1.0, 0.5)
"""Standard deviation of the changes to the logarithms of shares, in each round."""
ELITE = 4
"""Candidates whose mean the second round begins from."""


class SlaOracle(Shares):
    """The shares with the best roll-outs."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Get the rules ready. Raises ConfigError without a `what_if` that tells agents' rewards apart."""
        super().reset(task, num_networks, seed, what_if)
        if not isinstance(what_if, WhatIfEach):
            allowed = "one with roll_each, since sla-oracle tries shares on copies of the network"
            raise ConfigError("what_if", what_if, allowed)
        self._rolls = what_if
        self._rules = [rule() for rule in (Equal, LoadProportional, Backlog, MaxMin, PfShares, Deadline)]
        for rule in self._rules:
            rule.reset(task, num_networks, seed, None)
        self._calls = 0
        self._last: FloatArray | None = None

    def progress(self) -> dict[str, int]:
        """How many decisions were made."""
        return {"calls": self._calls}

    def shares(self, obs: Observation) -> FloatArray:
        """The best that was tried for every cell, [B, A, S]."""
        known = [rule.shares(obs) for rule in self._rules]
        known.append(known[0] if self._last is None else in_proportion(self._last, obs.slice_mask))
        tried = np.stack(known, axis=2)  # [B, A, n, S]
        # The first round changes the load's shares, the second the mean of the best.
        tried = np.concatenate([tried, self._changed(known[1], obs, 0, CANDIDATES - len(known))], axis=2)
        value = self._value(tried, obs)
        elite = np.take_along_axis(tried, np.argsort(-value, axis=2)[:, :, :ELITE, None], axis=2)
        centre = np.exp(np.log(np.maximum(elite, 1e-3)).mean(axis=2))
        more = self._changed(in_proportion(centre, obs.slice_mask), obs, 1, CANDIDATES)
        tried = np.concatenate([tried, more], axis=2)
        value = np.concatenate([value, self._value(more, obs)], axis=2)
        best = np.take_along_axis(tried, value.argmax(axis=2)[:, :, None, None], axis=2)[:, :, 0]
        self._calls, self._last = self._calls + 1, best
        return best

    def _value(self, tried: FloatArray, obs: Observation) -> FloatArray:
        """Mean reward of every agent's candidates, [B, A, n]; all agents try theirs at once."""
        numbers = self._rule.numbers(tried, np.broadcast_to(obs.slice_mask[:, :, None], tried.shape))
        result: FloatArray = self._rolls.roll_each(numbers, HORIZON_STEPS, DRAWS).mean(axis=3)
        return result

    def _changed(self, centre: FloatArray, obs: Observation, part: int, count: int) -> FloatArray:
        """`count` random changes of shares, [B, A, count, S]; what a network gets is independent of the batch."""
        num_networks, num_agents, num_seats = centre.shape
        noise = np.empty((num_networks, num_agents, count, num_seats))
        for network in range(num_networks):
            counter = [0, network, self._calls, part]
            generator = np.random.Generator(np.random.Philox(key=self.seed, counter=counter))
            noise[network] = generator.normal(0.0, SPREADS[part], noise.shape[1:])
        weight = np.maximum(centre, 1e-3)[:, :, None] * np.exp(noise)
        return in_proportion(weight, np.broadcast_to(obs.slice_mask[:, :, None], weight.shape))


PART = SlaOracle
