"""Task `slicing-two-level`: shares of slices every control step, weights of users every 10 ms, on the same networks.

The high level sees and does what task `slicing` says. Within its step the low level weighs users: `share_out` begins a
step, `weigh` runs 10 ms of it, and the last `weigh` of the step gives the outcome. With weights of 1 that is task
`slicing` bit for bit; `step` plays a whole step with the weights that are. A user's weight multiplies its metric in the
scheduler of its slice. Source: the two levels of Lotfi, Afghah 2025. Differs from source: the low level weighs users
and does not give out single blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranpilot.envs.controller import Action, BoolArray, FloatArray, IntArray, Observation, Outcome
from ranpilot.envs.slice_feature import SliceFeature
from ranpilot.envs.tasks.slicing import Numbers, Slicing
from ranpilot.errors import ActionError, ConfigError
from ranpilot.twin import state
from ranpilot.twin.controls import SCHEDULING_WEIGHT
from ranpilot.twin.network import Networks
from ranpilot.twin.views import Mark

__all__ = ["PART", "USER_FEATURES", "SlicingTwoLevel", "UserObservation"]

LOW_STEP_MS = 10.0

USER_FEATURES = (
    SliceFeature("rate", "kbit/s", 1e5, "log"),
    SliceFeature("backlog", "kbit", 1e5, "log"),
    SliceFeature("head_delay", "ms", 2e4, "log"),
    SliceFeature("cqi", "1", 15.0),
)
"""What is seen of a user: bits delivered in the last 10 ms, bits that wait and how long the oldest has, mean CQI."""


@dataclass(frozen=True)
class UserObservation:
    """What the low level sees before it weighs."""

    users: FloatArray
    """[B, U, F] in [0, 1], by `USER_FEATURES`; 0 for places without a user"""
    user_mask: BoolArray
    """[B, U] whether a user is there"""
    cell: IntArray
    """[B, U] that serves it, an agent of the high level; -1 where nobody is"""
    seat: IntArray
    """[B, U] of its slice; -1 where nobody is"""
    slot: IntArray
    """[B] since the start of the episode"""
    is_turn: bool
    """Whether the high level acts first"""


class SlicingTwoLevel(Slicing):
    """A batch of networks under the task."""

    NAME = "slicing-two-level"

    def __init__(self, networks: Networks, numbers: Numbers) -> None:
        super().__init__(networks, numbers)
        self._low_slots = round(LOW_STEP_MS * 1e-3 / networks.scenario.slot_s)
        self._begun: tuple[FloatArray, tuple[FloatArray, FloatArray], Mark] | None = None
        """Action of the running step, what it asked for, and when it began; None between steps."""
        self._low_step = 0
        self._bits_before = self._bits()

    @classmethod
    def _begin(cls, networks: Networks, numbers: Numbers) -> Self:
        step_ms = networks.scenario.control.step_ms
        if step_ms % LOW_STEP_MS != 0.0:
            raise ConfigError("control.step_ms", step_ms, f"a multiple of {LOW_STEP_MS:g} ms for task {cls.NAME!r}")
        return super()._begin(networks, numbers)

    @property
    def low_steps(self) -> int:
        """Low steps of a high one."""
        return self.spec.slots_per_step // self._low_slots

    @property
    def users(self) -> UserObservation:
        """What the next `weigh` should see."""
        seen = self.networks.ues
        is_there = (seen.serving_cell >= 0) & (seen.seat >= 0)
        slot_ms = self.networks.scenario.slot_s * 1e3
        values = (
            (self._bits() - self._bits_before) / LOW_STEP_MS,
            seen.backlog_bits / 1e3,
            seen.head_delay_slots * slot_ms,
            seen.cqi,
        )
        shown = np.stack([f.shown(v) for f, v in zip(USER_FEATURES, values, strict=True)], axis=2)
        return UserObservation(
            users=np.where(is_there[..., None], shown, 0.0),
            user_mask=is_there,
            cell=np.where(is_there, seen.serving_cell, -1),
            seat=np.where(is_there, seen.seat, -1),
            slot=self._when()["slot"] + self._low_step * self._low_slots,
            is_turn=self._begun is None,
        )

    def share_out(self, action: Action) -> None:
        """Begin a step with those shares. Raises ActionError in the middle of one, and as `step` does."""
        self._check_turn("share_out")
        checked = self._checked(action)
        self._begun, self._low_step = (checked, self._share_out(checked), self.networks.mark()), 0

    def weigh(self, weight: ArrayLike) -> Outcome | None:
        """Run 10 ms with those weights [B, U] (0 to 100); the outcome of the step where it ends, else None.

        The weight of an empty place is nobody's. Raises ActionError before `share_out`, for a wrong shape or value.
        """
        if self._begun is None:
            raise ActionError("weigh", "before a step has begun", "after share_out")
        self.networks.apply({SCHEDULING_WEIGHT: weight})
        self._bits_before = self._bits()
        self.networks.advance(self._low_slots)
        self._low_step += 1
        if self._low_step < self.low_steps:
            return None
        (action, asked, mark), self._begun, self._low_step = self._begun, None, 0
        self._measure(mark)
        self._step += 1
        return self._told(action, self._reward(*asked))

    def step(self, action: Action) -> Outcome:
        """A whole step with the weights that are in force."""
        self._check_turn("step")
        return super().step(action)

    def reset(self, *, first_episode: int = 0) -> Observation:
        """Begin that episode, whatever was going on."""
        self._begun, self._low_step = None, 0
        return super().reset(first_episode=first_episode)

    def fork(self, networks: IntArray, draw: IntArray, without_events: bool = False) -> Self:
        """As of every task; between steps only."""
        self._check_turn("fork")
        return super().fork(networks, draw, without_events)

    def snapshot(self) -> bytes:
        """As of every task; between steps only."""
        self._check_turn("snapshot")
        return super().snapshot()

    def _run(self, slots: int) -> None:
        # Users are told what they got in the last 10 ms after a whole step too.
        self.networks.advance(max(slots - self._low_slots, 0))
        self._bits_before = self._bits()
        self.networks.advance(min(slots, self._low_slots))

    def _pick(self, rows: IntArray) -> None:
        super()._pick(rows)
        self._bits_before = self._bits_before[rows]

    def _kept(self) -> dict[str, Any]:
        return {**super()._kept(), "bits_before": self._bits_before}

    def _take(self, found: Mapping[str, NDArray[Any]]) -> None:
        super()._take(found)
        self._bits_before, self._begun, self._low_step = found["bits_before"], None, 0

    def _bits(self) -> NDArray[np.int64]:
        """[B, U] delivered since the reset."""
        return self.networks.counters().ue[..., state.UE_BITS_OUT]

    def _check_turn(self, what: str) -> None:
        if self._begun is not None:
            raise ActionError(what, f"after {self._low_step} of {self.low_steps} low steps", "between steps")


PART = SlicingTwoLevel
