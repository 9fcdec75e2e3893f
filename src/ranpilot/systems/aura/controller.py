"""The AURA controller: base stations that learn by themselves, take advice as far as they trust it, and are aligned.

Each step of every agent i (Algorithm 1 of the paper, with the guards that keep own learning alive):

    a_RL = argmax Q_i(s, ·)                                  own choice
    a_LLM = the adviser's suggestion
    a_i = a random option with probability ε                 exploration is never overridden by advice
        = a_LLM  if it differs and is trusted                not in the quiet fifth of the training episodes
        = a_RL   otherwise
    Q_i(s, a_i) ← Q_i(s, a_i) + α [r_i + γ max Q_i(s', ·) − Q_i(s, a_i)];   trust ← learned;   every few episodes credit

Where advice was followed the rate is α · trust: bad advice must not spoil the table that it is compared with.
Training ends with episode `train_episodes`: exploration stops, learning and trust go on.
Source: AURA (Nourzad, Zong, Krishnamachari 2025). Differs from source: see the README beside this file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.controller import Controller, Decision, Observation, Outcome, TaskSpec, WhatIf
from ranpilot.errors import ActionError, ConfigError
from ranpilot.learning.draws import draw_per_agent, draw_per_network
from ranpilot.learning.q_table import QTable, Seen, decay_epsilon
from ranpilot.runs.arrays import load_arrays, save_arrays
from ranpilot.systems.aura.alignment_score import ScoreWindow, uncounted
from ranpilot.systems.aura.calibration import CalibrationProbe
from ranpilot.systems.aura.config import SITUATION, AuraConfig
from ranpilot.systems.aura.credit import AlignmentController
from ranpilot.systems.aura.explanation import Explainer
from ranpilot.systems.aura.trust import TRUSTS, Trust
from ranpilot.systems.aura.turn import Turn
from ranpilot.systems.aura.usage import Usage, UsageCounter
from ranpilot.twin.rng import STREAM_TRUST

__all__ = ["Aura"]

NEIGHBOUR_FEATURES = ("coverage", "capacity")
"""What joins an agent's state of its nearest neighbour where `neighbour_features` is on."""

# Columns of the four uniform numbers that each agent draws in a step.
EXPLORE, RANDOM_OPTION, FOLLOW, ASK = range(4)


