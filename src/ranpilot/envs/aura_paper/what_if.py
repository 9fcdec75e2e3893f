"""Actions tried on copies of running `aura-paper` networks, with fresh randomness."""

from __future__ import annotations

import numpy as np

from ranpilot.envs.aura_paper.check_action import check_options
from ranpilot.envs.aura_paper.kernel import fork_batch, roll_batch, step_batch
from ranpilot.envs.aura_paper.state import Params, Result, State, make_result, make_state
from ranpilot.envs.controller import Action, FloatArray, IntArray, Observation, Policy, TaskSpec
from ranpilot.errors import ConfigError

__all__ = ["AuraPaperWhatIf"]


class AuraPaperWhatIf:
    """`WhatIf` on the live state; a roll goes on beyond the last step of the episode, which is a time limit."""

    def __init__(self, spec: TaskSpec, state: State, params: Params) -> None:
        self._spec, self._state, self._params = spec, state, params
        self._room = 0

    def roll(
        self,
        actions: Action,
        steps: int,
        draws: int,
        *,
        then: Policy | None = None,
        networks: IntArray | None = None,
        discount: float = 1.0,
    ) -> FloatArray:
        """Team reward [B, n, draws] of n joint actions; see `WhatIf.roll`.

        Raises ActionError for actions that do not fit, ConfigError for other arguments that do not.
        """
        picked = self._checked_networks(networks)
        _check_numbers(steps, draws, discount)
        num_options = np.shape(actions)[-1] if np.ndim(actions) == 3 else 0
        joint = check_options(self._spec, actions, (len(picked), 2, max(num_options, 1)))
        num_forks = len(picked) * num_options * draws
        self._make_room(num_forks)
        fork_batch(self._state, self._params, picked, np.tile(np.arange(draws), num_options), self._forks)
        # [B, A, n] -> (network, option, draw) flattened.
        action = np.repeat(np.moveaxis(joint, 2, 1).reshape(-1, 2), draws, axis=0)
        total = np.empty(num_forks)
        if then is None or steps == 1:
            roll_batch(self._forks, self._params, action, steps, discount, self._result, total)
            return total.reshape(len(picked), num_options, draws)
        total[:] = 0.0
        for step in range(steps):
            if step > 0:
                action = check_options(self._spec, then(self._observe(num_forks)), (num_forks, 2))
            step_batch(self._forks, self._params, action, 0, num_forks, self._result)
            total += discount**step * self._result.reward[:num_forks].sum(axis=1)
        return total.reshape(len(picked), num_options, draws)

    def _observe(self, num_forks: int) -> Observation:
        """The copies as they are now; the arrays are the policy's to keep."""
        forks, result = self._forks, self._result
        return Observation(
            local=result.local[:num_forks].copy(),
            state=result.state[:num_forks].copy(),
            slot=forks.step[:num_forks].copy(),
            first=np.zeros(num_forks, np.bool_),
            episode=forks.episode[:num_forks].copy(),
            notice_ids=np.empty((num_forks, 0), np.int64),
        )

    def _make_room(self, num_forks: int) -> None:
        """Grow the copies' arrays; they are kept from roll to roll."""
        if num_forks <= self._room:
            return
        self._room = max(num_forks, 2 * self._room)
        nobody = np.zeros(self._room, np.int64)
        self._forks: State = make_state(self._room, self._state.serving.shape[1], nobody, nobody)
        self._result: Result = make_result(self._room)

    def _checked_networks(self, networks: IntArray | None) -> IntArray:
        num_networks = len(self._state.seed)
        if networks is None:
            return np.arange(num_networks)
        picked = np.asarray(networks)
        if picked.ndim != 1 or picked.dtype.kind not in "iu" or ((picked < 0) | (picked >= num_networks)).any():
            raise ConfigError("what_if.networks", networks, f"a list of indices in 0..{num_networks - 1}")
        return picked.astype(np.int64)


def _check_numbers(steps: int, draws: int, discount: float) -> None:
    for name, value in (("steps", steps), ("draws", draws)):
        if value < 1:
            raise ConfigError(f"what_if.{name}", value, "at least 1")
    if not 0.0 <= discount <= 1.0:
        raise ConfigError("what_if.discount", discount, "within 0..1")
