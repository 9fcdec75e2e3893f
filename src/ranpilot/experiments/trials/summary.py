"""The numbers of a comparison: every entrant at every load with its interval, and against the best heuristic.

The best heuristic of a load is the one with the greatest mean reward on the same held-out networks, picked in hindsight
(which favours it); those that try things on copies of the network are no rivals but a ceiling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ranpilot.experiments.statistics import combination, iqm_interval, mean_rows
from ranpilot.experiments.trials.results import METRICS, Found

__all__ = ["flat_trials", "summarise_trials", "trials_table"]

SEEDS_FOR_A_CLAIM = 5


def summarise_trials(found: Found) -> dict[str, Any]:
    """Everything that a report shows, as plain values."""
    trials = found.trials
    best = {load: _best_heuristic(found, load) for load in trials.loads}
    rows = [_row(found, entrant.label, load, best[load]) for load in trials.loads for entrant in trials.entrants]
    summary: dict[str, Any] = {
        "trials": trials.model_dump(mode="json"),
        "rows": rows,
        "best_heuristic": best,
        "is_illustration": trials.seeds < SEEDS_FOR_A_CLAIM,
        "is_one_training": any(entrant.kind == "given" for entrant in trials.entrants),
        "glossary": METRICS,
        "throughput": [_throughput(found, entrant.label) for entrant in trials.entrants],
        "curves": {entrant.label: _curve(found, entrant.label) for entrant in trials.entrants if entrant.learns},
        "episode_network_steps": trials.networks * found.episode_steps,
    }
    return {**summary, "headline": _headline(summary)}


def trials_table(summary: Mapping[str, Any]) -> list[list[str]]:
    """Header and lines, load by load."""
    header = ["load", "entrant", "reward", "broken promises", "Q", "against the best heuristic"]
    lines = [
        [row["load"], row["label"], _said(row["reward"]), _said(row["violated"]), _said(row["quality"]), _against(row)]
        for row in summary["rows"]
    ]
    return [header, *lines]


def flat_trials(summary: Mapping[str, Any], threads: int) -> list[dict[str, Any]]:
    """Every number as `{name, value, unit, reference, difference, n, seed, threads}`, as far as each applies."""
    return [{**record, "seed": summary["trials"]["base_seed"], "threads": threads} for record in _records(summary)]


def _records(summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    scenario = summary["trials"]["scenario"]
    for row in summary["rows"]:
        for metric in METRICS:
            interval = row[metric]
            yield {
                "name": f"{metric}/{scenario}/{row['load']}/{row['label']}/iqm",
                "value": interval["estimate"],
                "low": interval["low"],
                "high": interval["high"],
                "unit": "1",
                "n": interval["n"],
                **({"per_seed": row["per_seed"]} if metric == "reward" else {}),
            }
        against = row["against"]
        if against is not None:
            yield {
                "name": f"gain/{scenario}/{row['load']}/{row['label']}/over-{against['label']}",
                "value": against["difference"]["estimate"],
                "low": against["difference"]["low"],
                "high": against["difference"]["high"],
                "unit": "1",
                "n": against["difference"]["n"],
            }
    for line in summary["throughput"]:
        for phase, spent in line["phases"].items():
            place = f"{phase}/{scenario}/{line['label']}"
            yield {"name": f"network_steps_per_s/{place}", "value": spent["steps_per_s"], "unit": "network-steps/s"}
            for part in ("simulator", "environment", "controller"):
                yield {"name": f"share/{place}/{part}", "value": spent[part], "unit": "1"}


def _best_heuristic(found: Found, load: str) -> str | None:
    rivals = [e.label for e in found.trials.entrants if e.kind == "heuristic" and not e.is_oracle]
    means = {label: float(found.per_seed(label, load, "reward").mean()) for label in rivals}
    return max(means, key=lambda label: means[label]) if means else None


def _row(found: Found, label: str, load: str, best: str | None) -> dict[str, Any]:
    reward = found.per_seed(label, load, "reward")
    against = None
    if best is not None and label != best:
        # The mean difference of pairs: on the same networks, in the episodes that both played.
        both = min(found.trials.test_length(found.trials.entrant(each)) for each in (label, best))
        own, rival = (found.per_seed(each, load, "reward", both) for each in (label, best))
        paired = combination((own, rival), np.subtract, paired=True, statistic=mean_rows)
        against = {"label": best, "difference": paired.as_json(), "wins": int((own > rival).sum())}
    entrant = found.trials.entrant(label)
    metrics = {metric: iqm_interval(found.per_seed(label, load, metric)).as_json() for metric in METRICS}
    kind = "oracle" if entrant.is_oracle else entrant.kind
    return {"label": label, "kind": kind, "load": load, **metrics, "per_seed": reward.tolist(), "against": against}


def _throughput(found: Found, label: str) -> dict[str, Any]:
    phases = {}
    for phase in ("train", "test"):
        spent = found.spent(label, phase)
        total_s = spent["environment_s"] + spent["controller_s"]
        if spent["network_steps"]:
            phases[phase] = {
                "steps_per_s": spent["network_steps"] / total_s,
                "simulator": spent["simulator_s"] / total_s,
                "environment": (spent["environment_s"] - spent["simulator_s"]) / total_s,
                "controller": spent["controller_s"] / total_s,
            }
    return {"label": label, "phases": phases}


def _curve(found: Found, label: str) -> dict[str, Any]:
    values = found.curve(label)
    intervals = [iqm_interval(values[:, episode]) for episode in range(values.shape[1])]
    return {name: [getattr(interval, name) for interval in intervals] for name in ("estimate", "low", "high")}


def _headline(summary: Mapping[str, Any]) -> str:
    """One sentence on the learner that does best at the last load."""
    load = summary["trials"]["loads"][-1]
    learners = [row for row in summary["rows"] if row["kind"] in ("learner", "given") and row["load"] == load]
    if not learners:
        return f"Heuristics on {summary['trials']['scenario']}, {summary['trials']['seeds']} seeds."
    leader = max(learners, key=lambda row: float(row["reward"]["estimate"]))
    against = leader["against"]
    if against is None:
        return f"{leader['label']} has a reward of {leader['reward']['estimate']:.3f} at {load} load."
    low, high = against["difference"]["low"], against["difference"]["high"]
    verdict = "better than" if low > 0 else "worse than" if high < 0 else "not told apart from"
    of_what = "This one training: at" if leader["kind"] == "given" else "At"
    if summary["is_illustration"]:
        return (
            f"{of_what} {load} load {leader['label']} has {against['difference']['estimate']:+.3f} in reward over the "
            f"best heuristic, {against['label']}; {summary['trials']['seeds']} seeds are too few for a claim."
        )
    return (
        f"{of_what} {load} load {leader['label']} is {verdict} the best heuristic, {against['label']}: "
        f"{against['difference']['estimate']:+.3f} [{low:+.3f}, {high:+.3f}] in reward, "
        f"{against['wins']} of {summary['trials']['seeds']} seeds won."
    )


def _said(interval: Mapping[str, Any]) -> str:
    return f"{interval['estimate']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def _against(row: Mapping[str, Any]) -> str:
    if row["against"] is None:
        return "is the best heuristic" if row["kind"] == "heuristic" else ""
    difference = row["against"]["difference"]
    return (
        f"{difference['estimate']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}] {row['against']['label']}"
    )
