"""Proximal policy optimisation: agents that share one policy and one critic, each with its own observation.

    ratio  = π(a|s) / π_old(a|s)
    L(θ)   = −mean min(ratio · Â, clip(ratio, 1 − ε, 1 + ε) · Â) + c_v · ½ mean (V(s) − target)² − c_e · mean H(π(·|s))
    target = A + V_old(s),   A by generalised advantage estimation (`gae.py`), Â its standard score in the minibatch

Options are drawn from a softmax. Numbers are normal, with one learned spread for each number (one for all seats where a
net over sets speaks of slices), and cut to [-1, 1] when they are executed; densities are those of the uncut numbers.
Every seat that is free is left out of density and entropy. The critic learns returns in units of their running mean and
deviation. An untaught policy's mean is 0 (equal shares), or what `start` says.
Source: Schulman et al., "Proximal policy optimization algorithms" (2017); details as in Stable-Baselines3.
Differs from source: parameters shared by agents; returns normalised (Yu et al. 2022); no schedule of rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from ranpilot.envs.controller import Action, Outcome
from ranpilot.learning.features import NAMES, Arrays, Features
from ranpilot.learning.flat_network import start_orthogonal
from ranpilot.learning.gae import advantages, explained_variance
from ranpilot.learning.learner import Learner, LearnerConfig, Pending, make_config
from ranpilot.learning.rollout import Rollout
from ranpilot.learning.running_moments import RunningMoments
from ranpilot.learning.slice_codes import SliceCodes
from ranpilot.learning.squashed_normal import normal_entropy, normal_log_prob

__all__ = ["Ppo", "PpoConfig", "make", "ppo_loss"]

POLICY, CRITIC = range(2)


class PpoConfig(LearnerConfig, frozen=True):
    """Parameters of proximal policy optimisation."""

    activation: Literal["relu", "tanh"] = "tanh"
    rollout_steps: Annotated[int, Field(ge=1, description="steps of every network between two updates")] = 25
    epochs: Annotated[int, Field(ge=1, description="times that an update goes through the rollout")] = 4
    minibatches: Annotated[int, Field(ge=1, description="parts of the rollout in an epoch, a gradient step each")] = 4
    trace: Annotated[float, Field(ge=0, le=1, description="λ of the advantages")] = 0.95
    clip: Annotated[float, Field(gt=0, le=1, description="ε, how far a ratio counts")] = 0.2
    value_weight: Annotated[float, Field(ge=0)] = 0.5
    entropy_weight: Annotated[float, Field(ge=0)] = 0.0
    most_gradient: Annotated[float, Field(gt=0, description="norm to which the gradient is clipped")] = 0.5
    first_log_std: Annotated[float, Field(ge=-5, le=2, description="log of the spread of an untaught policy")] = -1.0
    normalises_returns: Annotated[bool, Field(description="whether the critic learns returns in running units")] = True
    team_share: Annotated[
        float, Field(ge=0, le=1, description="0: each agent learns from its own reward, 1: all from the mean")
    ] = 0.0


class Scored(NamedTuple):
    """What nets say of remembered steps, [N, A] each."""

    log_prob: Tensor
    entropy: Tensor
    value: Tensor


def ppo_loss(
    scored: Scored, old_log_prob: Tensor, advantage: Tensor, target: Tensor, config: PpoConfig
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss and its metrics; old_log_prob, advantage, target: [N, A]; target in the critic's units."""
    standard = (advantage - advantage.mean()) / (advantage.std() + 1e-8) if advantage.numel() > 1 else advantage
    log_ratio = scored.log_prob - old_log_prob
    ratio = log_ratio.exp()
    surrogate = torch.minimum(ratio * standard, ratio.clamp(1 - config.clip, 1 + config.clip) * standard)
    policy_loss, entropy = -surrogate.mean(), scored.entropy.mean()
    value_loss = 0.5 * (scored.value - target).square().mean()
    loss = policy_loss + config.value_weight * value_loss - config.entropy_weight * entropy
    with torch.no_grad():
        metrics = {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "kl": (ratio - 1 - log_ratio).mean(),  # never negative (Schulman's third estimator)
            "clip_fraction": ((ratio - 1).abs() > config.clip).to(ratio.dtype).mean(),
        }
    return loss, metrics


