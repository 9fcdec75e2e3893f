"""States as words: a feature's value as the level it falls in, and the level as the word that a model reads."""

from __future__ import annotations

import numpy as np

from ranpilot.envs.controller import Feature, FloatArray, IntArray, Observation, TaskSpec

__all__ = ["UNKNOWN", "describe", "level_counts", "levels", "state_words"]

UNKNOWN = "unknown"
"""The word for every feature of an agent whose report is missing."""


def levels(spec: TaskSpec, obs: Observation) -> IntArray:
    """Level of every feature of every agent, [B, A, D]."""
    result = np.empty(obs.local.shape, dtype=np.int64)
    for d, feature in enumerate(spec.features):
        for a in range(spec.num_agents):
            result[:, a, d] = _level(feature, a, obs.local[:, a, d])
    return result


def level_counts(spec: TaskSpec) -> IntArray:
    """How many levels each feature has for each agent, [A, D]."""
    return np.array([[len(f.words[a]) for f in spec.features] for a in range(spec.num_agents)], dtype=np.int64)


def state_words(spec: TaskSpec, agent: int, agent_levels: IntArray) -> tuple[str, ...]:
    """The words for one agent's levels [D], in the order of the task's features."""
    return tuple(f.words[agent][int(agent_levels[d])] for d, f in enumerate(spec.features))


def describe(spec: TaskSpec, obs: Observation, network: int) -> str:
    """One line on when it is, one on each agent with what it is told and, of an old report, its age."""
    seen = levels(spec, obs)
    lines = [f"{spec.name} on {spec.scenario}: episode {int(obs.episode[network])}, slot {int(obs.slot[network])}"]
    width = max(len(agent) for agent in spec.agents)
    for a, agent in enumerate(spec.agents):
        words = state_words(spec, a, seen[network, a])
        if obs.is_unknown is not None and obs.is_unknown[network, a]:
            words = (UNKNOWN,) * len(words)
        named = zip(spec.features, words, strict=True)
        line = f"  {agent:{width}}  " + ", ".join(f"{feature.measurement.name} {word}" for feature, word in named)
        if obs.report_age_s is not None and obs.report_age_s[network, a] > 0.0:
            line += f"; last report {obs.report_age_s[network, a]:.1f} s ago"
        notice = int(obs.notice_ids[network, a]) if obs.notice_ids.shape[1] else -1
        lines.append(line if notice < 0 else f"{line}; told: {obs.texts[notice]}")
    return "\n".join(lines)


def _level(feature: Feature, agent: int, normalised: FloatArray) -> IntArray:
    low, high = feature.low[agent], feature.high[agent]
    value = low + np.asarray(normalised, dtype=np.float64) * (high - low)
    # A value stored as float32 must not fall below the edge that it was set on.
    slack = 1e-5 * (high - low)
    return np.searchsorted(np.asarray(feature.edges[agent]) - slack, value, side="right").astype(np.int64)
