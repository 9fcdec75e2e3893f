"""What an experiment found where no threshold is asked: each a number with its interval and a sentence.

AURA against guided agents (the paper reports a gain of the delayed reward), where the gain of advice comes from, and
how much of the gain on announced events needs their text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ranpilot.envs.controller import FloatArray
from ranpilot.experiments.aura_rows import (
    BUSY,
    CONTROL,
    CONTROL_LONG,
    HEADLINE,
    NEIGHBOURS_LONG,
    TEXT_ROWS,
    TRAINED,
    advised_label,
)
from ranpilot.experiments.results import Results
from ranpilot.experiments.statistics import Interval, combination, difference, divide, family_test, mean_rows, ratio
from ranpilot.experiments.wording import interval_text, percent_text, signed_text, times_text

__all__ = ["Finding", "make_findings"]

DELAYED = (("aura", "guided"), ("aura-ab", "guided-ab"), ("aura-literal", "guided-score"), (TRAINED[1], TRAINED[0]))
"""Rows with the delayed reward, each with the row that differs in nothing else."""

GAIN_ROWS = (CONTROL, CONTROL_LONG, NEIGHBOURS_LONG, HEADLINE[0])
"""The way from learning alone to learning with advice, in steps that each change one thing."""
GAIN_TOPIC = f"Share of the gain from {CONTROL} to {HEADLINE[0]}"
GAIN_STEPS = ("ten times more samples", "the neighbour's state", "what the adviser knows beside it")

STRONG_LEARNERS = (CONTROL_LONG, "marl-neighbours", NEIGHBOURS_LONG, "dqn", "dqn-neighbours")
ANNOUNCED, DURING = "dropped_announced", "dropped_during_"


@dataclass(frozen=True)
class Finding:
    """One number at one load, as found."""

    topic: str
    load: str
    row: str
    against: str
    value: Interval
    unit: str
    p: float | None
    text: str


def make_findings(results: Results) -> list[Finding]:
    """Everything that the rows and loads can answer, topic by topic."""
    found = [
        *_delayed_reward(results),
        *_gain_split(results),
        *_strong_learners(results),
        *_insurance(results),
        *_text(results),
    ]
    topics = list(dict.fromkeys(finding.topic for finding in found))
    return sorted(found, key=lambda finding: topics.index(finding.topic))


def _delayed_reward(results: Results) -> Iterator[Finding]:
    """Rows with the delayed reward against the same without it: drops, and use of advice."""
    measures = (
        ("Delayed reward: dropped requests", "dropped", "1/episode", 1.0, "dropped requests an episode"),
        ("Delayed reward: use of advice", "used", "%", 100.0, "percentage points of decisions"),
    )
    for topic, metric, unit, factor, said in measures:
        for load, row, control in _pairs(results, DELAYED):
            own, base = (factor * results.per_seed(of, load, metric) for of in (row, control))
            p = None
            if not results.experiment.shared_networks and len(own) >= 3:
                p = family_test(topic, control, {control: base, row: own}).dunn_holm_p[row]
            found = difference(own, base, paired=results.experiment.shared_networks)
            tested = "" if p is None else f", p = {p:.2g}"
            text = f"{signed_text(found)} {said}{tested}"
            yield Finding(topic, load, row, control, found, unit, p, text)


def _gain_split(results: Results) -> Iterator[Finding]:
    """Which part of what guided agents gain over learning alone each step of `GAIN_ROWS` brings."""
    experiment = results.experiment
    if not all(experiment.has_row(label) for label in GAIN_ROWS):
        return
    for load in (load for load in experiment.loads if load in BUSY):
        samples = [results.per_seed(label, load) for label in GAIN_ROWS]
        whole = difference(samples[-1], samples[0], paired=experiment.shared_networks)
        if whole.high >= 0:
            # Without a gain there is nothing to split.
            continue
        for step, (before, after) in enumerate(pairwise(GAIN_ROWS)):
            found = combination(samples, _percent_of_way(step), paired=experiment.shared_networks)
            text = f"{percent_text(found)}: {GAIN_STEPS[step]}"
            yield Finding(GAIN_TOPIC, load, after, before, found, "%", None, text)


def _strong_learners(results: Results) -> Iterator[Finding]:
    """Drops with advice against the learners that have more samples, the neighbour's state or a network."""
    pairs = tuple((HEADLINE[1], learner) for learner in STRONG_LEARNERS)
    for load, row, control in _pairs(results, pairs):
        own, base = results.per_seed(row, load), results.per_seed(control, load)
        found = ratio(own, base, paired=results.experiment.shared_networks)
        text = times_text(found)
        yield Finding("AURA against stronger learners: dropped requests", load, row, control, found, "×", None, text)


