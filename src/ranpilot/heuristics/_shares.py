"""What rules for slices share: what they read of a slice in its own units, and how they fill a cell.

A rule gives every slice a share of its cell, [B, A, S], 0 for free seats and 1 in all; the task's `share_action` turns
shares into the numbers of its action.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import BoolArray, FloatArray, Observation, TaskSpec, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.heuristics._fixed import Fixed

__all__ = ["Shares", "fill", "in_proportion"]

HEADROOM, FLOOR = 2.0, 0.05
"""What a slice should have, over what it seems to need and besides: bursts come within a step. The best of six pairs on
the validation split of `oran-slicing`, for max-min shares; (1, 0) cost 0.05 to 0.13 of the reward of a step."""


class Shares(Fixed):
    """A rule that shares cells out; parts add `shares`."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Find what is seen of slices. Raises ConfigError for a task that shares nothing out among slices."""
        super().reset(task, num_networks, seed, what_if)
        if task.share_action is None:
            raise ConfigError(f"share_action of task {task.name!r}", None, "given, as in task 'slicing'")
        self._rule = task.share_action
        self._place = {feature.name: place for place, feature in enumerate(task.slice_features)}

    def act(self, obs: Observation) -> NDArray[np.float64]:
        """The numbers of the shares, [B, A, S]."""
        return np.asarray(self._rule.numbers(self.shares(obs), obs.slice_mask), dtype=np.float64)

    @abstractmethod
    def shares(self, obs: Observation) -> FloatArray:
        """Of its cell for every slice, [B, A, S]."""

    def shows(self, name: str) -> bool:
        """Whether that is seen of a slice in this variant."""
        return name in self._place

    def see(self, obs: Observation, name: str) -> FloatArray:
        """What is seen of every slice, [B, A, S], in the feature's unit. Raises ConfigError where it is not seen."""
        if name not in self._place:
            raise ConfigError("slice_features", tuple(self._place), f"such that {name!r} is among them")
        place = self._place[name]
        return self.task.slice_features[place].value(obs.slices[..., place])

    def waiting_mbit(self, obs: Observation) -> FloatArray:
        """What arrived in the last step and what waits at its end, [B, A, S]."""
        return self.see(obs, "RP.OfferedVolumeDl.SNSSAI") + self.see(obs, "RP.BacklogDl.SNSSAI")

    def demand(self, obs: Observation) -> FloatArray:
        """Share of the cell that one step takes to deliver what waits and as much as arrived, [B, A, S]; may exceed 1.

        A slice's own bits per block in the last step say how far a block goes, where it had any, else the cell's; where
        the cell delivered nothing, whoever has bits wants all of it.
        """
        delivered = self.see(obs, "DRB.PdcpSduVolumeDL.SNSSAI")
        used = self.see(obs, "RP.PrbTotDl.SNSSAI") / 100.0
        per_cell = _ratio(delivered.sum(axis=-1), used.sum(axis=-1))[..., None]
        own = _ratio(delivered, used)
        mbit_of_cell = np.where(own > 0.0, own, per_cell)
        waiting = np.where(obs.slice_mask, self.waiting_mbit(obs), 0.0)
        return np.where(mbit_of_cell > 0.0, _ratio(waiting, mbit_of_cell), (waiting > 0.0) * 1.0)

    def need(self, obs: Observation) -> FloatArray:
        """Demand with headroom, [B, A, S], 0 for free seats."""
        result: FloatArray = np.where(obs.slice_mask, HEADROOM * self.demand(obs) + FLOOR, 0.0)
        return result


def in_proportion(weight: FloatArray, is_taken: BoolArray) -> FloatArray:
    """Shares in proportion to weights, [..., S]; equal ones where no taken seat has a weight."""
    own = np.where(is_taken, weight, 0.0)
    own = np.where(own.sum(axis=-1, keepdims=True) > 0.0, own, is_taken * 1.0)
    return _ratio(own, own.sum(axis=-1, keepdims=True))


def fill(demand: FloatArray, weight: FloatArray, is_taken: BoolArray) -> FloatArray:
    """Weighted max-min shares, [..., S]: level by level, nobody beyond its demand; the rest in proportion to weights.

    Every slice gets min(demand, level * weight) with the level at which the cell is full. It is the greatest of
    (1 - demands of the k soonest content) / (weights of the others) over k. Where no slice has a weight all have one.
    """
    own = np.where(is_taken, weight, 0.0)
    own = np.where(own.sum(axis=-1, keepdims=True) > 0.0, own, is_taken * 1.0)
    wanted = np.where(own > 0.0, demand, 0.0)
    order = np.argsort(np.where(own > 0.0, _ratio(wanted, own), np.inf), axis=-1, kind="stable")
    sorted_demand, sorted_weight = (np.take_along_axis(values, order, axis=-1) for values in (wanted, own))
    content = np.cumsum(sorted_demand, axis=-1) - sorted_demand
    others = np.cumsum(sorted_weight[..., ::-1], axis=-1)[..., ::-1]
    level = _ratio(1.0 - content, others).max(axis=-1, keepdims=True)
    share = np.minimum(wanted, np.maximum(level, 0.0) * own)
    left = np.maximum(1.0 - share.sum(axis=-1, keepdims=True), 0.0)
    result: FloatArray = share + left * _ratio(own, own.sum(axis=-1, keepdims=True))
    return result


def _ratio(above: FloatArray, below: FloatArray) -> NDArray[np.float64]:
    """above / below, 0 where nothing is below."""
    wide = np.broadcast_to(below, np.broadcast_shapes(np.shape(above), np.shape(below)))
    return np.divide(above, wide, out=np.zeros(wide.shape), where=wide > 0.0)
