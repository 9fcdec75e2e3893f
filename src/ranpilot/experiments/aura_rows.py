"""Every row of AURA's comparison: who learns, who advises, who decides alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ranpilot.experiments.design import Row

__all__ = [
    "BAD_ADVISERS",
    "BUSY",
    "CONTROL",
    "CONTROL_LONG",
    "HEADLINE",
    "LONGEST_TRAINING",
    "MODEL",
    "NEIGHBOURS_LONG",
    "NO_TEXT",
    "ORACLE",
    "TEXT_ROWS",
    "TRAINED",
    "TRUSTS",
    "advised_label",
    "aura_rows",
]

CONTROL = "marl-only"
CONTROL_LONG, NEIGHBOURS_LONG = "marl-only-10x", "marl-neighbours-10x"
HEADLINE = ("guided", "aura")
"""Rows of the paper's own comparison, each against the control."""
TRAINED = ("guided-trained", "aura-trained")
"""The same with the trained language model instead of rules."""
ORACLE = "lookahead-oracle"

BUSY = ("normal", "high")
"""Loads at which there is something to gain: at low load nobody drops much."""

LONGEST_TRAINING = 10
"""The longest training of any row, as a multiple of the usual; test begins after it whichever rows are picked."""

BAD_ADVISERS = {
    "random": "random",
    "maintain": "maintain",
    "inverted-rules": "inverted-rules",
    "stale-rules": "stale-rules:20",
    "turning-rules": "turning-rules",
}
"""Advisers that a trust must not be fooled by, by what labels call them."""
NOISY_ADVISERS = {"noisy-80": "noisy-rules:80", "noisy-60": "noisy-rules:60"}
"""Rules that are right for so many per cent of the prompts."""
TRUSTS = ("counterfactual", "ab", "score")

NO_TEXT = "no-text"
TEXT_ROWS = {
    "guided-trained": f"guided-trained-{NO_TEXT}",
    "aura-trained": f"aura-trained-{NO_TEXT}",
    "trained-alone": f"trained-alone-{NO_TEXT}",
}
"""Rows whose adviser reads announcements, each with the row of the same adviser that sees none."""

TUNED: Mapping[str, object] = {"alpha_rule": "visits", "initial_value": 15.0}
TUNED_DQN: Mapping[str, object] = {"learning_rate": 1e-4}
TUNED_DQN_NEIGHBOURS: Mapping[str, object] = {"learning_rate": 3e-4}
"""What `scripts/tune_marl.py` chose (results/marl-tuning.json); marl-only keeps the source's own numbers."""

MODEL = "embedded:adviser"
"""The trained language model that is shipped."""
ALONE, GUIDED, BADLY, LANGUAGE, JUDGES = (
    "learning alone",
    "advised by rules",
    "badly advised",
    "advised by a language model",
    "deciding without learning",
)
"""Headings of the report's tables."""

TRUST_COST, COUNTERFACTUAL_COST, LANGUAGE_COST, DQN_COST, RULES_COST, ORACLE_COST = 2.2, 4.0, 4.5, 18.0, 0.6, 80.0
"""Wall time of an episode relative to `marl-only`, as measured on `aura-paper`."""


# The networks of a row are its place here times `NETWORKS_PER_ROW`, so labels are only ever added at the end.
_BLOCKS = (
    "marl-only", "guided", "aura", "guided-score", "guided-random-counterfactual", "guided-random-score",
    "guided-maintain-counterfactual", "guided-maintain-score", "guided-inverted-rules-counterfactual",
    "guided-inverted-rules-score", "guided-untrained", "rules", "kpm-rules", "always-handoff", "maintain", "random",
    "lookahead-oracle", "marl-only-10x", "marl-neighbours", "marl-neighbours-10x", "dqn", "dqn-neighbours",
    "guided-ab", "aura-ab", "aura-literal", "guided-beta", "guided-noisy-80-counterfactual", "guided-noisy-80-ab",
    "guided-noisy-60-counterfactual", "guided-noisy-60-ab", "guided-random-ab", "guided-maintain-ab",
    "guided-inverted-rules-ab", "guided-stale-rules-counterfactual", "guided-stale-rules-ab",
    "guided-stale-rules-score", "guided-turning-rules-counterfactual", "guided-turning-rules-ab",
    "guided-turning-rules-score", "guided-trained", "aura-trained", "trained-alone", "noisy-80", "noisy-60",
    "aura-inverted-rules-counterfactual", "guided-trained-no-text", "aura-trained-no-text", "trained-alone-no-text",
    "marl-tuned",
)  # fmt: skip


