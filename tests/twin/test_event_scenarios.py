"""Events in scenario files: every mistake is told in one sentence with its line."""

from __future__ import annotations

import pytest

from ranpilot.errors import ConfigError
from ranpilot.twin.scenario_file import read_scenario

TEXT = """\
name: small
carrier: {frequency_ghz: 2.0, num_prbs: 52, prbs_per_group: 4}
layout:
  area_m: [0, 0, 1000, 1000]
  sites: [{name: a, x_m: 0, y_m: 0, height_m: 25, propagation: UMa, power_dbm: 40}]
users:
  population: {kind: arrivals, arrivals_per_s: 2, mean_holding_s: 3}
traffic:
  mix: [{kind: poisson, mean_rate_bps: 1.0e6}]
events:
  every_s: 4
  share: 0.5
  lead_s: [1, 3]
  first_s: 1
  kinds:
    - {name: surge, arrival_factor: 6}
    - {name: maintenance, places_share: 0}
"""


MISTAKES = [
    ("every_s: 4", "every_s: 0", "11: events.every_s = 0, but must be at least 0.1."),
    ("share: 0.5", "share: 50", "12: events.share = 50, but must be at most 1."),
    (
        "[1, 3]",
        "[3, 1]",
        "13: events.lead_s = [3.0, 1.0], but must be a least and a greatest time, in that order.",
    ),
    ("[1, 3]", "[-1, 3]", "13: events.lead_s.0 = -1, but must be at least 0."),
    ("[1, 3]", "2", "13: events.lead_s = 2, but must be a list."),
    ("lead_s: [1, 3]", "duration_s: [0, 3]", "13: events.duration_s = [0.0, 3.0], but must be at least 0.01 s."),
    ("first_s: 1", "first_s: 60", "10: events.last_s = 60.0, but must be after first_s (60)."),
    (
        "  every_s: 4",
        "  every_s: 0.1\n  last_s: 80000",
        "11: events.every_s = 0.1, but must be at least 7.9999 from first_s to last_s.",
    ),
    (
        "arrival_factor: 6",
        "arival_factor: 6",
        "16: events.kinds.0.arival_factor = 6, but must be left out (no such key; did you mean 'arrival_factor'; "
        "known: name, weight, announced_share, arrival_factor, departure_factor, traffic_factor, places_share, "
        "power_cut_db, off_air, backhaul_mbps, backhaul_delay_ms, backhaul_buffer_mbit, report).",
    ),
    ("arrival_factor: 6", "power_cut_db: -6", "16: events.kinds.0.power_cut_db = -6, but must be at least 0."),
    ("arrival_factor: 6", "announced_share: 2", "16: events.kinds.0.announced_share = 2, but must be at most 1."),
    ("places_share: 0", "places_share: 30", "17: events.kinds.1.places_share = 30, but must be at most 1."),
    (
        "name: maintenance",
        "name: surge",
        "15: events.kinds.name = 'surge', but must be different for every kind.",
    ),
    (
        "name: surge",
        "name: Big Surge",
        "16: events.kinds.0.name = 'Big Surge', but must be up to 40 small letters, digits and hyphens that begin with "
        "a letter.",
    ),
    (
        "kind: arrivals, arrivals_per_s: 2, mean_holding_s: 3",
        "kind: static, ues_per_cell: 2",
        "15: events.kinds.arrival_factor = 6.0, but must be 1 for a static population.",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "sentence"), MISTAKES)
def test_a_wrong_event_is_told_in_one_sentence(right: str, wrong: str, sentence: str) -> None:
    read_scenario(TEXT, source="s.yaml")
    with pytest.raises(ConfigError) as caught:
        read_scenario(TEXT.replace(right, wrong), source="s.yaml")
    assert str(caught.value) == f"s.yaml:{sentence}"


SCHEDULE = (
    TEXT[: TEXT.index("events:")]
    + """\
events:
  kinds:
    - surge
    - {name: storm, like: missing-kpm, backhaul_mbps: 5}
  schedule:
    - {kind: degraded-backhaul, cell: a, start_s: 1, duration_s: 2}
    - {kind: storm, cell: a, start_s: 1, duration_s: 2, announced_s: 2.5}
"""
)

SCHEDULE_MISTAKES = [
    (
        "kind: storm",
        "kind: stom",
        "16: events.schedule.1.kind = 'stom', but must be one of surge, storm, degraded-backhaul, maintenance, "
        "outage, planned-outage, stale-kpm, missing-kpm; did you mean 'storm'.",
    ),
    ("cell: a", "cell: b", "15: events.schedule.0.cell = 'b', but must be one of a."),
    ("start_s: 1, ", "start_s: -1, ", "15: events.schedule.0.start_s = -1, but must be at least 0."),
    ("start_s: 1, ", "start_s: 1.005, ", "15: events.schedule.0.start_s = 1.005, but must be a multiple of 0.01 s."),
    ("start_s: 1, ", "", "15: events.schedule.0.start_s = None, but must be given."),
    ("duration_s: 2}", "duration_s: 0}", "15: events.schedule.0.duration_s = 0, but must be at least 0.01."),
    ("2.5}", "3}", "16: events.schedule.1.announced_s = 3.0, but must be before the event is over (3 s)."),
    (
        "- surge",
        "- surg",
        "12: events.kinds.0.name = 'surg', but must be the name of a ready-made kind (surge, maintenance, outage, "
        "planned-outage, degraded-backhaul, stale-kpm, missing-kpm; did you mean 'surge').",
    ),
    (
        "like: missing-kpm",
        "like: 7",
        "13: events.kinds.1.like = 7, but must be the name of a ready-made kind (surge, maintenance, outage, "
        "planned-outage, degraded-backhaul, stale-kpm, missing-kpm).",
    ),
    ("backhaul_mbps: 5", "backhaul_mbps: 0", "13: events.kinds.1.backhaul_mbps = 0, but must be at least 0.001."),
    ("backhaul_mbps: 5", "traffic_factor: 30", "13: events.kinds.1.traffic_factor = 30, but must be at most 10."),
    ("backhaul_mbps: 5", "report: late", "13: events.kinds.1.report = 'late', but must be one of stale, missing."),
    (
        "backhaul_mbps: 5",
        "backhaul_buffer_mbit: 1",
        "13: events.kinds.1.backhaul_buffer_mbit = 1.0, but must be given with backhaul_mbps or backhaul_delay_ms.",
    ),
    ("  schedule:", "  every_s: 3\n  schedule:", "10: events.share = None, but must be given with every_s."),
    ("  schedule:", "  share: 0.5\n  schedule:", "10: events.every_s = None, but must be given with share."),
    (
        SCHEDULE[SCHEDULE.index("  schedule:") :],
        "",
        "10: events.every_s = None, but must be given where nothing is scheduled.",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "sentence"), SCHEDULE_MISTAKES)
def test_a_wrong_schedule_is_told_in_one_sentence(right: str, wrong: str, sentence: str) -> None:
    read_scenario(SCHEDULE, source="s.yaml")
    with pytest.raises(ConfigError) as caught:
        read_scenario(SCHEDULE.replace(right, wrong, 1), source="s.yaml")
    assert str(caught.value) == f"s.yaml:{sentence}"


def test_nothing_can_happen_where_no_kind_is_given() -> None:
    with pytest.raises(ConfigError, match=r"events\.kinds = \[\], but must be a list of at least 1"):
        read_scenario(TEXT[: TEXT.index("  kinds:")], source="s.yaml")
