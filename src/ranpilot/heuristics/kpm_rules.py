"""Rules on numbers instead of words: what a person with all measurements of both stations would do.

Hand over if there are open requests and the nearest neighbour has a free place for each (for three, which is what one
action moves), or if a request is in its last step and a place is free. Else raise the power if more than 25 % of the
own links are bad, lower it if less than 15 % are, else keep. An agent without a neighbour never hands over.

Requests and places are compared in the units of the task's central state: exact where both are counted to the same
number, as in `aura-paper`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Observation, TaskSpec, WhatIf
from ranpilot.heuristics._fixed import NO_NEIGHBOUR, Fixed, nearest_neighbours, option, state_columns

__all__ = ["PART", "KpmRules"]

MANY_BAD = 0.25
FEW_BAD = 0.15


class KpmRules(Fixed):
    """Rules on open requests, free places and the share of bad links."""

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Find the measurements in the central state. Raises ConfigError where one is missing."""
        super().reset(task, num_networks, seed, what_if)
        self._requests = state_columns(task, "eligible_requests")
        self._due = state_columns(task, "oldest_due")
        self._bad_share = state_columns(task, "bad_share")
        neighbour = nearest_neighbours(task)
        self._neighbour_free = state_columns(task, "free_places")[neighbour]
        self._has_neighbour = neighbour != NO_NEIGHBOUR
        self._up, self._down = option(task, "up"), option(task, "down")
        self._keep, self._move = option(task, "keep"), option(task, "move")

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """One option for each agent, [B, A]."""
        requests, free = obs.state[:, self._requests], obs.state[:, self._neighbour_free]
        is_due, bad_share = obs.state[:, self._due] > 0, obs.state[:, self._bad_share]
        # Numbers normalised differently must not differ by rounding.
        has_room = free >= requests - 1e-9
        moves = self._has_neighbour & (((requests > 0) & has_room) | (is_due & (free > 0)))
        power = np.where(bad_share > MANY_BAD, self._up, np.where(bad_share < FEW_BAD, self._down, self._keep))
        return np.where(moves, self._move, power)


PART = KpmRules
