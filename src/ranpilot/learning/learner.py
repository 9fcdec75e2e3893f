"""What every learner with shared nets is: one set of weights for all agents of all B networks, behind `Controller`.

It learns while `obs.episode` is below `train_episodes` and from then on only acts, without noise. What it does is a
function of (config, seed, what it saw); random numbers are counted by step and update, so a checkpoint holds no
generator and a resumed learner goes on to the last bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ranpilot.envs.controller import Action, Decision, FloatArray, Observation, Outcome, TaskSpec, WhatIf
from ranpilot.errors import ActionError, CheckpointError, ConfigError
from ranpilot.learning.draws import draw_per_agent
from ranpilot.learning.features import Arrays, Features, FeatureShape, as_features, see, shape_of
from ranpilot.learning.flat_network import FlatPolicy, FlatValue
from ranpilot.learning.load_logits import LoadLogits
from ranpilot.learning.set_network import SetPolicy, SetValue
from ranpilot.learning.slice_codes import SliceCodes
from ranpilot.learning.tensor_arrays import module_arrays, optimiser_arrays, restore_module, restore_optimiser
from ranpilot.runs.arrays import read_arrays, save_arrays
from ranpilot.twin.rng import STREAM_REPLAY, fold_seed
from ranpilot.validation import as_config_error

__all__ = ["Learner", "LearnerConfig", "Pending", "make_config"]

Model = TypeVar("Model", bound="LearnerConfig")
Found = Mapping[str, NDArray[Any]]


class LearnerConfig(BaseModel, frozen=True, extra="forbid"):
    """What all learners with shared nets have."""

    train_episodes: Annotated[int, Field(ge=0, description="episodes before learning stops and acting is greedy")] = 100
    first_network: Annotated[int, Field(ge=0, description="id of the batch's first network, for random numbers")] = 0
    network: Annotated[
        Literal["auto", "set", "flat"], Field(description="auto: over the set of slices where the task has any")
    ] = "auto"
    hidden: Annotated[int, Field(ge=1, le=4096, description="units of each hidden layer")] = 64
    activation: Literal["relu", "tanh"] = "relu"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-4
    gamma: Annotated[float, Field(ge=0, le=1, description="discount")] = 0.99
    start: Annotated[
        Literal["equal", "load"], Field(description="what shares an untaught policy gives: equal, or as the load is")
    ] = "equal"
    device: Annotated[str, Field(description="where tensors live, such as cpu or cuda")] = "cpu"


def make_config(model: type[Model], name: str, settings: Mapping[str, object]) -> Model:
    """The config with some settings changed. Raises ConfigError for an unknown or bad one."""
    try:
        return model.model_validate(dict(settings))
    except ValidationError as report:
        raise as_config_error(report, model, prefix=name) from None


@dataclass
class Pending:
    """An action whose outcome is still to come."""

    arrays: Arrays
    obs: Observation
    action: Action
    is_training: bool
    extra: Arrays
    """What the algorithm remembers of its choice, [B, A, ...]."""


class Learner(ABC):
    """The part of a learner that does not depend on its algorithm."""

    NAME: ClassVar[str]
    IS_CENTRAL: ClassVar[bool] = False
    """Whether critics see all agents."""

    def __init__(self, config: LearnerConfig, codes: SliceCodes | None = None) -> None:
        self._settings, self.codes = config, codes

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Begin untaught. Raises ConfigError for a task or device that it cannot use."""
        torch.set_num_threads(1)
        settings = self._settings
        self._task, self._seed, self._num_networks = task, seed, num_networks
        self._shape = shape_of(task, self.codes)
        self._uses_set = _uses_set(settings, self._shape, task)
        self._start = LoadLogits(task) if settings.start == "load" else None
        self._steps = self._updates = 0
        self._metrics: dict[str, float] = {}
        self._pending: Pending | None = None
        self._reward: FloatArray | None = None
        self._nets: dict[str, nn.Module] = {}
        self._optimisers: dict[str, Optimizer] = {}
        _check_device(settings.device)
        self._build()

    def act(self, obs: Observation) -> Action:
        """Options [B, A] or numbers [B, A, M]; B may differ from the training's once that is over."""
        arrays = self._see(obs)
        is_training = bool((np.asarray(obs.episode) < self._settings.train_episodes).all())
        extra: Arrays = {}
        with torch.no_grad():
            features = self._features(arrays)
            if is_training:
                action, extra = self._explore(features)
            else:
                action = self._best(features)
        self._pending, self._reward = Pending(arrays, obs, action, is_training, extra), None
        return action

    def observe(self, outcome: Outcome) -> None:
        """Remember the step and learn of it, while in training."""
        if self._pending is None:
            raise ActionError("act", None, "called before observe")
        self._reward = outcome.reward
        if self._pending.is_training:
            self._remember(self._pending, outcome)
            self._steps += 1
            self._learn()

    def explain(self, network: int) -> tuple[Decision, ...]:
        """The last decision of each agent of the network at that place of the batch; empty before the first."""
        if self._pending is None:
            return ()
        pending, reward = self._pending, self._reward
        why = "Drawn from the policy, to learn." if pending.is_training else "The policy's best."
        decisions = []
        for agent, name in enumerate(self._task.agents):
            own = self._in_words(pending.action[network, agent])
            decisions.append(
                Decision(
                    network=self._settings.first_network + network,
                    agent=name,
                    slot=int(pending.obs.slot[network]),
                    suggested=None,
                    adviser=None,
                    own=own,
                    executed=own,
                    followed=False,
                    trust=None,
                    why=why,
                    reward=None if reward is None else float(reward[network, agent]),
                )
            )
        return tuple(decisions)

    def metrics(self) -> Mapping[str, float]:
        """Scalars of the last update by name, and how many steps and updates there were."""
        return {**self._metrics, "steps": float(self._steps), "updates": float(self._updates)}

    def save(self, folder: Path) -> None:
        """Write nets, moments, memory and counts, atomically."""
        arrays = {"counts": np.array([self._steps, self._updates, self._num_networks]), **self._kept()}
        for name, net in self._nets.items():
            arrays.update(module_arrays(name, net))
        for name, optimiser in self._optimisers.items():
            arrays.update(optimiser_arrays(name, optimiser))
        arrays.update(self.codes.arrays() if self.codes is not None else {})
        save_arrays(folder / f"{self.NAME}.npz", self._identity(), arrays)

    def load(self, folder: Path, *, only_policy: bool = False) -> None:
        """Go on from what `save` wrote, after a `reset` with the same task, batch and seed.

        only_policy: nets alone, for acting in any batch. Raises CheckpointError where it is missing, damaged or does
        not fit.
        """
        path = folder / f"{self.NAME}.npz"
        found = read_arrays(path, self._identity())
        for name, net in self._nets.items():
            restore_module(name, net, found)
        if self.codes is not None:
            self.codes.restore(found)
        self._pending, self._reward = None, None
        if only_policy:
            return
        self._steps, self._updates, num = (int(number) for number in found["counts"])
        if num != self._num_networks:
            raise CheckpointError(str(path), f"is of a batch of {num} networks", f"this batch has {self._num_networks}")
        for name, optimiser in self._optimisers.items():
            restore_optimiser(name, optimiser, found)
        self._take(found)

    @abstractmethod
    def _build(self) -> None:
        """Make nets, optimisers and memory. Raises ConfigError for a task that the algorithm cannot learn."""

    @abstractmethod
    def _explore(self, features: Features) -> tuple[Action, Arrays]:
        """An action to learn from, and what is remembered of the choice."""

    @abstractmethod
    def _best(self, features: Features) -> Action:
        """The action without noise."""

    @abstractmethod
    def _remember(self, pending: Pending, outcome: Outcome) -> None:
        """Keep the step."""

    @abstractmethod
    def _learn(self) -> None:
        """Update where it is time; called after every remembered step."""

    @abstractmethod
    def _kept(self) -> dict[str, NDArray[Any]]:
        """Arrays of a checkpoint beside nets, optimisers and counts."""

    @abstractmethod
    def _take(self, found: Found) -> None:
        """Go on from those arrays."""

    def _policy(self, per_number: int) -> FlatPolicy | SetPolicy:
        make = SetPolicy if self._uses_set else FlatPolicy
        return make(self._shape, self._settings.hidden, per_number, self._settings.activation)

    def _value(self, *, with_action: bool) -> FlatValue | SetValue:
        make = SetValue if self._uses_set else FlatValue
        settings, shape = self._settings, self._shape
        is_central = self.IS_CENTRAL and (shape.num_agents > 1 or shape.num_state > 0)
        return make(shape, settings.hidden, settings.activation, with_action=with_action, is_central=is_central)

    def _adam(self, parameters: list[nn.Parameter], epsilon: float) -> Adam:
        return Adam(parameters, lr=self._settings.learning_rate, eps=epsilon, fused=True)

    def _see(self, obs: Observation) -> Arrays:
        return see(obs, self.codes, self._start)

    def _features(self, arrays: Found) -> Features:
        return as_features(arrays, self.codes, self._settings.device)

    def _number_mask(self, features: Features) -> Tensor:
        """[N, A, M] 1 for the numbers of an action that count."""
        if self._shape.num_slices:
            return features.mask
        num = features.local.shape[0]
        return torch.ones((num, self._shape.num_agents, self._shape.action_size), device=features.local.device)

    def _uniform(self, num_networks: int, count: int) -> NDArray[np.float64]:
        """[B, A, count] numbers of this step, those of a network the same in any batch."""
        shape = num_networks, self._shape.num_agents
        return draw_per_agent(self._seed, self._settings.first_network, self._steps, shape, count=count)

    def _generator(self) -> torch.Generator:
        """Random numbers of this update."""
        generator = torch.Generator(self._settings.device)
        generator.manual_seed(int(fold_seed(self._seed, 0, 0, self._updates, STREAM_REPLAY)))
        return generator

    def _in_words(self, action: NDArray[Any]) -> str:
        if self._task.actions:
            return self._task.actions[int(action)]
        return " ".join(f"{number:+.2f}" for number in action)

    def _identity(self) -> dict[str, object]:
        return {**self._settings.model_dump(exclude={"device"}), "seed": self._seed}


def _uses_set(settings: LearnerConfig, shape: FeatureShape, task: TaskSpec) -> bool:
    if settings.network == "set" and not shape.num_slices:
        raise ConfigError("network", "set", f"'flat' or 'auto' for task {task.name!r}, which has no slices")
    return settings.network == "set" or (settings.network == "auto" and shape.num_slices > 0)


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError):
        raise ConfigError("device", device, "one that torch can use here, such as 'cpu'") from None
