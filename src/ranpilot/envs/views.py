"""Batch environments as Gymnasium and PettingZoo see them: vector, single and parallel.

Spaces are plain. Every feature is normalised to [0, 1] by its declared bounds, as float32:

| view | observation | action | reward |
| --- | --- | --- | --- |
| vector | Box [B, A·D + G]: all agents' features, the central state | MultiDiscrete [B, A] | [B], the agents' sum |
| single | Box [A·D + G] | MultiDiscrete [A] | a number, the agents' sum |
| parallel | Box [D] for each agent; `state()` is the central state [G] | Discrete for each agent | a number each |

Tasks with slices have Dict observations and numbers for actions (`envs/spaces.py`); what tenants say is in `info`, as
`slice_text_ids`.

`info` holds, for the step just taken, `agent_reward`, `terms` and `counts` by name (each [B, A], [A] or a number).
After `reset` too it holds the `episode_index` of the observation and what agents are told, which is no part of the
observation: `notice_ids` ([B, N] or [N]), ids into `texts` with -1 for none; in the parallel view `notice`, the text or
None; and where reports can fail `report_age_s` and `is_unknown`. Episodes are cut by time alone: they end truncated,
never terminated. The vector view begins the next episode in the same step, with the true successor in
`info["final_obs"]` (`AutoresetMode.SAME_STEP`). `reset(seed=s)` begins episode 0 of seed s, `reset()` the next episode
of the seed in use (the same one where no step was taken in it), `options={"episode": n}` episode n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gymnasium
import numpy as np
from gymnasium import Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from ranpilot.envs.controller import Environment, Observation, Outcome
from ranpilot.envs.make import Split, make_batch, register_ids
from ranpilot.envs.spaces import Seen, agent_spaces, one, seen, seen_by_agent, spaces, state_space, take_action
from ranpilot.envs.words import describe
from ranpilot.errors import ActionError, ConfigError

if TYPE_CHECKING:
    from ranpilot.twin.scenario import Scenario

__all__ = ["ParallelView", "SingleView", "VectorView", "make", "make_single", "make_vec"]

Float32 = NDArray[np.float32]
Build = Callable[[int], Environment]
"""Makes the environment for a seed."""

RENDER_MODES = ("ansi",)
METADATA = {"render_modes": list(RENDER_MODES), "render_fps": 5}


class Clock:
    """A batch environment with what a view adds: a seed that can change, and resets that skip no episode."""

    def __init__(self, build: Build, seed: int) -> None:
        self._build = build
        self.seed = seed
        self.environment = build(seed)
        self.is_fresh = True
        """Whether no step was taken since the running episode began."""
        self.has_begun = False

    def begin(self, seed: int | None, options: Mapping[str, Any] | None) -> Observation:
        """Begin an episode as `reset` of every view promises."""
        if seed is not None:
            # Built first, so that a seed that cannot be used leaves everything as it was.
            self.environment = self._build(seed)
            self.seed, self.is_fresh, self.has_begun = seed, True, False
        episode = (options or {}).get("episode")
        if episode is not None:
            self.environment.reset(first_episode=_checked_episode(episode))
        elif self.has_begun and not self.is_fresh:
            self.environment.reset(first_episode=int(self.environment.observation.episode[0]) + 1)
        self.is_fresh, self.has_begun = True, True
        return self.environment.observation

    def step(self, action: object) -> Outcome:
        """One step of all networks; afterwards the next episode has begun where this one ended."""
        if not self.has_begun:
            raise ActionError("step", "before the first reset()", "preceded by reset()")
        outcome = self.environment.step(action)  # type: ignore[arg-type]  # the environment checks it
        self.is_fresh = bool(outcome.done[0])
        return outcome


class VectorView(VectorEnv[Any, Any, NDArray[Any]]):
    """Networks first_network … first_network + num_envs - 1 as a Gymnasium vector environment."""

    metadata: dict[str, Any] = {**METADATA, "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(self, build: Build, seed: int, render_mode: str | None = None) -> None:
        self._clock = Clock(build, seed)
        self.render_mode = _checked_render_mode(render_mode)
        self.num_envs = self.environment.num_networks
        self.single_observation_space, self.single_action_space = spaces(self.environment)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    @property
    def environment(self) -> Environment:
        """The native batch environment, for controllers."""
        return self._clock.environment

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Seen, dict[str, Any]]:
        """Begin an episode in every network; see the top of this file.

        Raises ConfigError for a seed that is not one integer.
        """
        if seed is not None and not isinstance(seed, int | np.integer):
            raise ConfigError("seed", seed, "one integer: networks of a batch differ by their id, not by their seed")
        super().reset(seed=seed)
        obs = self._clock.begin(seed, options)
        return seen(self.environment.spec, obs), _told(obs)

    def step(
        self, actions: Any
    ) -> tuple[Seen, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Execute [B, A]. Raises ActionError for a wrong shape, a NaN or an unknown option; nothing is stepped then."""
        outcome = self._clock.step(actions)
        spec, latest = self.environment.spec, self.environment.observation
        info: dict[str, Any] = {
            **_told(latest),
            "agent_reward": outcome.reward,
            "terms": {name: outcome.terms[:, :, k] for k, name in enumerate(spec.reward_terms)},
            "counts": dict(outcome.counts),
        }
        done = outcome.done
        if done.any():
            info["final_obs"], info["_final_obs"] = seen(spec, outcome.next_obs), done
            info["final_notice_ids"], info["_final_notice_ids"] = outcome.next_obs.notice_ids, done
        reward = np.asarray(outcome.reward.sum(axis=1), dtype=np.float64)
        return seen(spec, latest), reward, outcome.terminated.copy(), outcome.truncated.copy(), info

    def render(self) -> tuple[str, ...] | None:
        """The state of every network in words, where render_mode is `ansi`."""
        if self.render_mode is None:
            return None
        spec, obs = self.environment.spec, self.environment.observation
        return tuple(describe(spec, obs, network) for network in range(self.num_envs))


