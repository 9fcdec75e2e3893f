"""An adviser whose answers take time: each is handed out one latency after it was asked for, with its age.

The answer is computed at once, from the observation of its own step, and kept with the slot in which it is due. It is
handed out at the first `act` at or after that slot, and stands until the next one is due. So a result does not depend
on how fast the machine is that computes it. What was asked in an earlier episode is never handed out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Controller, Decision, Observation, Outcome, TaskSpec, WhatIf
from ranpilot.errors import ConfigError
from ranpilot.runs.arrays import Identity, read_arrays, save_arrays

__all__ = ["Delayed"]

NO_ADVICE = -1
NEVER = -1
ROUNDING = 1e-9


@dataclass
class Answer:
    """What was said to the networks at one step, on its way."""

    advice: NDArray[np.int64]
    """[B, A]"""
    asked_slot: NDArray[np.int64]
    """[B]"""
    due_slot: NDArray[np.int64]
    """[B], NEVER where it has been handed out or its episode is over."""


class Delayed:
    """The adviser, `latency_s` of network time late; -1 (no advice) until the first answer of an episode is there."""

    def __init__(self, adviser: Controller, latency_s: float = 1.0) -> None:
        if not 0 <= latency_s < float("inf"):
            raise ConfigError("adviser.latency_s", latency_s, "a number of seconds, at least 0")
        self._adviser = adviser
        self.latency_s = latency_s

    @property
    def name(self) -> str:
        """The adviser's own name, and how late it is."""
        return f"{getattr(self._adviser, 'name', type(self._adviser).__name__)} {self.latency_s:g} s late"

    @property
    def model_hash(self) -> str:
        """Hash of the adviser's model, empty where there is none."""
        return str(getattr(self._adviser, "model_hash", ""))

    @property
    def age_s(self) -> NDArray[np.float64]:
        """Seconds of network time since the advice handed out last was asked for, [B]; NaN where there is none."""
        age = (self._now_slot - self._asked_slot) * self._slot_s
        return np.where(self._asked_slot == NEVER, np.nan, age)

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Reset the adviser and empty the queue."""
        self._slot_s = task.step_s / task.slots_per_step
        self._latency_slots = ceil(self.latency_s / self._slot_s - ROUNDING)
        self._queue: list[Answer] = []
        self._advice = np.full((num_networks, task.num_agents), NO_ADVICE, dtype=np.int64)
        self._asked_slot = np.full(num_networks, NEVER, dtype=np.int64)
        self._now_slot = np.zeros(num_networks, dtype=np.int64)
        self._adviser.reset(task, num_networks, seed, what_if)

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """The newest answer that is due, [B, A]."""
        slot, first = np.asarray(obs.slot, dtype=np.int64), np.asarray(obs.first)
        for waiting in self._queue:
            waiting.due_slot[first] = NEVER
        self._advice[first] = NO_ADVICE
        self._asked_slot[first] = NEVER
        advice = np.asarray(self._adviser.act(obs), dtype=np.int64)
        self._queue.append(Answer(advice.copy(), slot.copy(), slot + self._latency_slots))
        for answer in self._queue:
            is_due = (answer.due_slot != NEVER) & (answer.due_slot <= slot)
            self._advice[is_due] = answer.advice[is_due]
            self._asked_slot[is_due] = answer.asked_slot[is_due]
            answer.due_slot[is_due] = NEVER
        self._queue = [answer for answer in self._queue if (answer.due_slot != NEVER).any()]
        self._now_slot = slot.copy()
        return self._advice.copy()

    def observe(self, outcome: Outcome) -> None:
        """Hand the outcome on."""
        self._adviser.observe(outcome)

    def explain(self, network: int) -> tuple[Decision, ...]:
        """The adviser's own explanation."""
        return self._adviser.explain(network)

    def save(self, folder: Path) -> None:
        """Write the queue, and the adviser's part into `folder/adviser`."""
        self._adviser.save(folder / "adviser")
        num, (networks, agents) = len(self._queue), self._advice.shape
        waiting = np.array([answer.advice for answer in self._queue], dtype=np.int64)
        times = np.array([(answer.asked_slot, answer.due_slot) for answer in self._queue], dtype=np.int64)
        arrays = {
            "advice": self._advice,
            "asked_slot": self._asked_slot,
            "now_slot": self._now_slot,
            "waiting": waiting.reshape(num, networks, agents),
            "waiting_times": times.reshape(num, 2, networks),
        }
        save_arrays(folder / "delayed.npz", self._identity(), arrays)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, after a `reset`. Raises CheckpointError where it does not fit."""
        found = {n: a.astype(np.int64) for n, a in read_arrays(folder / "delayed.npz", self._identity()).items()}
        self._advice, self._asked_slot, self._now_slot = found["advice"], found["asked_slot"], found["now_slot"]
        pairs = zip(found["waiting"], found["waiting_times"], strict=True)
        self._queue = [Answer(advice.copy(), times[0].copy(), times[1].copy()) for advice, times in pairs]
        restore = getattr(self._adviser, "load", None)
        if restore is not None:
            restore(folder / "adviser")

    def _identity(self) -> Identity:
        return {"adviser": "delayed", "latency_s": self.latency_s, "shape": list(self._advice.shape)}
