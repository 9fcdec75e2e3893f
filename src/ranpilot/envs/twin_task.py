"""What every task on the twin is: lockstep episodes, forks to try actions on, and snapshots; the rules are the task's.

A task says how an episode begins (`reset`), what is seen (`observation`), which actions there are (`_checked`) and what
a step does (`_play`), and names the arrays that it keeps beside the networks (`_kept`, `_take`, `_pick`).
"""

from __future__ import annotations

import copy
import io
import json
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Action, FloatArray, IntArray, Observation, Outcome, TaskSpec
from ranpilot.envs.twin_what_if import TwinWhatIf
from ranpilot.errors import CheckpointError, ConfigError, UnknownNameError
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario, Split

__all__ = ["Played", "TwinTask"]


@dataclass(frozen=True)
class Played:
    """What one step gave: weighted terms [B, A, K] and counts [B, A]."""

    terms: NDArray[np.float64]
    counts: dict[str, FloatArray]


class TwinTask(ABC):
    """A batch of networks under a task; implements `Environment` and what `TwinWhatIf` rolls."""

    NAME: ClassVar[str]
    VARIANTS: ClassVar[Mapping[str, Any]]
    """The numbers of each variant, a frozen dataclass."""
    DEFAULT: ClassVar[str] = "default"
    """The variant where none is named."""
    SNAPSHOT_VERSION: ClassVar[int]

    def __init__(self, networks: Networks, numbers: Any, spec: TaskSpec) -> None:
        self.networks = networks
        self.spec = spec
        self.num_networks: int = networks.num
        self.what_if = TwinWhatIf(self)
        self._numbers: Any = numbers
        self._step = self._episode = 0

    @classmethod
    @abstractmethod
    def _begin(cls, networks: Networks, numbers: Any) -> Self:
        """The task with those numbers on those networks, not yet reset. Raises ConfigError for what it cannot use."""

    @abstractmethod
    def reset(self, *, first_episode: int = 0) -> Observation:
        """Begin that episode."""

    @property
    @abstractmethod
    def observation(self) -> Observation:
        """What the next `act` should see."""

    @abstractmethod
    def _checked(self, action: Action) -> Any:
        """The action as `_play` takes it. Raises ActionError."""

    @abstractmethod
    def _play(self, action: Any) -> Played:
        """One control step; counts it."""

    @abstractmethod
    def _kept(self) -> dict[str, Any]:
        """The arrays [B, ...] that a snapshot holds beside networks and clock."""

    @abstractmethod
    def _take(self, found: Mapping[str, NDArray[Any]]) -> None:
        """Go on with those arrays; networks and clock are restored already."""

    @abstractmethod
    def _pick(self, rows: IntArray) -> None:
        """Keep those networks' arrays only, some perhaps several times."""

    @classmethod
    def make(
        cls,
        scenario: Scenario,
        num: int,
        seed: int,
        *,
        load: str | None = None,
        split: Split = "train",
        first_network: int = 0,
        variant: str | None = None,
    ) -> Self:
        """`num` networks of that scenario, load and split, at the start of episode 0.

        load: None for the scenario as it is; variant: None for the default one. Network ids are `first_network` onward,
        and what an id does is independent of the batch it is in. Raises ConfigError for a scenario that the task
        cannot use and UnknownNameError for a split, load or variant that there is not.
        """
        name = cls.DEFAULT if variant in (None, "default") else str(variant)
        if name not in cls.VARIANTS:
            raise UnknownNameError(f"variant of task {cls.NAME!r}", name, list(cls.VARIANTS))
        chosen = scenario.with_split(split)
        if load is not None:
            chosen = chosen.with_load(load)
        environment = cls._begin(Networks(chosen, num, seed, first_network=first_network), cls.VARIANTS[name])
        environment.reset()
        return environment

    def step(self, action: Action) -> Outcome:
        """Execute an action of every agent; after the last step the next episode begins in the same call."""
        checked = self._checked(action)
        return self._told(checked, self._play(checked))

    def _told(self, action: Action, played: Played) -> Outcome:
        """What a step gave; begins the next episode where this one is over."""
        done = self._step >= self.spec.episode_steps
        outcome = Outcome(
            action=action,
            reward=played.terms.sum(axis=2),
            terms=played.terms,
            next_obs=self.observation,
            terminated=np.zeros(self.num_networks, dtype=np.bool_),
            truncated=np.full(self.num_networks, done, dtype=np.bool_),
            counts=played.counts,
        )
        if done:
            self.reset(first_episode=self._episode + 1)
        return outcome

    def play(self, action: Action) -> NDArray[np.float64]:
        """Execute an action without beginning a new episode at the cut; the reward [B, A]."""
        reward: NDArray[np.float64] = self._play(self._checked(action)).terms.sum(axis=2)
        return reward

    def fork(self, networks: IntArray, draw: IntArray, without_events: bool = False) -> Self:
        """Copies of the picked networks with fresh futures, see `twin_what_if.Forkable`.

        without_events: those that have not started are called off, and so are their announcements.
        """
        rows = np.repeat(networks, len(draw))
        other = copy.copy(self)
        other.networks = self.networks.fork(
            len(draw), networks=networks, future="fresh", draw=draw, without_events=without_events
        )
        other.num_networks = len(rows)
        other.what_if = TwinWhatIf(other)
        other._pick(rows)
        return other

    def snapshot(self) -> bytes:
        """Everything needed to go on exactly, and what it belongs to."""
        file = io.BytesIO()
        np.savez(
            file,
            identity=np.array(self._identity()),
            clock=np.array([self._step, self._episode]),
            networks=np.frombuffer(self.networks.snapshot(), dtype=np.uint8),
            **self._kept(),
        )
        return file.getvalue()

    def restore(self, data: bytes) -> None:
        """Go on from a snapshot. Raises CheckpointError for one that does not fit; nothing is changed then."""
        what = f"snapshot of task {self.NAME}"
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                found = dict(archive)
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise CheckpointError(what, f"it cannot be read ({error})", "start again") from error
        if str(found.get("identity", "")) != self._identity():
            remedy = "use an environment with the same scenario, load, split, variant, seed and networks"
            raise CheckpointError(what, "it belongs to another environment", remedy)
        self.networks.restore(found["networks"].tobytes())
        self._step, self._episode = (int(number) for number in found["clock"])
        self._take(found)

    def _begin_episode(self, episode: int) -> None:
        """Put the networks at the start of an episode."""
        if episode < 0:
            raise ConfigError("first_episode", episode, "at least 0")
        self._episode, self._step = episode, 0
        self.networks.reset(episode)

    def _when(self) -> dict[str, NDArray[Any]]:
        """Slot, first and episode of an observation, each [B]."""
        count = self.num_networks
        return {
            "slot": np.full(count, self._step * self.spec.slots_per_step, dtype=np.int64),
            "first": np.full(count, self._step == 0, dtype=np.bool_),
            "episode": np.full(count, self._episode, dtype=np.int64),
        }

    def _normalised(self, values: tuple[Any, ...]) -> FloatArray:
        """[B, A, D] of the task's features, each [B, A] in its own unit."""
        local = np.empty((self.num_networks, self.spec.num_agents, len(values)))
        for d, (feature, value) in enumerate(zip(self.spec.features, values, strict=True)):
            low, high = np.array(feature.low), np.array(feature.high)
            local[:, :, d] = np.clip((value - low) / (high - low), 0.0, 1.0)
        return local

    def _identity(self) -> str:
        """What a snapshot must agree in."""
        networks = self.networks
        identity = {"task": self.NAME, "version": self.SNAPSHOT_VERSION, "scenario": networks.scenario.hash()}
        own = {**asdict(self._numbers), "seed": networks.seed, "networks": networks.network_ids.tolist()}
        return json.dumps({**identity, **own})
