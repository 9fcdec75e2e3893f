"""Soft actor-critic: agents that share one policy and two critics, each with its own observation and action.

    y   = r + γ (1 − terminated) [min_k Q̄_k(s', a') − α log π(a'|s')],   a' ~ π(·|s'); a time limit is no end
    Q_k ← Adam on mean (Q_k(s, a) − y)²,   Q̄_k ← τ Q_k + (1 − τ) Q̄_k
    π   ← Adam on mean [α log π(ã|s) − min_k Q_k(s, ã)],   ã = tanh(m(s) + σ(s) ξ), ξ ~ N(0, 1)
    α   ← Adam on −log α · mean [log π(ã|s) + H̄ · M],   M the numbers that count, H̄ the entropy wanted of each

An action is numbers in [-1, 1]; with slices, one for each seat, of which the task makes shares by a softmax. A free
seat is left out of density, entropy and critics. An untaught policy's mean is near 0 (equal shares), or what `start`
says. Updates follow network-steps: one for every `steps_per_update` of them, whatever the batch.
Source: Haarnoja et al., "Soft actor-critic algorithms and applications" (2018); details as in Stable-Baselines3.
Differs from source: parameters shared by agents; densities over the taken seats alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from ranpilot.envs.controller import Action, Outcome
from ranpilot.errors import ConfigError
from ranpilot.learning.draws import draw_per_agent
from ranpilot.learning.features import Arrays, Features
from ranpilot.learning.flat_network import start_default
from ranpilot.learning.learner import Learner, LearnerConfig, Pending, make_config
from ranpilot.learning.slice_codes import SliceCodes
from ranpilot.learning.squashed_normal import squash
from ranpilot.learning.transitions import Transitions
from ranpilot.twin.rng import STREAM_REPLAY

__all__ = ["Sac", "SacConfig", "make", "policy_loss", "soft_target", "temperature_loss"]

POLICY, FIRST_CRITIC, SECOND_CRITIC = range(3)
LOG_STD_RANGE = (-5.0, 2.0)


class SacConfig(LearnerConfig, frozen=True):
    """Parameters of soft actor-critic."""

    tau: Annotated[float, Field(gt=0, le=1, description="share of the critics that their targets take on")] = 0.005
    minibatch: Annotated[int, Field(ge=1, le=65_536, description="agents' steps of an update, about")] = 256
    replay_steps: Annotated[int, Field(ge=1, description="network-steps that are remembered")] = 50_000
    learn_after: Annotated[int, Field(ge=1, description="network-steps with random actions before learning")] = 1_000
    steps_per_update: Annotated[float, Field(gt=0, description="network-steps for each update")] = 8.0
    first_alpha: Annotated[float, Field(gt=0, description="weight of the entropy at first")] = 0.02
    learns_alpha: Annotated[bool, Field(description="whether that weight follows the entropy wanted")] = True
    number_entropy: Annotated[float, Field(description="entropy wanted of each number, in nats")] = -1.0


def soft_target(reward: Tensor, discount: Tensor, next_value: Tensor, next_log_prob: Tensor, alpha: Tensor) -> Tensor:
    """y [N, A]; discount: [N, 1], γ or 0 where the episode terminated; next_value: the least of both targets."""
    return reward + discount * (next_value - alpha * next_log_prob)


def policy_loss(log_prob: Tensor, value: Tensor, alpha: Tensor) -> Tensor:
    """Of sampled actions; all [N, A]."""
    return (alpha * log_prob - value).mean()


def temperature_loss(log_alpha: Tensor, log_prob: Tensor, wanted: Tensor) -> Tensor:
    """Its gradient raises α where the entropy −log_prob is below the one wanted; [N, A] both."""
    return -(log_alpha * (log_prob + wanted)).mean()


class Sac(Learner):
    """Soft actor-critic with critics of each agent's own observation and action."""

    NAME = "sac"

    def __init__(self, config: SacConfig, codes: SliceCodes | None = None) -> None:
        super().__init__(config, codes)
        self.config = config

    def _build(self) -> None:
        config, task = self.config, self._task
        if not task.action_size:
            raise ConfigError(
                "task", task.name, f"one whose actions are numbers for {self.NAME}; ppo and dqn take options"
            )
        names = ("critic_1", "critic_2", "target_1", "target_2")
        self._actor = self._policy(2)
        start_default(self._actor, self._seed, POLICY)
        with torch.no_grad():
            for part in self._actor.head.parameters():
                part.mul_(0.1)  # means near 0, so that an untaught policy is near its start
        critics = [self._value(with_action=True) for _ in names]
        for critic, number in zip(critics, (FIRST_CRITIC, SECOND_CRITIC) * 2, strict=True):
            start_default(critic, self._seed, number)
        temperature = nn.Module()
        temperature.log_alpha = nn.Parameter(torch.tensor(config.first_alpha).log())
        nets = {"policy": self._actor, **dict(zip(names, critics, strict=True)), "temperature": temperature}
        self._nets = {name: net.to(config.device) for name, net in nets.items()}
        self._critics, self._targets = critics[:2], critics[2:]
        self._critic_parameters = [part for net in self._critics for part in net.parameters()]
        self._actor_parameters = list(self._actor.parameters())
        self._optimisers = {
            "adam_policy": self._adam(self._actor_parameters, epsilon=1e-8),
            "adam_critics": self._adam(self._critic_parameters, epsilon=1e-8),
            "adam_temperature": self._adam(list(temperature.parameters()), epsilon=1e-8),
        }
        self._transitions = Transitions(config.replay_steps)
        self._batch = -(-config.minibatch // task.num_agents)

    def _explore(self, features: Features) -> tuple[Action, Arrays]:
        num, size = len(features.local), self._shape.action_size
        mask = self._number_mask(features).cpu().numpy()
        uniform = self._uniform(num, size)
        if self._transitions.added < self.config.learn_after:
            return (2.0 * uniform - 1.0).astype(np.float32) * mask, {}
        mean, log_std = self._outputs(features)
        noise = torch.special.ndtri(torch.from_numpy(uniform)).to(mean)
        return torch.tanh(mean + log_std.exp() * noise).cpu().numpy() * mask, {}

    def _best(self, features: Features) -> Action:
        mean, _ = self._outputs(features)
        return (torch.tanh(mean) * self._number_mask(features)).cpu().numpy()

    def _remember(self, pending: Pending, outcome: Outcome) -> None:
        following = {f"next_{name}": array for name, array in _small(self._see(outcome.next_obs)).items()}
        executed = np.asarray(outcome.action, dtype=np.float32)
        discount = np.where(outcome.terminated, 0.0, self.config.gamma).astype(np.float32)[:, None]
        reward = np.asarray(outcome.reward, dtype=np.float32)
        own = {"action": executed, "reward": reward, "discount": discount}
        self._transitions.add({**_small(pending.arrays), **following, **own})

    def _learn(self) -> None:
        added = self._transitions.added
        if added < self.config.learn_after:
            return
        due = int((added - self.config.learn_after) / self.config.steps_per_update)
        while self._updates < due:
            self._update()

    def _update(self) -> None:
        """One gradient step of critics, policy and temperature."""
        config = self.config
        numbers = draw_per_agent(self._seed, 0, self._updates, (1, 1), count=self._batch, stream=STREAM_REPLAY)
        found = self._transitions.pick(numbers[0, 0])
        action, reward, discount = (
            torch.as_tensor(found.pop(name), device=config.device) for name in ("action", "reward", "discount")
        )
        following = self._features({k.removeprefix("next_"): found.pop(k) for k in list(found) if k[:5] == "next_"})
        features, generator = self._features(found), self._generator()
        alpha = self._log_alpha().detach().exp()
        with torch.no_grad():
            next_action, next_log_prob = self._sample(following, generator)
            next_value = torch.minimum(*(target(following, next_action) for target in self._targets))
            target = soft_target(reward, discount, next_value, next_log_prob, alpha)
        self._metrics = self._descend_critics(features, action, target)
        self._metrics.update(self._descend_policy(features, generator, alpha))
        self._updates += 1
        with torch.no_grad():
            for slow, critic in zip(self._targets, self._critics, strict=True):
                torch._foreach_lerp_(list(slow.parameters()), list(critic.parameters()), config.tau)

    def _descend_critics(self, features: Features, action: Tensor, target: Tensor) -> dict[str, float]:
        values = [critic(features, action) for critic in self._critics]
        loss = sum(((value - target).square().mean() for value in values), torch.zeros((), device=target.device))
        self._step("adam_critics", loss, self._critic_parameters)
        error = (values[0] - target).detach()
        return {
            "critic_loss": float(loss.detach()) / 2,
            "value": float(values[0].detach().mean()),
            "td_error": float(error.abs().mean()),
            "td_variance": float(error.var(correction=0)),
        }

    def _descend_policy(self, features: Features, generator: torch.Generator, alpha: Tensor) -> dict[str, float]:
        action, log_prob = self._sample(features, generator)
        value = torch.minimum(*(critic(features, action) for critic in self._critics))
        loss = policy_loss(log_prob, value, alpha)
        self._step("adam_policy", loss, self._actor_parameters)
        wanted = self.config.number_entropy * self._number_mask(features).sum(dim=-1)
        if self.config.learns_alpha:
            temperature = self._log_alpha()
            self._step("adam_temperature", temperature_loss(temperature, log_prob.detach(), wanted), [temperature])
        return {
            "policy_loss": float(loss.detach()),
            "alpha": float(alpha),
            "entropy": -float(log_prob.detach().mean()),
            "entropy_wanted": float(wanted.mean()),
        }

    def _step(self, optimiser: str, loss: Tensor, parameters: list[nn.Parameter]) -> None:
        """One step on those parameters alone: a policy's loss leaves no gradient in the critics."""
        for part, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            part.grad = gradient
        self._optimisers[optimiser].step()

    def _sample(self, features: Features, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Actions [N, A, M] with gradients to the policy, and their log density [N, A]."""
        mean, log_std = self._outputs(features)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        return squash(mean, log_std, noise, self._number_mask(features))

    def _outputs(self, features: Features) -> tuple[Tensor, Tensor]:
        """Mean and log spread of the numbers before the squashing, [N, A, M] each."""
        outputs = self._actor(features)
        mean, log_std = outputs[..., 0], outputs[..., 1].clamp(*LOG_STD_RANGE)
        return (mean if self._start is None else mean + torch.atanh(features.start)), log_std

    def _log_alpha(self) -> nn.Parameter:
        log_alpha: nn.Parameter = self._nets["temperature"].log_alpha  # type: ignore[assignment]
        return log_alpha

    def _kept(self) -> dict[str, NDArray[Any]]:
        return self._transitions.arrays()

    def _take(self, found: Mapping[str, NDArray[Any]]) -> None:
        self._transitions.restore(found)


def _small(arrays: Arrays) -> Arrays:
    """What is remembered, at half the size: features of slices are within [0, 1], where half precision is enough."""
    return {**arrays, "slices": arrays["slices"].astype(np.float16)}


def make(settings: Mapping[str, object], codes: SliceCodes | None = None) -> Sac:
    """The learner with some settings changed. Raises ConfigError for an unknown or bad one."""
    return Sac(make_config(SacConfig, Sac.NAME, settings), codes)
