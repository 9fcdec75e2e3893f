"""`aura-paper` as a batch environment: two stations, their calls, four actions.

Every rule and constant stands in `config.py` and `kernel.py`. A run depends on (seed, network id, episode, actions)
alone: not on the batch, the number of threads, or what was rolled on copies in between.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.aura_paper.check_action import check_options
from ranpilot.envs.aura_paper.config import AuraPaperConfig
from ranpilot.envs.aura_paper.kernel import begin_batch, observe_batch, step_batch
from ranpilot.envs.aura_paper.spec import make_spec
from ranpilot.envs.aura_paper.state import COUNTERS, make_params, make_result, make_state
from ranpilot.envs.aura_paper.what_if import AuraPaperWhatIf
from ranpilot.envs.controller import Action, BoolArray, Observation, Outcome, WhatIf
from ranpilot.errors import CheckpointError, ConfigError

__all__ = ["AuraPaper"]

MOST_SLOTS = MOST_NETWORKS = 2**32
"""Counters of random numbers are 32 bits wide."""

MOST_SEED = 2**63 - 1
MOST_THREADS = 256


class AuraPaper:
    """`num_networks` networks with ids from `first_network` on; episodes run in lockstep and are truncated."""

    what_if: WhatIf | None

    def __init__(
        self,
        config: AuraPaperConfig,
        num_networks: int,
        seed: int,
        *,
        first_network: int = 0,
        threads: int = 1,
    ) -> None:
        _check_range("num_networks", num_networks, 1, MOST_NETWORKS)
        _check_range("first_network", first_network, 0, MOST_NETWORKS - num_networks)
        _check_range("seed", seed, 0, MOST_SEED)
        _check_range("threads", threads, 1, MOST_THREADS)
        self.config, self.num_networks, self.seed, self.first_network = config, num_networks, seed, first_network
        self.spec = make_spec(config)
        self._params = make_params(config)
        network = first_network + np.arange(num_networks)
        self._state = make_state(num_networks, config.num_places, np.full(num_networks, seed), network)
        self._result = make_result(num_networks)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        edges = [num_networks * part // threads for part in range(threads + 1)]
        self._parts = edges[:-1], edges[1:]
        self._never = np.zeros(num_networks, np.bool_)
        self._always = np.ones(num_networks, np.bool_)
        self._no_notices = np.empty((num_networks, 0), np.int64)
        self.what_if = AuraPaperWhatIf(self.spec, self._state, self._params)
        self.reset()

    @property
    def observation(self) -> Observation:
        """What the next `act` should see; its arrays stay as they are."""
        return self._observation

    def reset(self, *, first_episode: int = 0) -> Observation:
        """Begin episode `first_episode` in every network."""
        _check_range("first_episode", first_episode, 0, MOST_SLOTS // self._params.slots_per_episode - 1)
        begin_batch(self._state, self._params, first_episode, self._result)
        self._steps = 0
        self._observation = self._observe(self._always)
        return self._observation

    def step(self, action: Action) -> Outcome:
        """Execute [B, A] and begin the next episode where this one is cut. Raises ActionError, nothing stepped then."""
        options = check_options(self.spec, action, (self.num_networks, 2))
        result = self._result
        if self._pool is None:
            step_batch(self._state, self._params, options, 0, self.num_networks, result)
        else:
            list(self._pool.map(partial(step_batch, self._state, self._params, options), *self._parts, repeat(result)))
        self._steps += 1
        next_obs = self._observe(self._never)
        counts = result.counts.copy()
        is_cut = self._steps >= self.config.episode_steps
        outcome = Outcome(
            action=options,
            reward=result.reward.copy(),
            terms=result.terms.copy(),
            next_obs=next_obs,
            terminated=self._never,
            truncated=self._always if is_cut else self._never,
            counts=dict(zip(COUNTERS, counts, strict=True)),
        )
        self._observation = next_obs
        if is_cut:
            self.reset(first_episode=int(self._state.episode[0]) + 1)
        return outcome

    def snapshot(self) -> bytes:
        """Everything needed to go on exactly, and what it belongs to."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, identity=np.array(self._identity()), **self._state._asdict())
        return buffer.getvalue()

    def restore(self, data: bytes) -> None:
        """Go on from a snapshot. Raises CheckpointError for one that does not fit; nothing is changed then."""
        found = _read_arrays(data)
        if str(found.get("identity", "")) != self._identity():
            remedy = "use an environment with the same configuration, seed and networks"
            raise CheckpointError("aura-paper snapshot", "it belongs to another environment", remedy)
        for name, array in self._state._asdict().items():
            array[...] = found[name]
        observe_batch(self._state, self._params, self._result)
        self._steps = int(self._state.step[0])
        self._observation = self._observe(self._always if self._steps == 0 else self._never)

    def _identity(self) -> str:
        """What a snapshot must agree in."""
        networks = {"seed": self.seed, "first_network": self.first_network, "num_networks": self.num_networks}
        return json.dumps({"config": self.config.model_dump(mode="json"), **networks}, sort_keys=True)

    def _observe(self, first: BoolArray) -> Observation:
        """The result's observation, in arrays of its own."""
        return Observation(
            local=self._result.local.copy(),
            state=self._result.state.copy(),
            slot=self._state.step.copy(),
            first=first,
            episode=self._state.episode.copy(),
            notice_ids=self._no_notices,
        )


def _read_arrays(data: bytes) -> dict[str, NDArray[np.generic]]:
    """The arrays of a snapshot by name. Raises CheckpointError where it is damaged."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return dict(archive)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError("aura-paper snapshot", f"it cannot be read ({error})", "start again") from error


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ConfigError(name, value, f"a whole number within {low}..{high}")