class SingleView(gymnasium.Env[Any, Any]):
    """One network as a Gymnasium environment for a controller that sees and does everything."""

    metadata: dict[str, Any] = METADATA

    def __init__(self, build: Build, seed: int, render_mode: str | None = None) -> None:
        self._clock = Clock(build, seed)
        self.render_mode = _checked_render_mode(render_mode)
        self.observation_space, self.action_space = spaces(self.environment)

    @property
    def environment(self) -> Environment:
        """The native batch environment of one network, for controllers."""
        return self._clock.environment

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Seen, dict[str, Any]]:
        """Begin an episode; see the top of this file."""
        super().reset(seed=seed)
        obs = self._clock.begin(seed, options)
        self._has_ended = False
        return one(seen(self.environment.spec, obs)), _told_one(obs)

    def step(self, action: Any) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Execute [A]. Raises ActionError for a wrong shape, a NaN, an unknown option or an episode that has ended."""
        if self._clock.has_begun and self._has_ended:
            raise ActionError("step", "after the end of an episode", "preceded by reset()")
        outcome = self._clock.step(take_action(action, self.environment.spec))
        self._has_ended = bool(outcome.done[0])
        spec = self.environment.spec
        info = {
            **_told_one(outcome.next_obs),
            "agent_reward": outcome.reward[0],
            "terms": {name: outcome.terms[0, :, k] for k, name in enumerate(spec.reward_terms)},
            "counts": {name: counts[0] for name, counts in outcome.counts.items()},
        }
        terminated, truncated = bool(outcome.terminated[0]), bool(outcome.truncated[0])
        return one(seen(spec, outcome.next_obs)), float(outcome.reward[0].sum()), terminated, truncated, info

    def render(self) -> str | None:
        """The state of the network in words, where render_mode is `ansi`."""
        return None if self.render_mode is None else describe(self.environment.spec, self.environment.observation, 0)


class ParallelView(ParallelEnv):  # type: ignore[misc]  # PettingZoo has no types
    """One network as a PettingZoo parallel environment: each agent sees its own features."""

    metadata: dict[str, Any] = {**METADATA, "name": "ranpilot"}  # noqa: RUF012

    def __init__(self, build: Build, seed: int, render_mode: str | None = None) -> None:
        self._clock = Clock(build, seed)
        self.render_mode = _checked_render_mode(render_mode)
        spec = self.environment.spec
        self.metadata = {**type(self).metadata, "name": f"{spec.name}-{spec.scenario}"}
        self.possible_agents = list(spec.agents)
        self.agents: list[str] = []
        # Spaces hold a random state of their own.
        each = {agent: agent_spaces(self.environment) for agent in spec.agents}
        self.observation_spaces = {agent: pair[0] for agent, pair in each.items()}
        self.action_spaces = {agent: pair[1] for agent, pair in each.items()}
        self.state_space = state_space(self.environment)
        self._latest = self.environment.observation

    @property
    def environment(self) -> Environment:
        """The native batch environment of one network, for controllers."""
        return self._clock.environment

    def observation_space(self, agent: str) -> Space[Any]:
        """The space of an agent's own features."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        """The space of an agent's options or numbers."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Seen], dict[str, dict[str, Any]]]:
        """Begin an episode; see the top of this file."""
        self._latest = self._clock.begin(seed, options)
        self.agents = list(self.possible_agents)
        return self._observations(), {agent: self._told(a) for a, agent in enumerate(self.agents)}

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Seen], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Execute one option for each agent. Raises ActionError where one is missing, unknown or not an option."""
        if self._clock.has_begun and not self.agents:
            raise ActionError("step", "after the end of an episode", "preceded by reset()")
        if sorted(actions) != sorted(self.possible_agents):
            raise ActionError("agents", sorted(actions), f"{sorted(self.possible_agents)}")
        outcome = self._clock.step(
            take_action([actions[agent] for agent in self.possible_agents], self.environment.spec)
        )
        self._latest = outcome.next_obs
        terms = self.environment.spec.reward_terms
        agents = self.agents
        infos = {
            agent: {
                **self._told(a),
                "agent_reward": float(outcome.reward[0, a]),
                "terms": {name: float(outcome.terms[0, a, k]) for k, name in enumerate(terms)},
                "counts": {name: float(counts[0, a]) for name, counts in outcome.counts.items()},
            }
            for a, agent in enumerate(agents)
        }
        if outcome.done[0]:
            self.agents = []
        return (
            self._observations(),
            {agent: float(outcome.reward[0, a]) for a, agent in enumerate(agents)},
            dict.fromkeys(agents, bool(outcome.terminated[0])),
            dict.fromkeys(agents, bool(outcome.truncated[0])),
            infos,
        )

    def state(self) -> Float32:
        """What a central controller may see besides, [G]."""
        state: Float32 = self._latest.state[0].astype(np.float32)
        return state

    def render(self) -> str | None:
        """The state of the network in words, where render_mode is `ansi`."""
        return None if self.render_mode is None else describe(self.environment.spec, self.environment.observation, 0)

    def close(self) -> None:
        """Nothing to release."""

    def _told(self, a: int) -> dict[str, Any]:
        """When it is, and what agent `a` is told."""
        latest = self._latest
        notice = int(latest.notice_ids[0, a]) if latest.notice_ids.shape[1] else -1
        told: dict[str, Any] = {"episode_index": int(latest.episode[0])}
        told["notice"] = latest.texts[notice] if notice >= 0 else None
        if latest.slice_text_ids.size:
            ids = latest.slice_text_ids[0, a]
            told["slice_texts"] = tuple(latest.texts[text] if text >= 0 else None for text in ids)
        return told | {name: value[0, a] for name, value in _reported(latest).items()}

    def _observations(self) -> dict[str, Seen]:
        spec = self.environment.spec
        return {agent: seen_by_agent(spec, self._latest, a) for a, agent in enumerate(self.possible_agents)}


def make(  # noqa: PLR0913  # one option each, as in `make_batch`
    scenario: str | Path | Scenario,
    task: str | None = None,
    *,
    seed: int = 0,
    view: Literal["single", "parallel"] = "single",
    load: str | None = None,
    split: Split = "train",
    variant: str | None = None,
    network: int = 0,
    render_mode: str | None = None,
) -> SingleView | ParallelView:
    """One network as a Gymnasium (`single`) or PettingZoo (`parallel`) environment.

    network: its id; row i of `make_vec` is the network `first_network + i`. For the rest see `make_batch`.
    """
    views: dict[str, type[SingleView | ParallelView]] = {"single": SingleView, "parallel": ParallelView}
    if view not in views:
        raise ConfigError("view", view, "'single' or 'parallel'")

    def build(with_seed: int) -> Environment:
        return make_batch(scenario, task, 1, with_seed, load=load, split=split, first_network=network, variant=variant)

    return views[view](build, seed, render_mode)


def make_vec(  # noqa: PLR0913  # one option each, as in `make_batch`
    scenario: str | Path | Scenario,
    task: str | None = None,
    num_envs: int = 1,
    *,
    seed: int = 0,
    load: str | None = None,
    split: Split = "train",
    variant: str | None = None,
    first_network: int = 0,
    render_mode: str | None = None,
) -> VectorView:
    """`num_envs` networks with ids from `first_network` on as a Gymnasium vector environment; see `make_batch`."""

    def build(with_seed: int) -> Environment:
        return make_batch(
            scenario, task, num_envs, with_seed, load=load, split=split, first_network=first_network, variant=variant
        )

    return VectorView(build, seed, render_mode)


def make_single(scenario: str, **options: Any) -> SingleView:
    """What Gymnasium's registry calls: `make` with view `single`."""
    made = make(scenario, view="single", **options)
    assert isinstance(made, SingleView)
    return made