class Ppo(Learner):
    """Proximal policy optimisation with a critic of each agent's own observation."""

    NAME = "ppo"

    def __init__(self, config: PpoConfig, codes: SliceCodes | None = None) -> None:
        super().__init__(config, codes)
        self.config = config

    def _build(self) -> None:
        config = self.config
        policy, critic = self._policy(1), self._value(with_action=False)
        root = 2.0**0.5
        start_orthogonal(policy, self._seed, POLICY, gain=root, last_gain=0.01)
        start_orthogonal(critic, self._seed, CRITIC, gain=root, last_gain=1.0)
        spread = nn.Module()
        size = 1 if self._uses_set else self._shape.action_size
        spread.log_std = nn.Parameter(torch.full((size,), config.first_log_std))
        nets: dict[str, nn.Module] = {"policy": policy, "critic": critic, "spread": spread}
        self._nets = {name: net.to(config.device) for name, net in nets.items()}
        self._actor, self._critic, self._spread = policy, critic, spread
        self._parameters = [part for net in self._nets.values() for part in net.parameters() if part.numel()]
        self._optimisers = {"adam": self._adam(self._parameters, epsilon=1e-5)}
        self._rollout = Rollout(config.rollout_steps)
        self._returns = RunningMoments()

    def _explore(self, features: Features) -> tuple[Action, Arrays]:
        outputs = self._outputs(features)
        num = len(features.local)
        if self._shape.num_options:
            uniform = torch.from_numpy(self._uniform(num, self._shape.num_options))
            gumbel = -(-uniform.log()).log()  # added to logits, the greatest is a draw from their softmax
            action = (outputs + gumbel.to(outputs)).argmax(dim=-1)
            executed: Action = action.cpu().numpy()
        else:
            noise = torch.special.ndtri(torch.from_numpy(self._uniform(num, self._shape.action_size))).to(outputs)
            action = (outputs + self._log_std().exp() * noise) * self._number_mask(features)
            executed = action.clamp(-1.0, 1.0).cpu().numpy()
        log_prob, _ = self._score(outputs, action, features)
        value = self._in_reward_units(self._critic(features))
        return executed, {"choice": action.cpu().numpy(), "log_prob": log_prob.cpu().numpy(), "value": value}

    def _best(self, features: Features) -> Action:
        outputs = self._outputs(features)
        best = outputs.argmax(dim=-1) if self._shape.num_options else outputs.clamp(-1.0, 1.0)
        if not self._shape.num_options:
            best = best * self._number_mask(features)
        return best.cpu().numpy()

    def _remember(self, pending: Pending, outcome: Outcome) -> None:
        reward = np.asarray(outcome.reward, dtype=np.float32)
        share = self.config.team_share
        reward = (1 - share) * reward + share * reward.mean(axis=1, keepdims=True)
        is_last = self._rollout.filled == self.config.rollout_steps - 1
        needs_value = outcome.done.any() or is_last
        next_value = self._value_of(outcome) if needs_value else np.zeros_like(reward)
        step: dict[str, NDArray[Any]] = {**pending.arrays, **pending.extra, "reward": reward, "next_value": next_value}
        self._rollout.add({**step, "terminated": outcome.terminated, "done": outcome.done})

    def _learn(self) -> None:
        if self._rollout.is_full:
            self._update()
            self._rollout.clear()

    def _update(self) -> None:
        """Several passes over the rollout."""
        config, rollout = self.config, self._rollout
        advantage = self._advantages()
        target = advantage + rollout["value"]
        self._metrics = {"explained_variance": explained_variance(rollout["value"], target)}
        if config.normalises_returns:
            self._returns.add(target)
        scaled = (target - np.float32(self._returns.mean)) / np.float32(self._returns.deviation)
        features = self._features(rollout.flat(*NAMES))
        device = config.device
        parts = [torch.as_tensor(a, device=device) for a in rollout.flat("choice", "log_prob").values()]
        parts += [torch.as_tensor(a.reshape(-1, a.shape[2]), device=device) for a in (advantage, scaled)]
        generator = self._generator()
        sums: dict[str, Tensor] = {}
        count = 0
        for _ in range(config.epochs):
            order = torch.randperm(len(parts[0]), generator=generator, device=device)
            for picked in order.chunk(config.minibatches):
                metrics = self._descend(Features(*(part[picked] for part in features)), [p[picked] for p in parts])
                sums = {name: value + sums.get(name, 0.0) for name, value in metrics.items()}
                count += 1
        self._updates += 1
        self._metrics.update({name: float(value.detach()) / count for name, value in sums.items()})
        self._metrics["return"] = float(target.mean())
        if not self._shape.num_options:
            self._metrics["spread"] = float(self._log_std().detach().exp().mean())

    def _descend(self, features: Features, parts: list[Tensor]) -> dict[str, Tensor]:
        """One gradient step on a minibatch; parts: choice, old log probability, advantage, target."""
        choice, old_log_prob, advantage, target = parts
        log_prob, entropy = self._score(self._outputs(features), choice, features)
        scored = Scored(log_prob, entropy, self._critic(features))
        loss, metrics = ppo_loss(scored, old_log_prob, advantage, target, self.config)
        self._optimisers["adam"].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        metrics["gradient"] = clip_grad_norm_(self._parameters, self.config.most_gradient)
        self._optimisers["adam"].step()
        return metrics

    def _advantages(self) -> NDArray[np.float32]:
        """[T, B, A]; the value of the next step stands for the successor's where no episode ended."""
        rollout = self._rollout
        value, next_value, done = rollout["value"], rollout["next_value"].copy(), rollout["done"]
        next_value[:-1] = np.where(done[:-1, :, None], next_value[:-1], value[1:])
        terminated = rollout["terminated"]
        config = self.config
        return advantages(
            rollout["reward"], value, next_value, terminated, done, gamma=config.gamma, trace=config.trace
        )

    def _outputs(self, features: Features) -> Tensor:
        """Logits [N, A, K] of options, or means [N, A, M] of numbers."""
        outputs: Tensor = self._actor(features)
        if self._shape.num_options:
            return outputs
        mean = outputs[..., 0]
        return mean if self._start is None else mean + features.start

    def _score(self, outputs: Tensor, choice: Tensor, features: Features) -> tuple[Tensor, Tensor]:
        """Log probability (or density) of what was chosen and entropy, [N, A] each."""
        if self._shape.num_options:
            log_probs = outputs.log_softmax(dim=-1)
            chosen = log_probs.gather(-1, choice[..., None])[..., 0]
            return chosen, -(log_probs.exp() * log_probs).sum(dim=-1)
        mask = self._number_mask(features)
        log_std = self._log_std().expand_as(outputs)
        return normal_log_prob(choice, outputs, log_std, mask), normal_entropy(log_std, mask)

    def _log_std(self) -> Tensor:
        log_std: Tensor = self._spread.log_std  # type: ignore[assignment]
        return log_std

    def _value_of(self, outcome: Outcome) -> NDArray[np.float32]:
        """[B, A] of the true successors, in units of reward."""
        with torch.no_grad():
            return self._in_reward_units(self._critic(self._features(self._see(outcome.next_obs))))

    def _in_reward_units(self, value: Tensor) -> NDArray[np.float32]:
        plain: NDArray[np.float32] = value.cpu().numpy()
        return plain * np.float32(self._returns.deviation) + np.float32(self._returns.mean)

    def _kept(self) -> dict[str, NDArray[Any]]:
        return {**self._rollout.arrays(), **self._returns.arrays("returns")}

    def _take(self, found: Mapping[str, NDArray[Any]]) -> None:
        self._rollout.restore(found)
        self._returns.restore("returns", found)


def make(settings: Mapping[str, object], codes: SliceCodes | None = None) -> Ppo:
    """The learner with some settings changed. Raises ConfigError for an unknown or bad one."""
    return Ppo(make_config(PpoConfig, Ppo.NAME, settings), codes)
