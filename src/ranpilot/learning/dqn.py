"""Independent deep Q-networks: one small net for each agent of each network, all of them as one batch of tensors.

    y = r + γ max_a' Q_target(s', a')     without the second term where the episode terminated; a time limit is no end
    θ ← Adam(θ, ∇ mean over the minibatch of Huber(Q(s, a) − y)),   gradient of each net clipped to norm 10
    Q_target ← Q                          every `target_every` steps

A state is the agent's features as continuous numbers in [0, 1], optionally with its nearest neighbour's; nets have two
hidden layers of rectified units. One update a step, from a replay memory of the agent's own steps; exploration falls
like the tables'. No double Q-learning, no duelling heads, no prioritised replay.

The nets share nothing: losses are added, never averaged, over nets. Every random number (first weights, exploration,
replay) is a function of (seed, network id, agent, step). PyTorch runs on one thread. A network so learns the same alone
and in any batch, to the last bit where the matrix library multiplies each net by itself (tested on x86 with MKL).
Source: Mnih et al., "Human-level control through deep reinforcement learning", Nature 518 (2015).
Differs from source: Adam and Huber loss as in Stable-Baselines3's DQN, which the update equals; no image layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError, model_validator

from ranpilot.envs.controller import Decision, FloatArray, Observation, Outcome, TaskSpec, WhatIf
from ranpilot.errors import ActionError, CheckpointError, ConfigError, MissingExtraError
from ranpilot.learning.draws import draw_per_agent
from ranpilot.learning.q_table import decay_epsilon
from ranpilot.learning.replay import Replay
from ranpilot.runs.arrays import read_arrays, save_arrays
from ranpilot.twin.rng import STREAM_REPLAY, STREAM_WEIGHTS
from ranpilot.validation import as_config_error

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PARTS", "Dqn", "DqnConfig", "adam", "clip_gradient", "forward", "make_config", "td_loss", "td_target"]

Share = Annotated[float, Field(ge=0, le=1)]
Float32 = NDArray[np.float32]

PARTS = ("weight", "target", "first_moment", "second_moment")
"""What is kept for each net, [N, P] each: parameters, those of the target net, Adam's moments."""

EXPLORE, RANDOM_OPTION = range(2)
BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-8


class DqnConfig(BaseModel, frozen=True, extra="forbid"):
    """Parameters of the nets and of their learning; exploration has the tables' schedule."""

    train_episodes: Annotated[int, Field(ge=0, description="episodes before exploration stops")] = 500
    first_network: Annotated[int, Field(ge=0, description="id of the batch's first network, for random numbers")] = 0
    neighbour_features: Annotated[bool, Field(description="the nearest neighbour's features join the agent's own")] = (
        False
    )
    hidden: Annotated[int, Field(ge=1, le=512, description="units of each of the two hidden layers")] = 32
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-4
    gamma: Share = 0.95
    minibatch: Annotated[int, Field(ge=1, le=4096, description="steps of an update")] = 32
    replay_steps: Annotated[int, Field(ge=1, description="steps that each agent remembers")] = 10_000
    learn_after: Annotated[int, Field(ge=1, description="steps before the first update")] = 200
    target_every: Annotated[int, Field(ge=1, description="steps between two copies to the target net")] = 250
    most_gradient: Annotated[float, Field(gt=0, description="norm to which a net's gradient is clipped")] = 10.0
    epsilon_start: Annotated[float, Field(gt=0, le=1)] = 1.0
    epsilon_end: Annotated[float, Field(gt=0, le=1)] = 0.05
    epsilon_share: Annotated[float, Field(gt=0, le=1, description="part of the training in which epsilon falls")] = 0.6

    @model_validator(mode="after")
    def _ranges_in_order(self) -> Self:
        if self.epsilon_end > self.epsilon_start:
            raise ConfigError("epsilon_end", self.epsilon_end, f"at most epsilon_start ({self.epsilon_start:g})")
        return self


def make_config(settings: Mapping[str, object]) -> DqnConfig:
    """The config with some settings changed. Raises ConfigError for an unknown or bad one."""
    try:
        return DqnConfig.model_validate(dict(settings))
    except ValidationError as report:
        raise as_config_error(report, DqnConfig, prefix="dqn") from None


def layer_shapes(num_features: int, hidden: int, num_options: int) -> tuple[tuple[int, int], ...]:
    """Inputs and outputs of the three layers."""
    return (num_features, hidden), (hidden, hidden), (hidden, num_options)


def split_layers(flat: Tensor, shapes: tuple[tuple[int, int], ...]) -> list[Tensor]:
    """Views of the parameters [N, P] as weights [N, in, out] and biases [N, 1, out] in turn."""
    views, start = [], 0
    for rows, columns in shapes:
        views.append(flat[:, start : start + rows * columns].view(-1, rows, columns))
        start += rows * columns
        views.append(flat[:, None, start : start + columns])
        start += columns
    return views