def aura_rows(oracle_test_episodes: int) -> tuple[Row, ...]:
    """Every row of the AURA comparison; a row keeps its block of networks whichever others are picked."""
    rows = (*_alone(), *_guided(), *_badly_advised(), *_language(), *_judges(oracle_test_episodes))
    return tuple(rows)


def advised_label(adviser: str, trust: str, configuration: str = "guided") -> str:
    """Label of the row with that adviser (as `BAD_ADVISERS` calls it) and trust."""
    return f"{configuration}-{adviser}-{trust}"


def _alone() -> Iterator[Row]:
    neighbours: dict[str, object] = {"neighbour_features": True}
    yield _row(CONTROL, "aura", "marl-only", ALONE)
    yield _row("marl-tuned", "aura", "marl-only", ALONE, settings=TUNED)
    for label, settings in ((CONTROL_LONG, TUNED), (NEIGHBOURS_LONG, {**TUNED, **neighbours})):
        yield _row(label, "aura", "marl-only", ALONE, settings=settings, train_factor=LONGEST_TRAINING)
    yield _row("marl-neighbours", "aura", "marl-only", ALONE, settings={**TUNED, **neighbours})
    yield _row("dqn", "dqn", "dqn", ALONE, settings=TUNED_DQN, cost=DQN_COST)
    yield _row("dqn-neighbours", "dqn", "dqn", ALONE, settings={**TUNED_DQN_NEIGHBOURS, **neighbours}, cost=DQN_COST)


def _guided() -> Iterator[Row]:
    yield _advised("guided", "guided", "rules", "counterfactual", GUIDED)
    yield _advised("aura", "aura", "rules", "counterfactual", GUIDED)
    for label, configuration, trust in (
        ("guided-ab", "guided", "ab"),
        ("aura-ab", "aura", "ab"),
        ("guided-score", "guided", "score"),
        ("aura-literal", "aura-literal", "score"),
        ("guided-beta", "guided", "beta"),
    ):
        yield _advised(label, configuration, "rules", trust, GUIDED)
    for name, adviser in NOISY_ADVISERS.items():
        for trust in ("counterfactual", "ab"):
            yield _advised(advised_label(name, trust), "guided", adviser, trust, GUIDED)


def _badly_advised() -> Iterator[Row]:
    for name, adviser in BAD_ADVISERS.items():
        for trust in TRUSTS:
            yield _advised(advised_label(name, trust), "guided", adviser, trust, BADLY)
    label = advised_label("inverted-rules", "counterfactual", "aura")
    yield _advised(label, "aura", "inverted-rules", "counterfactual", BADLY)


def _language() -> Iterator[Row]:
    yield _advised("guided-untrained", "guided", "embedded", "counterfactual", LANGUAGE, cost=LANGUAGE_COST)
    for ending, adviser in (("", MODEL), (f"-{NO_TEXT}", f"{MODEL}+{NO_TEXT}")):
        for configuration in ("guided", "aura"):
            label = f"{configuration}-trained{ending}"
            yield _advised(label, configuration, adviser, "counterfactual", LANGUAGE, cost=LANGUAGE_COST)
        yield _row(f"trained-alone{ending}", "adviser", "alone", LANGUAGE, adviser=adviser)


def _judges(oracle_test_episodes: int) -> Iterator[Row]:
    for name in ("rules", "kpm-rules", "always-handoff", "maintain", "random"):
        yield _row(name, "heuristic", name, JUDGES, cost=RULES_COST)
    for name, adviser in NOISY_ADVISERS.items():
        yield _row(name, "adviser", "alone", JUDGES, adviser=adviser, cost=RULES_COST)
    yield _row(ORACLE, "heuristic", ORACLE, JUDGES, test_episodes=oracle_test_episodes, cost=ORACLE_COST)


def _advised(label: str, configuration: str, adviser: str, trust: str, group: str, cost: float | None = None) -> Row:
    usual = COUNTERFACTUAL_COST if trust == "counterfactual" else TRUST_COST
    return _row(label, "aura", configuration, group, adviser=adviser, trust=trust, cost=cost or usual)


def _row(label: str, kind: str, name: str, group: str, **further: object) -> Row:
    values = {"label": label, "kind": kind, "name": name, "group": group, "block": _BLOCKS.index(label)}
    return Row.model_validate({**values, **further})
