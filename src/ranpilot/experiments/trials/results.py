"""What the trials of a comparison measured, as arrays over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ranpilot.envs.controller import FloatArray
from ranpilot.experiments.trials.design import Trials

__all__ = ["METRICS", "Found", "Played"]

METRICS = {
    "reward": "Reward of an agent in a step, at most 1: promises kept, by priority, less violations and churn. The "
    "main measure; higher is better.",
    "violated": "Share of the slices judged in a cell and step whose promise was broken; lower is better.",
    "quality": "Q of the judged slices, 0 to 2: 1 is what was promised.",
}
"""Columns of the results, and what they mean."""


@dataclass(frozen=True)
class Played:
    """One trial: every episode that was played, and what it took."""

    records: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """Every trial of a comparison."""

    trials: Trials
    played: Mapping[tuple[str, int], Played]
    """By label and seed."""
    num_agents: int
    episode_steps: int

    def per_seed(self, label: str, load: str, metric: str, episodes: int | None = None) -> FloatArray:
        """[seeds] mean over networks and test episodes at that load; episodes: the first so many, None for all."""
        return np.array([self._value(label, seed, load, metric, episodes) for seed in range(self.trials.seeds)])

    def curve(self, label: str) -> FloatArray:
        """[seeds, E] mean reward of an agent and step in each episode of training."""
        rows = [
            [
                float(np.mean(record["reward"]))
                for record in self.played[label, seed].records
                if record["phase"] == "train"
            ]
            for seed in range(self.trials.seeds)
        ]
        return np.array(rows) / (self.num_agents * self.episode_steps)

    def spent(self, label: str, phase: str) -> dict[str, float]:
        """Wall seconds by place and network-steps, over all seeds."""
        total: dict[str, float] = {}
        for seed in range(self.trials.seeds):
            for name, value in self.played[label, seed].summary[phase].items():
                total[name] = total.get(name, 0.0) + float(value)
        return total

    def timeline(self, label: str, load: str) -> Mapping[str, Any] | None:
        """How the slices of the first seed's first network fared; None where there are none."""
        found: Mapping[str, Any] | None = self.played[label, 0].summary["timelines"].get(load)
        return found

    def _value(self, label: str, seed: int, load: str, metric: str, episodes: int | None) -> float:
        played = [r for r in self.played[label, seed].records if r["phase"] == "test" and r["load"] == load]
        records = played[:episodes]
        if metric == "reward":
            return float(np.mean([r["reward"] for r in records]) / (self.num_agents * self.episode_steps))
        counts = {name: float(np.sum([r["counts"][name] for r in records])) for name in ("judged", metric)}
        return counts[metric] / max(counts["judged"], 1.0)