def forward(layers: list[Tensor], features: Tensor) -> Tensor:
    """Q-values [N, M, K] of features [N, M, D]."""
    import torch

    hidden = features
    for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        hidden = torch.relu(torch.baddbmm(bias, hidden, weight))
    return torch.baddbmm(layers[-1], hidden, layers[-2])


def td_target(reward: Tensor, discount: Tensor, next_values: Tensor) -> Tensor:
    """r + γ max Q_target(s', ·), [N, M]; discount is γ, or 0 where the episode terminated; next_values [N, M, K]."""
    return reward + discount * next_values.amax(dim=2)


def td_loss(values: Tensor, option: Tensor, target: Tensor) -> Tensor:
    """Mean Huber loss of each net, [N]; values [N, M, K], option and target [N, M]."""
    from torch.nn.functional import smooth_l1_loss

    chosen = values.gather(2, option[:, :, None])[:, :, 0]
    return smooth_l1_loss(chosen, target, reduction="none").mean(dim=1)


def clip_gradient(gradient: Tensor, most: float) -> None:
    """Scale the gradient [N, P] of every net down to norm `most`, in place."""
    norm = (gradient * gradient).sum(dim=1, keepdim=True).sqrt()
    gradient.mul_((most / (norm + 1e-6)).clamp(max=1.0))


def adam(weight: Tensor, gradient: Tensor, moments: tuple[Tensor, Tensor], update: int, rate: float) -> None:
    """One step of Adam on [N, P], in place; update counts from 1."""
    first, second = moments
    first.mul_(BETAS[0]).add_(gradient, alpha=1 - BETAS[0])
    second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
    step = rate / (1 - BETAS[0] ** update)
    spread = (second / (1 - BETAS[1] ** update)).sqrt_().add_(ADAM_EPSILON)
    weight.addcdiv_(first, spread, value=-step)