def _insurance(results: Results) -> Iterator[Finding]:
    """What trust makes of an adviser that is often wrong, against learning alone and against that adviser."""
    for name in ("noisy-80", "noisy-60"):
        rows = tuple(advised_label(name, trust) for trust in ("counterfactual", "ab"))
        for load, row, control in _pairs(results, tuple((row, of) for row in rows for of in (CONTROL, name))):
            own, base = results.per_seed(row, load), results.per_seed(control, load)
            found = ratio(own, base, paired=results.experiment.shared_networks)
            text = times_text(found)
            yield Finding("Imperfect advice: dropped requests", load, row, control, found, "×", None, text)


def _text(results: Results) -> Iterator[Finding]:
    """What the text of announcements is worth while one stands or its event is on, and overall; networks are shared.

    Means over networks instead of the IQM: the difference of means is the mean of the differences of the pairs.
    """
    experiment = results.experiment
    if not experiment.shared_networks:
        return
    for load, row, blind in _pairs(results, tuple(TEXT_ROWS.items())):
        for metric, where in _announced_metrics(results, row, load):
            with_text, without = (results.per_seed(of, load, metric) for of in (row, blind))
            saved = combination((without, with_text), np.subtract, paired=True, statistic=mean_rows)
            text = f"{interval_text(saved)} dropped requests an episode fewer, of {without.mean():.2f} without the text"
            yield Finding(f"Saved by the text {where}", load, row, blind, saved, "1/episode", None, text)
            if experiment.has_row(CONTROL) and metric == ANNOUNCED:
                alone = results.per_seed(CONTROL, load, metric)
                share, text = _share_of_gain(without, with_text, alone)
                yield Finding(f"Share of the gain that text brings {where}", load, row, blind, share, "%", None, text)


def _share_of_gain(without: FloatArray, with_text: FloatArray, alone: FloatArray) -> tuple[Interval, str]:
    """What the text saves as a share of what advice with the text saves against learning alone, NaN without a gain."""
    gain = combination((alone, with_text), np.subtract, paired=True, statistic=mean_rows)
    if gain.low <= 0:
        nothing = Interval(float("nan"), float("nan"), float("nan"), gain.n)
        return nothing, f"no share: against {CONTROL} {interval_text(gain)} are saved, which is no clear gain"
    share = combination((without, with_text, alone), _percent_of_gain, paired=True, statistic=mean_rows)
    return share, f"{percent_text(share)} of the {interval_text(gain)} that are saved against {CONTROL}"


def _announced_metrics(results: Results, row: str, load: str) -> Iterator[tuple[str, str]]:
    """Counts of drops and the steps that they are from: announced ones, all, and those of each kind of event."""
    counted = results.cell(row, load).counters
    if ANNOUNCED in counted:
        yield ANNOUNCED, "on announced events"
    yield "dropped", "in all steps"
    for metric in counted:
        if metric.startswith(DURING):
            yield metric, f"from the announcement to the end of {metric.removeprefix(DURING).replace('_', ' ')}"


def _pairs(results: Results, pairs: tuple[tuple[str, str], ...]) -> list[tuple[str, str, str]]:
    """(load, row, other) of those pairs that the experiment has, at loads where there is something to gain."""
    experiment = results.experiment
    present = [(row, other) for row, other in pairs if experiment.has_row(row) and experiment.has_row(other)]
    return [(load, row, other) for load in experiment.loads if load in BUSY for row, other in present]


def _percent_of_gain(without: FloatArray, with_text: FloatArray, alone: FloatArray) -> FloatArray:
    """What the text saves, in per cent of what advice with the text saves against learning alone."""
    return 100 * divide(without - with_text, alone - with_text)


def _percent_of_way(step: int) -> Callable[..., FloatArray]:
    """The step from one of several statistics to the next, in per cent of the way from the first to the last."""

    def percent(*stations: FloatArray) -> FloatArray:
        return 100 * divide(stations[step] - stations[step + 1], stations[0] - stations[-1])

    return percent
