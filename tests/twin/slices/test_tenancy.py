"""Slices arrive and leave with their members, and nothing of it depends on batch, chunks, copies or snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.twin import Networks, slice_columns, state
from ranpilot.twin.scenario import Scenario

MakeScenario = Callable[..., Scenario]
WEB = {"name": "web", "kind": "poisson", "mean_rate_bps": 2e5, "deadline_ms": 200, "share": 0.75}
CONTROL = {"name": "control", "kind": "poisson", "mean_rate_bps": 2e4, "packet_bits": 800, "share": 0.25}
SIMPLE = {"shadowing": False, "line_of_sight": "always", "fading": False}


def sliced(make_scenario: MakeScenario, tenants: list[dict[str, Any]], **changes: Any) -> Scenario:
    slices = {"tenants": tenants} | changes.pop("slices", {})
    values = {"radio": SIMPLE, "traffic": {"mix": [WEB, CONTROL]}, "slices": slices}
    population = {"population": {"kind": "static", "ues_per_cell": 5}}
    return make_scenario({"users": population} | values | changes)


def tenant(name: str, share: float, *traffic: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "share": share, "traffic": list(traffic) or ["web"], **values}


def catalogue(num: int, share: float = 0.2) -> list[dict[str, Any]]:
    return [tenant(f"t{index}", share, ("web", "control")[index % 2]) for index in range(num)]


def members(networks: Networks) -> np.ndarray:
    """[B, S] connected members."""
    ues = networks.ues
    seats = np.arange(networks.slices.tenant.shape[1])
    return ((ues.seat[..., None] == seats) & (ues.serving_cell >= 0)[..., None]).sum(axis=1)


def test_slices_are_there_from_their_first_to_their_last_second(make_scenario: MakeScenario) -> None:
    tenants = [tenant("stays", 0.5), tenant("late", 0.3, from_s=1.0), tenant("early", 0.2, "control", until_s=2.0)]
    networks = Networks(sliced(make_scenario, tenants), 2, seed=1)
    seen = []
    for _ in range(6):
        networks.advance(500)
        seen.append((networks.slices.tenant[0].tolist(), members(networks)[0].tolist()))
    there = [[0, -1, 2]] * 2 + [[0, 1, 2]] * 2 + [[0, 1, -1]] * 2
    assert [who for who, _ in seen] == there
    counts = {0: 5, 1: 3, 2: 2}
    assert [num for _, num in seen] == [[counts[index] if index >= 0 else 0 for index in who] for who in there]
    since = networks.slices.since_slot[0]
    assert since[:2].tolist() == [0, 1000]


def test_members_have_the_traffic_of_their_slice_in_the_shares_of_the_mix(make_scenario: MakeScenario) -> None:
    tenants = [tenant("web", 0.25), tenant("control", 0.25, "control"), tenant("both", 0.5, "web", "control")]
    population = {"population": {"kind": "static", "ues_per_cell": 20}}
    networks = Networks(sliced(make_scenario, tenants, users=population), 40, seed=2)
    kind, seat = networks.ues.traffic_kind, networks.ues.seat
    assert (kind[seat == 0] == 0).all() and (kind[seat == 1] == 1).all()
    assert (np.bincount(seat.ravel()) == [400, 400, 800]).all()
    share = (kind[seat == 2] == 0).mean()
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 800)


def test_under_turnover_seats_hold_different_tenants_between_least_and_most(make_scenario: MakeScenario) -> None:
    turnover = {"least": 1, "most": 3, "mean_stay_s": 2.0, "mean_gap_s": 2.0}
    networks = Networks(sliced(make_scenario, catalogue(8), slices={"turnover": turnover}), 30, seed=5)
    came: set[int] = set()
    counts = []
    for _ in range(12):
        who = networks.slices.tenant
        for row in who:
            there = row[row >= 0]
            assert len(set(there.tolist())) == len(there)
            came.update(there.tolist())
        counts.append((who >= 0).sum(axis=1))
        np.testing.assert_array_equal(members(networks) > 0, who >= 0)
        networks.advance(1000)
    assert np.min(counts) == 1 and np.max(counts) == 3
    assert came == set(range(8))
    # Seats are taken half the time where the bound does not hold a slice back, so a little more.
    assert 1.5 < np.mean(counts[6:]) < 2.3


def test_what_enters_a_slice_is_what_enters_the_cells(make_scenario: MakeScenario) -> None:
    turnover = {"least": 0, "most": 3, "mean_stay_s": 1.0, "mean_gap_s": 1.0}
    networks = Networks(sliced(make_scenario, catalogue(6), slices={"turnover": turnover}), 4, seed=5)
    networks.advance(4500)
    counted = networks.counters()
    for of_slice, of_cell in (
        (slice_columns.SLICE_PACKETS_IN, state.CELL_PACKETS_IN),
        (slice_columns.SLICE_PACKETS_OUT, state.CELL_PACKETS_OUT),
        (slice_columns.SLICE_BITS_OUT, state.CELL_BITS_OUT),
        (slice_columns.SLICE_PACKETS_DROPPED, state.CELL_PACKETS_DROPPED),
        (slice_columns.SLICE_PACKETS_LOST, state.CELL_PACKETS_LOST),
        (slice_columns.SLICE_DELAY_SLOTS, state.CELL_DELAY_SLOTS),
        (slice_columns.SLICE_BUSY_SLOTS, state.CELL_BUSY_SLOTS),
        (slice_columns.SLICE_CONNECTED_SUM, state.CELL_CONNECTED_SUM),
        (slice_columns.SLICE_PRBS, state.CELL_PRBS),
    ):
        np.testing.assert_array_equal(counted.slices[..., of_slice].sum(axis=2), counted.cell[..., of_cell])
    np.testing.assert_array_equal(counted.slice_delay.sum(axis=2), counted.delay)
    assert counted.slices[..., slice_columns.SLICE_BITS_OUT].sum() > 1e6
    assert networks.counters().cell[..., state.CELL_DEPARTURES].sum() > 0


def test_packets_within_the_delay_budget_are_counted(make_scenario: MakeScenario) -> None:
    tenants = [tenant("promised", 0.5, sla={"delay_ms": 3.9}), tenant("not", 0.5)]
    networks = Networks(sliced(make_scenario, tenants), 1, seed=1)
    networks.advance(2000)
    counted = networks.counters()
    on_time = counted.slices[0, :, :, slice_columns.SLICE_PACKETS_ON_TIME].sum(axis=0)
    # The first three bins hold delays of one, two and three slots.
    assert on_time.tolist() == [counted.slice_delay[0, :, 0, :3].sum(), 0]
    assert 0 < on_time[0] < counted.slices[0, :, 0, slice_columns.SLICE_PACKETS_OUT].sum()


@pytest.mark.parametrize("arrivals", [False, True], ids=["turnover", "arrivals"])
def test_slices_do_not_depend_on_batch_chunks_copies_or_snapshots(make_scenario: MakeScenario, arrivals: bool) -> None:
    turnover = {"least": 1, "most": 3, "mean_stay_s": 1.0, "mean_gap_s": 1.0}
    if arrivals:
        population = {"kind": "arrivals", "arrivals_per_s": 3.0, "mean_holding_s": 1.0}
        tenants = [tenant("a", 0.6, "web", "control", min_ratio=30, max_ratio=50), tenant("b", 0.4)]
        scenario = sliced(make_scenario, tenants, users={"population": population})
    else:
        scenario = sliced(make_scenario, catalogue(6), slices={"turnover": turnover})
    whole = Networks(scenario, 3, seed=9, threads=1)
    split = Networks(scenario, 3, seed=9)
    alone = Networks(scenario, 1, seed=9, first_network=1)
    whole.advance(2600)
    for slots in (1000, 600, 1, 999):
        split.advance(slots)
    kept = split.snapshot()
    copy = split.fork(1)
    restored = Networks(scenario, 3, seed=0)
    restored.restore(kept)
    alone.advance(2600)
    assert alone.fingerprint() == whole.fingerprint()[1:2]
    assert split.fingerprint() == whole.fingerprint()
    for networks in (whole, split, copy, restored):
        networks.advance(1700)
    assert whole.fingerprint() == split.fingerprint() == copy.fingerprint() == restored.fingerprint()


def test_a_fresh_future_has_other_tenants_to_come_and_the_same_that_are_there(make_scenario: MakeScenario) -> None:
    turnover = {"least": 1, "most": 3, "mean_stay_s": 1.0, "mean_gap_s": 1.0}
    networks = Networks(sliced(make_scenario, catalogue(20), slices={"turnover": turnover}), 1, seed=9)
    networks.advance(1000)
    forks = networks.fork(20, future="fresh", draw=list(range(20)))
    assert (forks.slices.tenant == networks.slices.tenant).all()
    forks.advance(1001)
    assert len({tuple(row) for row in forks.slices.tenant.tolist()}) > 5


@pytest.mark.parametrize(
    ("tenants", "changes", "sentence"),
    [
        (
            [tenant("a", 0.5, "video")],
            {},
            "slices.tenants[a].traffic = 'video', but must be one of the traffic mix (web, control).",
        ),
        (
            [tenant("a", 0.5), tenant("a", 0.5)],
            {},
            "slices.tenants.name = 'a', but must be different for every slice.",
        ),
        (
            [tenant("a", 0.7), tenant("b", 0.7)],
            {},
            "slices.tenants.share = [0.7, 0.7], but must be at most 1 in all at the start.",
        ),
        (
            [tenant("a", 0.5, min_ratio=60), tenant("b", 0.5, min_ratio=60, from_s=2)],
            {},
            "slices.tenants.min_ratio = [60.0, 60.0], but must be at most 100 in all at 2 s.",
        ),
        (
            [tenant("a", 0.5, min_ratio=60, max_ratio=50)],
            {},
            "slices.tenants.0.min_ratio = 60.0, but must be at most max_ratio (50).",
        ),
        (
            [tenant("a", 0.5, min_ratio=10, dedicated_ratio=20)],
            {},
            "slices.tenants.0.dedicated_ratio = 20.0, but must be at most min_ratio (10).",
        ),
        (
            [tenant("a", 0.5, sd="12345g")],
            {},
            "slices.tenants.0.sd = '12345g', but must be six hexadecimal digits in quotes.",
        ),
        (
            [tenant("a", 0.5, from_s=0.3)],
            {},
            "slices.tenants[a].from_s = 0.3, but must be a multiple of 1 s (a block of traffic).",
        ),
        (
            [tenant("a", 0.5, from_s=2, until_s=1)],
            {},
            "slices.tenants.0.until_s = 1.0, but must be after from_s (2).",
        ),
        (
            catalogue(3),
            {"slices": {"turnover": {"most": 4}}},
            "slices.turnover.most = 4, but must be at most the number of tenants (3).",
        ),
        (
            catalogue(3),
            {"users": {"population": {"kind": "arrivals", "arrivals_per_s": 1.0, "mean_holding_s": 1.0}},
             "slices": {"turnover": {"most": 2}}},
            "users.population.kind = 'arrivals', but must be static where slices come and go.",
        ),
        (
            [tenant("a", 0.95), tenant("b", 0.05)],
            {},
            "slices.tenants[b].share = 0.05, but must be at least 0.1: one of the 10 places for users.",
        ),
        (
            [tenant("a", 0.3), tenant("b", 0.3)],
            {"users": {"population": {"kind": "arrivals", "arrivals_per_s": 1.0, "mean_holding_s": 1.0}}},
            "slices.tenants.share = [0.3, 0.3], but must be shares that sum to 1 where users come and go by themselves "
            "(not 0.6).",
        ),
        (
            [tenant("a", 0.5, "web", "web")],
            {},
            "slices.tenants.0.traffic = ['web', 'web'], but must be kinds that are named once.",
        ),
        (
            [tenant("a", 0.5, until_s=2.0), tenant("b", 0.5)],
            {"slices": {"turnover": {"most": 2}}},
            "slices.tenants[a].until_s = 2.0, but must be left out under turnover.",
        ),
    ],
)  # fmt: skip
def test_slices_that_cannot_be_are_refused_in_a_sentence(
    make_scenario: MakeScenario, tenants: list[dict[str, Any]], changes: dict[str, Any], sentence: str
) -> None:
    from ranpilot.twin.scenario_file import validate_scenario

    fine = sliced(make_scenario, [tenant("fine", 1.0)]).model_dump(mode="json")
    slices = {"tenants": tenants} | changes.get("slices", {})
    with pytest.raises(ConfigError) as refused:
        validate_scenario(fine | {"slices": slices} | {key: changes[key] for key in changes if key != "slices"})
    assert str(refused.value) == sentence


@pytest.mark.parametrize("late_first", [True, False])
def test_who_comes_finds_the_places_of_who_leaves_whatever_their_order(
    make_scenario: MakeScenario, late_first: bool
) -> None:
    tenants = [tenant("late", 1.0, from_s=1.0), tenant("early", 1.0, until_s=1.0)]
    networks = Networks(sliced(make_scenario, tenants if late_first else tenants[::-1]), 1, seed=1)
    assert networks.slices.num_members[0].max() == 10
    networks.advance(1001)
    late = 0 if late_first else 1
    assert networks.slices.tenant[0, late] == late and networks.slices.num_members[0, late] == 10
    assert members(networks)[0, late] == 10


@pytest.mark.parametrize(("shares", "counts"), [([0.25] * 4, [2, 1, 2, 1]), ([1 / 3] * 3, [2, 2, 2])])
def test_every_place_is_somebodys_where_shares_add_up_to_one(
    make_scenario: MakeScenario, shares: list[float], counts: list[int]
) -> None:
    tenants = [tenant(f"t{index}", share) for index, share in enumerate(shares)]
    population = {"population": {"kind": "static", "ues_per_cell": 3}}
    networks = Networks(sliced(make_scenario, tenants, users=population), 1, seed=1)
    assert networks.slices.num_members[0].tolist() == counts


def test_devices_that_come_later_find_the_events_of_those_who_were_there(make_scenario: MakeScenario) -> None:
    bursts = {"name": "bursts", "kind": "mmtc-bursts", "devices": 20, "burst_s": 0.05, "period_s": 0.5}
    tenants = [tenant("early", 0.5, "bursts"), tenant("late", 0.5, "bursts", from_s=1.0)]
    scenario = sliced(make_scenario, tenants, traffic={"mix": [bursts], "buffer_packets": 256})
    networks = Networks(scenario, 1, seed=4)
    networks.advance(1000)
    arrived = []
    for _ in range(500):
        before = networks.counters().slices
        networks.advance(1)
        now = networks.counters().slices
        arrived.append((now - before)[0, :, :, slice_columns.SLICE_PACKETS_IN].sum(axis=0))
    slots = [np.nonzero(np.array(arrived)[:, seat])[0] for seat in range(2)]
    apart = np.subtract.outer(slots[0], slots[1])
    # All packets of both lie in one window of 50 slots, but for the seam of the period.
    apart = (apart + 250) % 500 - 250
    assert len(slots[0]) > 5 and len(slots[1]) > 5 and np.abs(apart).max() <= 51