class Dqn:
    """Deep Q-learning agents of B networks with A agents each; network b has id first_network + b."""

    def __init__(self, config: DqnConfig) -> None:
        self.config = config

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Begin untaught. Raises MissingExtraError without PyTorch, ConfigError where a neighbour is missing."""
        _require_torch()
        self._task, self._seed = task, seed
        self._shape = (num_networks, task.num_agents)
        self._neighbour = _nearest(task) if self.config.neighbour_features else None
        num_features = len(task.features) * (1 if self._neighbour is None else 2)
        self._layers = layer_shapes(num_features, self.config.hidden, task.num_actions)
        num_nets = num_networks * task.num_agents
        first = _first_weights(self._layers, seed, self.config.first_network, self._shape)
        nothing = np.zeros_like(first)
        self._parts = dict(zip(PARTS, (first, first.copy(), nothing, nothing.copy()), strict=True))
        self._replay = Replay(self.config.replay_steps, num_nets, num_features)
        self._steps = 0
        self._pending: tuple[Float32, NDArray[np.int64], NDArray[np.bool_], Observation] | None = None
        self._reward: FloatArray | None = None
        self._share_memory()

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """One option for each agent of each network, [B, A]."""
        import torch

        features = self._features(obs)
        with torch.no_grad():
            values = forward(self._own, torch.from_numpy(features)[:, None, :])
        own = values[:, 0].argmax(dim=1).numpy().reshape(self._shape)
        config = self.config
        numbers = draw_per_agent(self._seed, config.first_network, self._steps, self._shape)
        epsilon = decay_epsilon(
            np.asarray(obs.episode),
            config.train_episodes,
            start=config.epsilon_start,
            end=config.epsilon_end,
            share=config.epsilon_share,
        )
        explored = numbers[:, :, EXPLORE] < epsilon[:, None]
        random_option = (numbers[:, :, RANDOM_OPTION] * self._task.num_actions).astype(np.int64)
        executed = np.where(explored, random_option, own)
        self._pending = features, executed, explored, obs
        self._reward = None
        return executed

    def observe(self, outcome: Outcome) -> None:
        """Remember the step and learn from a minibatch of remembered ones."""
        if self._pending is None:
            raise ActionError("act", None, "called before observe")
        discount = np.where(outcome.terminated, 0.0, self.config.gamma)
        self._replay.add(
            self._pending[0],
            np.asarray(outcome.action, dtype=np.int64).ravel(),
            np.asarray(outcome.reward, dtype=np.float32).ravel(),
            np.repeat(discount.astype(np.float32), self._shape[1]),
            self._features(outcome.next_obs),
        )
        self._reward = outcome.reward
        self._steps += 1
        if self._steps > self.config.learn_after:
            self._update()
        if self._steps % self.config.target_every == 0:
            self._parts["target"][...] = self._parts["weight"]

    def explain(self, network: int) -> tuple[Decision, ...]:
        """The last decision of each agent of the network at that place of the batch; empty before the first."""
        if self._pending is None:
            return ()
        _, executed, explored, obs = self._pending
        reward = self._reward
        decisions = []
        for agent, name in enumerate(self._task.agents):
            option = self._task.actions[int(executed[network, agent])]
            why = f"Tried {option!r} at random to learn." if explored[network, agent] else f"Own choice {option!r}."
            decisions.append(
                Decision(
                    network=self.config.first_network + network,
                    agent=name,
                    slot=int(obs.slot[network]),
                    suggested=None,
                    adviser=None,
                    own=option,
                    executed=option,
                    followed=False,
                    trust=None,
                    why=why,
                    reward=None if reward is None else float(reward[network, agent]),
                )
            )
        return tuple(decisions)

    def save(self, folder: Path) -> None:
        """Write nets, moments, replay memory and step, atomically."""
        arrays = {**self._parts, **self._replay.arrays(), "steps": np.array(self._steps)}
        save_arrays(folder / "dqn.npz", self._identity(), arrays)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, after a `reset` with the same task, batch and seed.

        Raises CheckpointError where it is missing, damaged or of another configuration.
        """
        path = folder / "dqn.npz"
        found = read_arrays(path, self._identity())
        for name, own in self._parts.items():
            if found[name].shape != own.shape:
                remedy = f"this task and batch need {own.shape}"
                raise CheckpointError(str(path), f"{name} is {found[name].shape}", remedy)
        for name, own in self._parts.items():
            own[...] = found[name]
        self._steps = int(found["steps"])
        self._replay.restore(found)
        self._pending, self._reward = None, None

    def _update(self) -> None:
        """One gradient step of every net."""
        import torch

        config = self.config
        count = config.minibatch
        numbers = draw_per_agent(
            self._seed, config.first_network, self._steps, self._shape, count=count, stream=STREAM_REPLAY
        )
        picked = self._replay.pick(numbers.reshape(-1, count))
        state, option, reward, discount, next_state = (torch.from_numpy(array) for array in picked)
        with torch.no_grad():
            target = td_target(reward, discount, forward(self._target, next_state))
        # Added over the nets, so that no net's gradient depends on how many there are.
        loss = td_loss(forward(self._own, state), option, target).sum()
        gradient = torch.cat([part.flatten(1) for part in torch.autograd.grad(loss, self._own)], dim=1)
        clip_gradient(gradient, config.most_gradient)
        update = self._steps - config.learn_after
        with torch.no_grad():
            adam(self._weight, gradient, self._moments, update, config.learning_rate)

    def _share_memory(self) -> None:
        """Tensors over the same memory as the arrays that are saved."""
        import torch

        self._weight = torch.from_numpy(self._parts["weight"])
        self._own = [layer.requires_grad_() for layer in split_layers(self._weight.detach(), self._layers)]
        self._target = split_layers(torch.from_numpy(self._parts["target"]), self._layers)
        self._moments = torch.from_numpy(self._parts["first_moment"]), torch.from_numpy(self._parts["second_moment"])

    def _features(self, obs: Observation) -> Float32:
        """What the nets see, [N, D]."""
        local = np.asarray(obs.local, dtype=np.float32)
        if self._neighbour is not None:
            local = np.concatenate([local, local[:, self._neighbour]], axis=2)
        return np.ascontiguousarray(local.reshape(-1, local.shape[2]))

    def _identity(self) -> dict[str, object]:
        return {**self.config.model_dump(), "seed": self._seed}


def _first_weights(
    layers: tuple[tuple[int, int], ...], seed: int, first_network: int, shape: tuple[int, int]
) -> Float32:
    """Parameters [N, P], uniform within 1 / √inputs like `torch.nn.Linear`'s."""
    bound = np.concatenate([np.full(rows * columns + columns, rows**-0.5) for rows, columns in layers])
    numbers = draw_per_agent(seed, first_network, 0, shape, count=len(bound), stream=STREAM_WEIGHTS)
    weights: Float32 = ((2 * numbers - 1) * bound).reshape(-1, len(bound)).astype(np.float32)
    return weights


def _nearest(task: TaskSpec) -> NDArray[np.int64]:
    """The nearest neighbour of every agent, [A]."""
    for agent, near in zip(task.agents, task.neighbours, strict=True):
        if not near:
            raise ConfigError(f"neighbours of {agent!r}", (), "at least one, since their features are seen")
    return np.array([near[0] for near in task.neighbours])


def _require_torch() -> None:
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("torch", "The controller dqn", "pip install 'ranpilot[learn]'") from None
    torch.set_num_threads(1)
