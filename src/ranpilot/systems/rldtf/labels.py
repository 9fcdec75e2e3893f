"""Labels: what each action would bring in a state of a running network, tried on copies of it.

Networks run under a mix of heuristics, so that states are varied. In picked states of picked agents every action is
tried: the agent takes it for `hold_steps` steps and then follows the heuristic `afterwards`, which all other agents
follow from the start; the label is the team's discounted reward over `horizon_steps` steps, on `draws` fresh futures
that all actions share, so that two actions that do the same have the same label. A state with an announcement is taken
0.5 to 1.5 s before the event starts and is labelled twice, with the event and, where that is compared, with it off.

Labels come in chunks, each from networks of its own, kept in one file each: an interrupted run goes on, and what a
chunk holds depends on nothing but its settings and number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import (
    Action,
    Controller,
    Environment,
    FloatArray,
    IntArray,
    Observation,
    TaskSpec,
    WhatIf,
)
from ranpilot.envs.make import make_batch
from ranpilot.envs.twin_what_if import TwinWhatIf
from ranpilot.errors import ConfigError
from ranpilot.heuristics import HEURISTICS
from ranpilot.runs.arrays import read_arrays, save_arrays
from ranpilot.systems.rldtf.config import LabelConfig
from ranpilot.systems.rldtf.picking import Picker, Picks

__all__ = ["Labels", "join", "label_chunk", "make_labels", "spec_of"]

VERSION = 1
"""Raised when the same settings give other labels."""


@dataclass(frozen=True)
class Labels:
    """N labelled states: what was seen there, and the return of every action on every draw."""

    local: FloatArray
    """[N, A, D] as in `Observation`"""
    state: FloatArray
    """[N, G]"""
    agent: IntArray
    """[N] who acts"""
    network: IntArray
    """[N] id of the network"""
    step: IntArray
    """[N] control step of the episode"""
    text: NDArray[np.str_]
    """[N] the announcement at the agent's site, empty for none"""
    lead_s: FloatArray
    """[N] time until what is announced starts; NaN for none"""
    returns: FloatArray
    """[N, K, M] of each action on each draw"""
    returns_calm: FloatArray
    """[N, K, M] with the coming event called off; NaN where nothing is announced or nobody asked for it"""

    def __len__(self) -> int:
        return len(self.agent)

    @property
    def mean(self) -> NDArray[np.float64]:
        """[N, K] mean return of each action."""
        result: NDArray[np.float64] = np.asarray(self.returns, dtype=np.float64).mean(axis=2)
        return result

    @property
    def mean_calm(self) -> NDArray[np.float64]:
        """[N, K] mean return of each action without the announced event; where nothing is announced, `mean`."""
        calm = np.asarray(self.returns_calm, dtype=np.float64).mean(axis=2)
        return np.where(self.has_notice[:, None], calm, self.mean)

    @property
    def has_notice(self) -> NDArray[np.bool_]:
        """[N] whether something is announced."""
        return np.asarray(self.text != "")

    @property
    def spread(self) -> float:
        """Mean over states of the standard deviation of the actions' mean returns: the scale of what is at stake."""
        return float(self.mean.std(axis=1).mean())

    def observation(self, texts: Sequence[str] = ()) -> Observation:
        """The states as one batch, without announcements."""
        count = len(self)
        zeros = np.zeros(count, dtype=np.int64)
        return Observation(
            local=self.local, state=self.state, slot=zeros, first=zeros.astype(np.bool_), episode=zeros,
            notice_ids=np.zeros((count, 0), dtype=np.int64), texts=tuple(texts),
        )  # fmt: skip

    def take(self, rows: IntArray | slice) -> Labels:
        """Some of the states."""
        return Labels(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def hash(self) -> str:
        """Hash of everything in here."""
        digest = hashlib.sha256()
        for field in fields(self):
            values = np.ascontiguousarray(getattr(self, field.name))
            digest.update(f"{field.name} {values.dtype.str} {values.shape}".encode())
            digest.update(values.tobytes())
        return digest.hexdigest()


def join(parts: Sequence[Labels]) -> Labels:
    """All states of all parts, in order."""
    return Labels(**{field.name: np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(Labels)})


def make_labels(
    config: LabelConfig, num_states: int, folder: Path, *, on_chunk: Callable[[int], None] | None = None
) -> Labels:
    """The first `num_states` labels of these settings; what `folder` holds of them already is read.

    on_chunk: told the number of states so far after every chunk; what it raises ends the work, and the chunk is kept.
    Raises CheckpointError for a damaged or foreign chunk.
    """
    if num_states < 1:
        raise ConfigError("labels.states", num_states, "at least 1")
    parts: list[Labels] = []
    count = 0
    while count < num_states:
        path, identity = folder / f"chunk-{len(parts):04d}.npz", _identity(config, len(parts))
        if path.exists():
            found: dict[str, Any] = dict(read_arrays(path, identity))
            part = Labels(**found)
        else:
            part = label_chunk(config, len(parts))
            save_arrays(path, identity, {field.name: getattr(part, field.name) for field in fields(part)})
        if len(part) == 0:
            if config.told:
                raise ConfigError("labels.told", config.told, f"kinds that networks of {config.scenario!r} are told of")
            raise ConfigError("labels.picks", config.picks, "at least 1 where nothing is announced")
        parts.append(part)
        count += len(part)
        if on_chunk is not None:
            on_chunk(min(count, num_states))
    return join(parts).take(slice(0, num_states))


def label_chunk(config: LabelConfig, chunk: int) -> Labels:
    """The labels of one batch of networks over one episode, in random order; depends on settings and number alone."""
    env = _environment(config, chunk)
    rng = np.random.default_rng([config.seed, VERSION, len(config.split), chunk])
    picker = Picker(env, config.picks, rng, config.told)
    behaviour = _Mix(env.spec, env.num_networks, config.behaviour, rng)
    parts: list[Labels] = []
    for step in range(env.spec.episode_steps):
        picks = picker.at(step)
        if len(picks):
            parts.append(_label(env, config, picks, chunk * config.networks, step))
        if picker.is_done(step):
            break
        env.step(behaviour.act(env.observation))
    whole = join(parts) if parts else _label(env, config, picker.nobody(), 0, 0)
    return whole.take(rng.permutation(len(whole)))


def spec_of(config: LabelConfig) -> TaskSpec:
    """What is seen and done in the networks that the labels are from."""
    return make_batch(config.scenario, config.task, 1, config.seed, load=config.load, split=config.split).spec


def _environment(config: LabelConfig, chunk: int) -> Environment:
    count = config.networks
    return make_batch(
        config.scenario, config.task, count, config.seed, load=config.load, split=config.split,
        first_network=chunk * count,
    )  # fmt: skip


def _identity(config: LabelConfig, chunk: int) -> dict[str, object]:
    return {"labels": json.dumps(config.model_dump(mode="json"), sort_keys=True), "version": VERSION, "chunk": chunk}


def _label(env: Environment, config: LabelConfig, picks: Picks, first_network: int, step: int) -> Labels:
    """Try every action in the picked states."""
    obs = env.observation
    rolled = _roll(env, config, picks, without_events=False)
    calm = np.full_like(rolled, np.nan)
    told = np.flatnonzero(picks.has_notice)
    if len(told) and config.is_compared:
        calm[told] = _roll(env, config, picks.take(told), without_events=True)
    rows = picks.network
    return Labels(
        local=np.asarray(obs.local[rows], dtype=np.float64),
        state=np.asarray(obs.state[rows], dtype=np.float64),
        agent=picks.agent,
        network=first_network + rows,
        step=np.full(len(rows), step, dtype=np.int64),
        text=np.array([obs.texts[i] if i >= 0 else "" for i in picks.text_id], dtype="<U256"),
        lead_s=picks.lead_s,
        returns=rolled.astype(np.float32),
        returns_calm=calm.astype(np.float32),
    )


def _roll(env: Environment, config: LabelConfig, picks: Picks, *, without_events: bool) -> NDArray[np.float64]:
    """Return [n, K, M] of every action of each picked agent."""
    spec, count = env.spec, len(picks)
    what_if: WhatIf | None = TwinWhatIf(_CalledOff(env)) if without_events else env.what_if
    if what_if is None:
        raise ConfigError("labels.scenario", config.scenario, "one whose networks can be copied")
    tried = np.arange(spec.num_actions)
    others = _heuristic(config.afterwards, spec, env.num_networks, config.seed).act(env.observation)[picks.network]
    joint: NDArray[np.int64] = np.repeat(others[:, :, None], spec.num_actions, axis=2).astype(np.int64)  # [n, A, K]
    joint[np.arange(count), picks.agent] = tried
    if count == 0:
        return np.zeros((0, spec.num_actions, config.draws))
    # The copies are in the order (state, action, draw).
    agent = np.repeat(picks.agent, spec.num_actions * config.draws)
    held = np.tile(np.repeat(tried, config.draws), count)
    then = _Hold(_heuristic(config.afterwards, spec, len(agent), config.seed), agent, held, config.hold_steps)
    return np.asarray(
        what_if.roll(
            joint, config.horizon_steps, config.draws, then=then, networks=picks.network, discount=config.discount
        ),
        dtype=np.float64,
    )


class _Hold:
    """The tried agent repeats its action for the first steps; then it does as a heuristic, as all others always."""

    def __init__(self, heuristic: Controller, agent: IntArray, option: IntArray, hold_steps: int) -> None:
        self._heuristic, self._agent, self._option, self._left = heuristic, agent, option, hold_steps - 1

    def __call__(self, obs: Observation) -> Action:
        action = self._heuristic.act(obs).copy()
        if self._left > 0:
            action[np.arange(len(action)), self._agent] = self._option
            self._left -= 1
        return action


class _CalledOff:
    """An environment whose copies have no event that has not started yet."""

    def __init__(self, env: Any) -> None:
        self._env = env
        self.spec: TaskSpec = env.spec
        self.num_networks: int = env.num_networks

    def fork(self, networks: IntArray, draw: IntArray, without_events: bool = False) -> Any:
        """Copies without the coming event."""
        return self._env.fork(networks, draw, without_events=True)

    def play(self, action: Action) -> FloatArray:
        """As the environment plays."""
        reward: FloatArray = self._env.play(action)
        return reward

    @property
    def observation(self) -> Observation:
        """As the environment sees."""
        seen: Observation = self._env.observation
        return seen


class _Mix:
    """Every agent of every network follows one of several heuristics, drawn for it."""

    def __init__(self, spec: TaskSpec, count: int, names: Sequence[str], rng: np.random.Generator) -> None:
        seed = int(rng.integers(2**31))
        self._heuristics = [_heuristic(name, spec, count, seed) for name in names]
        self._which = rng.integers(len(names), size=(count, spec.num_agents))

    def act(self, obs: Observation) -> Action:
        """One option for each agent, [B, A]."""
        proposed = np.stack([heuristic.act(obs) for heuristic in self._heuristics])
        chosen: Action = np.take_along_axis(proposed, self._which[None], axis=0)[0]
        return chosen


def _heuristic(name: str, spec: TaskSpec, count: int, seed: int) -> Controller:
    controller: Controller = HEURISTICS.load(name)()
    controller.reset(spec, count, seed, None)
    return controller