class Aura:
    """Tabular agents of B networks as one batch, with an optional adviser; network b has id first_network + b."""

    def __init__(self, config: AuraConfig, adviser: Controller | None = None, *, adviser_name: str = "adviser") -> None:
        if config.trust is not None and adviser is None:
            raise ConfigError("aura.adviser", None, f"a controller, since trust is {config.trust!r}")
        self.config = config
        self._trust_class = None if config.trust is None else TRUSTS.load(config.trust)
        self._adviser = None if config.trust is None else adviser
        self._adviser_name = adviser_name

    def reset(self, task: TaskSpec, num_networks: int, seed: int, what_if: WhatIf | None) -> None:
        """Begin untaught. Raises ConfigError where the trust needs copies of the network and there are none."""
        config = self.config
        self._check(task, what_if)
        self._task, self._seed, self._what_if = task, seed, what_if
        self._shape = (num_networks, task.num_agents)
        self._context_feature = SITUATION.index(config.context)
        first, initial = config.first_network, config.initial_value
        self._q = QTable(task, num_networks, seed, first_network=first, initial=initial, seen=_seen(config, task))
        self._trust: Trust | None = None
        self._episode_window: ScoreWindow | None = None
        self._probe: CalibrationProbe | None = None
        if self._trust_class is not None:
            num_contexts = max(len(words) for words in task.features[self._context_feature].words)
            self._trust = self._trust_class(config, (*self._shape, task.num_actions, num_contexts))
            self._episode_window = ScoreWindow(self._shape) if self._trust_class.needs_score else None
            self._probe = None if what_if is None else CalibrationProbe(config)
        self._alignment = None
        if config.credit != "none":
            self._alignment = AlignmentController(config, task, self._q.values.shape)
        self._usage = UsageCounter(self._shape)
        self._step = np.zeros((), dtype=np.int64)
        self._turn: Turn | None = None
        self._reward: NDArray[np.float64] | None = None
        self._phase_episode: NDArray[np.int64] | None = None
        self._adviser_id = self._identify_adviser()
        if self._adviser is not None:
            self._adviser.reset(task, num_networks, seed, what_if)

    def act(self, obs: Observation) -> NDArray[np.int64]:
        """One option for each agent of each network, [B, A]."""
        levels, states = self._q.read(obs.local)
        own = self._q.greedy(states)
        numbers = draw_per_agent(self._seed, self.config.first_network, int(self._step), self._shape)
        self._enter_phase(obs)
        explored = numbers[:, :, EXPLORE] < self._epsilon
        random_option = (numbers[:, :, RANDOM_OPTION] * self._task.num_actions).astype(np.int64)
        executed = np.where(explored, random_option, own)
        context = levels[:, :, self._context_feature]
        if self._trust is None or self._adviser is None:
            nobody, never = np.full(self._shape, -1), np.zeros(self._shape, dtype=bool)
            trust = np.full(self._shape, np.nan)
            advice, advised, followed = nobody, never, never
        else:
            advice = self._checked_advice(self._adviser.act(obs))
            advised = (advice >= 0) & self._open_to_advice
            followed = advised & (advice != own) & ~explored
            followed &= numbers[:, :, FOLLOW] < self._trust.follow_probability(advice, context)
            executed = np.where(followed, advice, executed)
            trust = np.where(advice >= 0, self._trust.level(advice, context), np.nan)
        episode, slot = np.asarray(obs.episode, dtype=np.int64), np.asarray(obs.slot, dtype=np.int64)
        self._turn = Turn(states, context, own, advice, advised, explored, followed, executed, trust, episode, slot)
        if self._trust is not None:
            self._trust.ask(self._turn, numbers[:, :, ASK], self._what_if, self._q.policy)
        if self._probe is not None and self._what_if is not None:
            self._probe.look(self._turn, self._seed, int(self._step), self._what_if, self._q.policy)
        self._reward = None
        self._step += 1
        return executed

    def observe(self, outcome: Outcome) -> None:
        """Learn values, trust and credit from what the last action led to."""
        turn = self._last_turn()
        executed = np.asarray(outcome.action, dtype=np.int64)
        reward = np.asarray(outcome.reward, dtype=np.float64)
        _, next_states = self._q.read(outcome.next_obs.local)
        discount = np.where(outcome.terminated, 0.0, self.config.gamma)
        if self._trust is not None:
            self._learn_trust(self._trust, turn, reward, next_states, discount)
            self._score_episode(self._trust, outcome)
        rate, weight = self.config.learning_rate, self._teaching_weight(turn)
        self._q.learn(turn.states, executed, reward, next_states, discount, rate, weight=weight)
        self._usage.record(turn)
        self._reward = reward
        if self._alignment is not None:
            self._alignment.record(turn.states, executed, outcome)
            if outcome.done.any():
                self._alignment.close_episodes(outcome.done, self._q.values)
        if self._adviser is not None:
            self._adviser.observe(outcome)

    def take_usage(self) -> Usage:
        """Use of advice since the last call, as shares [B, A]."""
        return self._usage.take()

    def take_calibration(self) -> NDArray[np.float64] | None:
        """Trust against what test disagreements showed since the last call, [3, 10]: number, sum of trust, wins.

        None where there is no trust or no copy of the network to ask.
        """
        return None if self._probe is None else self._probe.take()

    def renew_adviser(self, adviser: Controller, *, adviser_name: str | None = None) -> None:
        """Take advice from another adviser (or a changed one) from the next step on.

        Trust keeps the part `renewal` of its evidence. Raises ConfigError where the agents take no advice.
        """
        if self._trust is None:
            raise ConfigError("aura.trust", None, "a trust mechanism, since an adviser is to be renewed")
        own_name = str(getattr(adviser, "name", type(adviser).__name__))
        self._adviser, self._adviser_name = adviser, own_name if adviser_name is None else adviser_name
        self._adviser_id = self._identify_adviser()
        adviser.reset(self._task, self._shape[0], self._seed, self._what_if)
        self._trust.shrink(self.config.renewal)

    def explain(self, network: int) -> tuple[Decision, ...]:
        """The last decision of each agent of the network at that place of the batch; empty before the first."""
        turn = self._turn
        if turn is None:
            return ()
        explainer = Explainer(self.config, self._task, self._adviser_name)
        agents = range(self._task.num_agents)
        return tuple(explainer.decide(turn, self._reward, network, agent) for agent in agents)

    def save(self, folder: Path) -> None:
        """Write everything that is needed to go on exactly, atomically; the adviser's part into `folder/adviser`."""
        if self._adviser is not None:
            self._adviser.save(folder / "adviser")
        save_arrays(folder / "aura.npz", self._identity(), self._arrays())

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, after a `reset` with the same task, batch and seed.

        Where the adviser, its model or the scenario is another one now, the adviser begins anew and trust keeps the
        part `renewal` of its evidence.
        Raises CheckpointError where the checkpoint is missing, damaged or of another configuration.
        """
        load_arrays(folder / "aura.npz", self._identity(), self._arrays())
        same = np.array_equal(self._adviser_id, self._identify_adviser())
        restore = getattr(self._adviser, "load", None)
        if same and restore is not None:
            restore(folder / "adviser")
        if not same and self._trust is not None:
            self._trust.shrink(self.config.renewal)
        self._adviser_id = self._identify_adviser()
        self._turn, self._reward, self._phase_episode = None, None, None

    def _check(self, task: TaskSpec, what_if: WhatIf | None) -> None:
        """Raise ConfigError where the task or the way it is run does not fit the configuration."""
        trust, needed = self.config.trust, self._trust_class
        if needed is not None and needed.needs_what_if and what_if is None:
            allowed = "'ab' or 'score' where the network cannot be copied (a live one)"
            raise ConfigError("aura.trust", trust, allowed)
        missing = uncounted(task)
        if needed is not None and needed.needs_score and missing is not None:
            raise ConfigError("aura.trust", trust, f"another for a task that does not count {missing!r}")
        if len(task.features) < len(SITUATION):
            names = ", ".join(SITUATION)
            raise ConfigError("task", task.name, f"one whose features are {names}, in this order")

    def _teaching_weight(self, turn: Turn) -> NDArray[np.float64] | None:
        """How much of the rate each agent learns with, [B, A]; None for all of it."""
        if self._trust is None or self.config.followed_teach == "fully":
            return None
        return np.where(turn.followed, turn.trust, 1.0)

    def _learn_trust(
        self,
        trust: Trust,
        turn: Turn,
        reward: NDArray[np.float64],
        next_states: NDArray[np.int64],
        discount: NDArray[np.float64],
    ) -> None:
        def advantage() -> NDArray[np.float64]:
            expected = reward + discount[:, None] * self._q.best_value(next_states)
            return expected - self._q.best_value(turn.states)

        trust.learn(turn, reward, advantage)

    def _score_episode(self, trust: Trust, outcome: Outcome) -> None:
        """Tell trust how the ended episodes were, where it wants to know."""
        if self._episode_window is None:
            return
        self._episode_window.record(outcome)
        ended = np.flatnonzero(outcome.done)
        if len(ended) > 0:
            trust.end_episode(ended, self._episode_window.take(ended))

    def _identity(self) -> dict[str, object]:
        return {**self.config.model_dump(), "seed": self._seed}

    def _identify_adviser(self) -> NDArray[np.uint8]:
        """Hash of what trust is trust in: the adviser, its model, the scenario; [32] bytes."""
        model = getattr(self._adviser, "model_hash", "")
        text = json.dumps([self._adviser_name if self._adviser is not None else None, model, self._task.scenario])
        return np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint8).copy()

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        """Every live array by name; writing into them restores the controller."""
        parts = {
            "q": self._q,
            "trust": self._trust,
            "episode": self._episode_window,
            "calibration": self._probe,
            "alignment": self._alignment,
            "usage": self._usage,
        }
        named: dict[str, NDArray[np.generic]] = {"step": self._step, "adviser_id": self._adviser_id}
        for part_name, part in parts.items():
            if part is not None:
                named.update({f"{part_name}.{name}": array for name, array in part.arrays().items()})
        return named

    def _enter_phase(self, obs: Observation) -> None:
        """Exploration rate and openness to advice of each network's running episode, [B, 1]."""
        if self._phase_episode is not None and np.array_equal(self._phase_episode, obs.episode):
            return
        config = self.config
        episode = np.array(obs.episode, dtype=np.int64)
        training = episode < config.train_episodes
        self._phase_episode = episode
        if self._trust is not None:
            draw = draw_per_network(self._seed, config.first_network, episode, STREAM_TRUST)
            quiet_share = np.where(training, config.quiet_share, 0.0)
            self._open_to_advice = self._trust.open_episode(draw, quiet_share)[:, None]
        self._epsilon = decay_epsilon(
            episode,
            config.train_episodes,
            start=config.epsilon_start,
            end=config.epsilon_end,
            share=config.epsilon_share,
        )[:, None]

    def _checked_advice(self, advice: object) -> NDArray[np.int64]:
        """The adviser's options [B, A], -1 for none. Raises ActionError for anything else."""
        found = np.asarray(advice)
        if found.shape != self._shape:
            raise ActionError(f"advice of {self._adviser_name}: shape", found.shape, f"{self._shape}")
        if found.dtype.kind not in "iu" or found.min() < -1 or found.max() >= self._task.num_actions:
            worst = found.flat[int(np.argmax(np.abs(found)))]
            allowed = f"an integer from -1 (none) to {self._task.num_actions - 1}"
            raise ActionError(f"advice of {self._adviser_name}", worst.item(), allowed)
        return found.astype(np.int64)

    def _last_turn(self) -> Turn:
        if self._turn is None:
            raise ActionError("act", None, "called before observe")
        return self._turn


def _seen(config: AuraConfig, task: TaskSpec) -> list[Seen]:
    """What makes an agent's state: its own features, and where asked for some of its nearest neighbour's."""
    own = [Seen(d) for d in range(len(task.features))]
    of_neighbour = [Seen(SITUATION.index(name), of_neighbour=True) for name in NEIGHBOUR_FEATURES]
    return [*own, *of_neighbour] if config.neighbour_features else own
