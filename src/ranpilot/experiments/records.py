"""The numbers of a report as one flat list for `--json FILE`; the tables and figures in the docs are made from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["flat_records"]

SHARES = ("used", "agreed", "matched", "trust")
STEPS = ("failures", "failures_handover", "announced_steps")


def flat_records(summary: Mapping[str, Any], threads: int) -> list[dict[str, Any]]:
    """Every number as `{name, value, unit, reference, difference, n, seed, threads}`, as far as each applies."""
    experiment = summary["experiment"]
    given = {"seed": experiment["base_seed"], "threads": threads}
    found = [record for row in summary["rows"] for record in _row(row, experiment["scenario"])]
    found += [_check(check, experiment["seeds"]) for check in summary["checks"]]
    found += [_finding(finding) for finding in summary["findings"]]
    return [{**record, **given} for record in found]


def _row(row: Mapping[str, Any], scenario: str) -> Iterator[dict[str, Any]]:
    """Every metric of one row at one load, and what is known of its trust and of its adviser."""
    place = f"{scenario}/{row['load']}/{row['label']}"
    for metric, interval in row["metrics"].items():
        record = {
            "name": f"{metric}/{place}/iqm",
            "value": interval["estimate"],
            "low": interval["low"],
            "high": interval["high"],
            "unit": _unit(metric),
            "n": interval["n"],
            "train_episodes": row["train_episodes"],
            "test_episodes": row["test_episodes"],
        }
        if metric == "dropped":
            record |= {"group": row["group"], "per_seed": row["per_seed"], **_against(row["against_control"])}
        yield record
    calibration = row["calibration"]
    if calibration is not None:
        error = calibration["error"]
        yield {
            "name": f"calibration-error/{place}",
            "value": error["estimate"],
            "low": error["low"],
            "high": error["high"],
            "unit": "1",
            "n": calibration["answers"],
            **{name: calibration[name] for name in ("bin_count", "bin_trust", "bin_won")},
        }
    if row["agreement_with_rules"] is not None:
        value, adviser = row["agreement_with_rules"], row["adviser"]
        yield {"name": f"agreement-with-rules/{place}", "value": value, "unit": "1", "adviser": adviser}


def _against(against: Mapping[str, Any] | None) -> dict[str, Any]:
    """Difference and ratio to the control with their intervals."""
    if against is None:
        return {"reference": None, "difference": None}
    found: dict[str, Any] = {"reference": against["control_iqm"]}
    for name in ("difference", "ratio"):
        interval = against[name]
        found |= {name: interval["estimate"], f"{name}_low": interval["low"], f"{name}_high": interval["high"]}
    return found


def _check(check: Mapping[str, Any], seeds: int) -> dict[str, Any]:
    return {
        "name": f"check/{check['load']}/{check['row']}/{check['claim']}",
        "value": check["value"],
        "unit": "",
        "reference": check["limit"],
        "holds": check["holds"],
        "is_expected_to_fail": check["is_expected_to_fail"],
        "detail": check["detail"],
        "n": seeds,
    }


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    value = finding["value"]
    return {
        "name": f"found/{finding['load']}/{finding['row']}/{finding['topic']}",
        "value": value["estimate"],
        "low": value["low"],
        "high": value["high"],
        "unit": finding["unit"],
        "against": finding["against"],
        "p": finding["p"],
        "detail": finding["text"],
        "n": value["n"],
    }


def _unit(metric: str) -> str:
    if metric in SHARES or metric == "reward":
        return "1"
    return "steps/episode" if metric in STEPS else "1/episode"
