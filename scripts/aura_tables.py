"""The tables of AURA's results, from results/aura-paper.json and results/aura-two-cell.json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from records import BUSY, Record, exists, interval, labels, named, read, table

from ranpilot.experiments.plots import MAIN_ROWS

__all__ = ["TABLES"]


def aura_paper() -> str:
    """Dropped hand-off requests of every row at every load, with intervals."""
    return _drops("aura-paper", labels("aura-paper"))


def aura_paper_main() -> str:
    """The same for the main rows."""
    return _drops("aura-paper", [label for label in MAIN_ROWS if label in labels("aura-paper")])


def aura_failures() -> str:
    """Failures of both kinds and requests at the loads where something is dropped."""
    return _metrics("aura-paper", BUSY, {"failures": "failures", "failures_handover": "hand-off failures"})


def aura_use() -> str:
    """Use of advice, agreement and trust."""
    columns = {"used": "use of advice", "agreed": "advice = own choice", "matched": "executed = advice"}
    return _metrics("aura-paper", BUSY, columns, percent=True)


def aura_reward() -> str:
    """Requests and reward of every row."""
    return _metrics("aura-paper", BUSY, {"requests": "requests", "reward": "reward"})


def aura_twin() -> str:
    """Drops on the twin, in all and while something is announced; differences network by network."""
    dropped = {place[2]: record for record, place in named("aura-two-cell", "dropped")}
    announced = {place[2]: record for record, place in named("aura-two-cell", "dropped_announced")}
    used = {place[2]: record for record, place in named("aura-two-cell", "used")}
    lines = [
        [
            label,
            interval(record),
            interval(record, key="difference"),
            interval(announced.get(label)),
            interval(used.get(label), 100, 1),
        ]
        for label, record in dropped.items()
    ]
    titles = ["row", "dropped", "minus marl-only (paired)", "of these while announced", "use of advice %"]
    return table("aura-two-cell", titles, lines, numbers=range(1, 5))


def aura_paper_checks() -> str:
    """What the command itself checked."""
    verdicts = {True: "yes", False: "**no**", None: "not applicable"}
    lines = []
    for record, (load, row, claim) in named("aura-paper", "check"):
        expected = " (expected)" if record["is_expected_to_fail"] and not record["holds"] else ""
        lines.append([claim, load, row, record["detail"], record["reference"], verdicts[record["holds"]] + expected])
    return table("aura-paper", ["claim", "load", "row", "measured", "asked", "holds"], lines)


def aura_found() -> str:
    """What has no threshold on `aura-paper`."""
    return _found("aura-paper")


def aura_twin_found() -> str:
    """What has no threshold on the twin, where there are no thresholds at all."""
    return _found("aura-two-cell")


def aura_calibration() -> str:
    """Calibration error of the trust of each advised row."""
    found: dict[str, dict[str, Record]] = {}
    for record, (_, load, row) in named("aura-paper", "calibration-error"):
        found.setdefault(row, {})[load] = record
    lines = [
        [row, *(f"{interval(of.get(load))} ({of[load]['n']})" if load in of else "–" for load in BUSY)]
        for row, of in found.items()
    ]
    return table("aura-paper", ["row", *(f"{load} load (tried)" for load in BUSY)], lines, numbers=(1, 2))


def aura_agreement() -> str:
    """How often each language model says what the rules say."""
    found = [
        (record, scenario, row)
        for name in ("aura-paper", "aura-two-cell")
        if exists(name)
        for record, (scenario, load, row) in named(name, "agreement-with-rules")
        if load == "high"
    ]
    lines = [[scenario, row, record["adviser"], f"{100 * record['value']:.1f} %"] for record, scenario, row in found]
    return table("aura-paper", ["scenario", "row", "adviser", "agrees on"], lines, numbers=(3,))


def aura_headlines() -> str:
    """What the paper reports, and the same here."""
    checks = {(claim, row, load): record for record, (load, row, claim) in named("aura-paper", "check")}
    found = {(topic, row, load): record for record, (load, row, topic) in named("aura-paper", "found")}

    def both(records: Mapping[tuple[str, str, str], Record], words: str, loads: Iterable[str] = BUSY) -> str:
        texts = (
            f"{load}: {record['detail']}"
            for load in loads
            for (said, row, at), record in records.items()
            if said.startswith(words) and (row, at) == ("aura", load)
        )
        return "<br>".join(texts)

    halved, delayed = "Dropped requests are at most half of those without", "Delayed reward:"
    lines = [
        ["drops more than halved at normal and high load, p < 0.01", both(checks, halved)],
        ["no significant difference at low load", both(checks, "At low load", ("low",))],
        ["failures fall", both(checks, "Steps with any failure")],
        ["(failed hand-offs alone)", both(checks, "Steps with a failed hand-off")],
        ["the model decides less than 60 % of the time", both(checks, "Advice that differs")],
        ["AURA uses slightly less advice than guided agents", both(found, f"{delayed} use")],
        ["AURA drops fewer requests than guided agents", both(found, f"{delayed} dropped")],
    ]
    return table("aura-paper", ["the paper reports", "here, advised by rules"], lines)


def systems() -> str:
    """One line for each system that exists, with its headline measured."""
    drops = {r["name"]: r for r in read("aura-paper")}
    names = {
        "marl-only": "stations learn alone (MARL-only)",
        "marl-only-10x": "the same, ten times longer",
        "marl-neighbours-10x": "ten times longer, with the neighbour's state",
        "guided": "with advice of rules, counterfactual trust (guided)",
        "aura": "the same with delayed reward (AURA)",
        "guided-score": "with the paper's own trust (score)",
        "guided-inverted-rules-counterfactual": "inverted advice, counterfactual trust",
        "guided-inverted-rules-score": "inverted advice, the paper's own trust",
        "guided-untrained": "advice of the embedded model, untrained",
        "guided-trained": "advice of the embedded model, trained on the twin",
        "random": "random actions",
        "rules": "the rules alone (best heuristic with the same information)",
        "lookahead-oracle": "look-ahead oracle (sees the whole state)",
    }
    lines = [
        [text, *(interval(drops.get(f"dropped/aura-paper/{load}/{row}/iqm")) for load in BUSY)]
        for row, text in names.items()
    ]
    title = "AURA on `aura-paper`, 20 seeds: dropped hand-off requests an episode"
    return table("aura-paper", [title, *(f"{load} load" for load in BUSY)], lines, numbers=(1, 2))


def _drops(name: str, labels: Sequence[str]) -> str:
    """Dropped hand-off requests of those rows at every load, and where there are many also as a ratio."""
    found = {tuple(place[1:3]): record for record, place in named(name, "dropped")}
    columns = [
        (f"{load} load{title}", load, key)
        for load in dict.fromkeys(load for load, _ in found)
        for key, title in (("value", ""), ("ratio", ", × marl-only"))
        if key == "value" or load in BUSY
    ]
    lines = [[label, *(interval(found.get((load, label)), key=key) for _, load, key in columns)] for label in labels]
    return table(name, ["row", *(title for title, _, _ in columns)], lines, numbers=range(1, len(columns) + 1))


def _metrics(name: str, loads: Sequence[str], columns: Mapping[str, str], *, percent: bool = False) -> str:
    """Metrics of every row that has one of them, load by load."""
    scale, digits = (100.0, 1) if percent else (1.0, 2)
    found = {r["name"]: r for r in read(name)}
    scenario = name.removeprefix("aura-") if name != "aura-paper" else name
    lines = []
    for label in labels(name):
        records = [found.get(f"{m}/{scenario}/{load}/{label}/iqm") for load in loads for m in columns]
        if any(records):
            lines.append([label, *(interval(record, scale, digits) for record in records)])
    titles = [f"{title}{' %' if percent else ''}, {load}" for load in loads for title in columns.values()]
    return table(name, ["row", *titles], lines, numbers=range(1, len(titles) + 1))


def _found(name: str) -> str:
    lines = [
        [topic, load, row, record["against"], record["detail"]] for record, (load, row, topic) in named(name, "found")
    ]
    return table(name, ["as found", "load", "row", "against", "measured"], lines)


TABLES: dict[str, Callable[[], str]] = {
    "systems": systems,
    "aura-paper": aura_paper,
    "aura-paper-main": aura_paper_main,
    "aura-paper-checks": aura_paper_checks,
    "aura-headlines": aura_headlines,
    "aura-failures": aura_failures,
    "aura-use": aura_use,
    "aura-reward": aura_reward,
    "aura-found": aura_found,
    "aura-calibration": aura_calibration,
    "aura-agreement": aura_agreement,
    "aura-twin": aura_twin,
    "aura-twin-found": aura_twin_found,
}