def _told(obs: Observation) -> dict[str, Any]:
    """When it is, and what agents are told."""
    told = {"episode_index": obs.episode, "notice_ids": obs.notice_ids, "texts": obs.texts} | _reported(obs)
    return told | ({"slice_text_ids": obs.slice_text_ids} if obs.slice_text_ids.size else {})


def _told_one(obs: Observation) -> dict[str, Any]:
    """The same of one network."""
    told = {name: value if name == "texts" else value[0] for name, value in _told(obs).items()}
    return told | {"episode_index": int(obs.episode[0])}


def _reported(obs: Observation) -> dict[str, NDArray[Any]]:
    """[B, A] what agents know of the reports that their features are from, where reports can fail."""
    return {k: v for k in ("report_age_s", "is_unknown") if (v := getattr(obs, k)) is not None}


def _checked_episode(episode: Any) -> int:
    if not isinstance(episode, int | np.integer) or episode < 0:
        raise ConfigError("options.episode", episode, "a whole number of at least 0")
    return int(episode)


def _checked_render_mode(render_mode: str | None) -> str | None:
    if render_mode is not None and render_mode not in RENDER_MODES:
        raise ConfigError("render_mode", render_mode, f"None or one of {', '.join(RENDER_MODES)}")
    return render_mode


register_ids()
