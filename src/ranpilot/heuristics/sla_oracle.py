"""Shares by search on copies of the running network: what could be had by whoever knew every promise.

In each step every agent tries what the rules say, what it did last and random changes of that; then, from the best of
these, more or less for each of the slices that need most, and random changes again. Copies run `HORIZON_STEPS` steps
with the same shares on common fresh futures, and each agent takes what gave its own reward the greatest mean. Rewards
know the SLAs, so the search does, without being told. It sees the full state but never the true future, and is a
yardstick, not a bound: its horizon is short, its sample finite, and agents are judged one by one although their cells
disturb each other.
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

HORIZON_STEPS = 2
DRAWS = 2
RANDOM = 5
"""Random changes tried in each of the two rounds."""
SPREADS = (1.0, 0.5)
"""Standard deviation of the changes to the logarithms of shares, in each round."""
GREAT, FACTOR = 4, 3.0
"""Slices that are given more and less, and how many times more or less."""
LEAST_SHARE = 1e-3
"""From which a share can grow."""


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
        self._last: FloatArray | None = None

    def shares(self, obs: Observation) -> FloatArray:
        """The best that was tried for every cell, [B, A, S]."""
        known = [rule.shares(obs) for rule in self._rules]
        before = known[0] if self._last is None else in_proportion(self._last, obs.slice_mask)
        # An episode begins with nothing remembered, so that a run may go on from the end of any.
        last = np.where(obs.first[:, None, None], known[0], before)
        first = np.concatenate([np.stack([last, *known], axis=2), self._changed(last, obs, 0)], axis=2)  # [B, A, n, S]
        first_value = self._value(first, obs)
        best = _pick(first, first_value)
        second = np.concatenate([self._moved(best, obs), self._changed(best, obs, 1)], axis=2)
        tried = np.concatenate([first, second], axis=2)
        best = _pick(tried, np.concatenate([first_value, self._value(second, obs)], axis=2))
        self._last = best
        return best

    def _value(self, tried: FloatArray, obs: Observation) -> FloatArray:
        """Mean reward of every agent's candidates, [B, A, n]; all agents try theirs at once."""
        numbers = self._rule.numbers(tried, np.broadcast_to(obs.slice_mask[:, :, None], tried.shape))
        result: FloatArray = self._rolls.roll_each(numbers, HORIZON_STEPS, DRAWS).mean(axis=3)
        return result

    def _moved(self, centre: FloatArray, obs: Observation) -> FloatArray:
        """More and less for each of the slices that need most, [B, A, 2 GREAT, S]."""
        need = np.where(obs.slice_mask, self.demand(obs), -1.0)
        great = np.argsort(-need, axis=2, kind="stable")[:, :, :GREAT]  # [B, A, GREAT]
        is_moved = np.arange(need.shape[2]) == great[..., None]
        weight = np.maximum(centre, LEAST_SHARE)[:, :, None]
        more = [np.where(is_moved, weight * factor, weight) for factor in (FACTOR, 1.0 / FACTOR)]
        return self._spread(np.concatenate(more, axis=2), obs)

    def _changed(self, centre: FloatArray, obs: Observation, part: int) -> FloatArray:
        """Random changes of shares, [B, A, RANDOM, S]; what a network gets is independent of the batch."""
        num_networks, num_agents, num_seats = centre.shape
        noise = np.empty((num_networks, num_agents, RANDOM, num_seats))
        for network in range(num_networks):
            counter = [int(obs.episode[network]), network, int(obs.slot[network]), part]
            generator = np.random.Generator(np.random.Philox(key=self.seed, counter=counter))
            noise[network] = generator.normal(0.0, SPREADS[part], noise.shape[1:])
        return self._spread(np.maximum(centre, LEAST_SHARE)[:, :, None] * np.exp(noise), obs)

    def _spread(self, weight: FloatArray, obs: Observation) -> FloatArray:
        return in_proportion(weight, np.broadcast_to(obs.slice_mask[:, :, None], weight.shape))


def _pick(tried: FloatArray, value: FloatArray) -> FloatArray:
    """The candidate [B, A, S] with the greatest value; the first of several."""
    result: FloatArray = np.take_along_axis(tried, value.argmax(axis=2)[:, :, None, None], axis=2)[:, :, 0]
    return result


PART = SlaOracle
