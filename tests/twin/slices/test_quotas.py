"""Quotas of slices hold to the group in every slot."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ranpilot.twin import Networks, slice_columns, state
from ranpilot.twin.controls import SCHEDULING_WEIGHT, SLICE_DEDICATED_RATIO, SLICE_MAX_RATIO, SLICE_MIN_RATIO
from ranpilot.twin.scenario import Scenario

NUM_GROUPS = 13
SITE = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 50}
GREEDY = {"name": "greedy", "kind": "full-buffer"}
SILENT = {"name": "silent", "kind": "poisson", "mean_rate_bps": 1.0}
MakeScenario = Callable[..., Scenario]


def load_reference() -> ModuleType:
    path = Path(__file__).parents[2] / "reference" / "slicing_reference.py"
    spec = importlib.util.spec_from_file_location("slicing_reference", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def one_cell(make_scenario: MakeScenario, tenants: list[dict[str, Any]], num_ues: int, **link: Any) -> Scenario:
    """One cell of 13 equal groups, nobody out of reach and no block lost."""
    return make_scenario(
        {
            "layout": {"sites": [SITE], "area_m": [-60, -60, 60, 60]},
            "carrier": {"num_prbs": 52, "prbs_per_group": 4},
            "users": {"population": {"kind": "static", "ues_per_cell": num_ues}, "mobility": {"kind": "static"}},
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "link": {"fixed_mcs": 10, **link},
            "traffic": {"mix": [GREEDY, SILENT]},
            "slices": {"tenants": tenants},
        }
    )


def tenant(name: str, share: float, kind: str = "greedy", **values: Any) -> dict[str, Any]:
    return {"name": name, "share": share, "traffic": [kind], **values}


def groups_by_slot(networks: Networks, slots: int) -> np.ndarray:
    """[B, slots, C, S] groups that each slice used in each slot."""
    counted = []
    for _ in range(slots):
        before = networks.counters().slices[..., slice_columns.SLICE_PRBS]
        networks.advance(1)
        counted.append(networks.counters().slices[..., slice_columns.SLICE_PRBS] - before)
    return np.stack(counted, axis=1) // 4


def warmed(scenario: Scenario, slots: int = 20) -> Networks:
    """A network whose users have reported."""
    networks = Networks(scenario, 1, seed=3)
    networks.advance(slots)
    return networks


def ratios(values: list[float]) -> np.ndarray:
    return np.array([[values]]) * 100.0


shares = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))


@given(drawn=st.lists(shares, min_size=4, max_size=4), slots=st.integers(1, 40))
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_slot_is_shared_out_as_the_slow_twin_does(
    make_scenario: MakeScenario, drawn: list[tuple[float, float, float]], slots: int
) -> None:
    reference = load_reference()
    tenants = [tenant("a", 0.4), tenant("b", 0.2), tenant("c", 0.3, "silent"), tenant("d", 0.1)]
    networks = warmed(one_cell(make_scenario, tenants, 10, scheduler="round-robin"))
    total = max(1.0, sum(least for least, _, _ in drawn))
    least = [own / total * (1 - 1e-12) for own, _, _ in drawn]
    most = [own + room * (1.0 - own) for own, (_, room, _) in zip(least, drawn, strict=True)]
    kept = [own * part for own, (_, _, part) in zip(least, drawn, strict=True)]
    controls = {SLICE_MIN_RATIO: ratios(least), SLICE_MAX_RATIO: ratios(most), SLICE_DEDICATED_RATIO: ratios(kept)}
    networks.apply(controls)
    plain = [reference.Share(*own, wanting) for *own, wanting in zip(least, most, kept, (4, 2, 0, 1), strict=True)]
    first = networks.slot
    counted = groups_by_slot(networks, slots)[0, :, 0]
    expected = [reference.groups_of_slot(plain, NUM_GROUPS, slot) for slot in range(first, first + slots)]
    assert counted.tolist() == expected


def test_a_share_of_part_of_a_group_is_met_on_average_and_within_a_group_in_every_slot(
    make_scenario: MakeScenario,
) -> None:
    least = [0.35, 0.4, 0.25]
    tenants = [
        tenant(name, 1 / 3, min_ratio=100 * own, max_ratio=100 * own) for name, own in zip("abc", least, strict=True)
    ]
    counted = groups_by_slot(warmed(one_cell(make_scenario, tenants, 9)), 1000)[0, :, 0]
    wanted = np.array(least) * NUM_GROUPS
    assert (np.abs(counted - wanted) < 1.0).all()
    np.testing.assert_allclose(counted.mean(axis=0), wanted, atol=2 / 1000 * NUM_GROUPS)
    assert (counted.sum(axis=1) == NUM_GROUPS).all()


def test_what_a_slice_does_not_want_is_lent_but_for_its_dedicated_part(make_scenario: MakeScenario) -> None:
    tenants = [
        tenant("busy", 0.5, min_ratio=20),
        tenant("idle", 0.5, "silent", min_ratio=60, dedicated_ratio=100 * 4 / 13),
    ]
    counted = groups_by_slot(warmed(one_cell(make_scenario, tenants, 8)), 100)[0, :, 0]
    assert (counted[:, 0] == NUM_GROUPS - 4).all()


def test_a_slice_alone_stays_below_its_maximum(make_scenario: MakeScenario) -> None:
    tenants = [tenant("busy", 0.5, max_ratio=100 * 5.5 / 13), tenant("idle", 0.5, "silent")]
    counted = groups_by_slot(warmed(one_cell(make_scenario, tenants, 8)), 400)[0, :, 0]
    assert set(counted[:, 0].tolist()) == {5, 6}
    assert abs(counted[:, 0].mean() - 5.5) < 0.02


def test_without_ratios_members_are_served_alike_whatever_their_slice(make_scenario: MakeScenario) -> None:
    tenants = [tenant("many", 0.6), tenant("few", 0.2), tenant("fewer", 0.2)]
    counted = groups_by_slot(warmed(one_cell(make_scenario, tenants, 10)), 400)[0, :, 0]
    np.testing.assert_allclose(counted.mean(axis=0), np.array([6, 2, 2]) * NUM_GROUPS / 10, rtol=0.08)


def test_minima_that_a_new_slice_takes_beyond_everything_are_scaled_down_alike(make_scenario: MakeScenario) -> None:
    tenants = [
        tenant("early", 0.5, min_ratio=60, max_ratio=100),
        tenant("late", 0.5, min_ratio=40, max_ratio=100, from_s=1.0),
    ]
    networks = warmed(one_cell(make_scenario, tenants, 8), slots=50)
    networks.apply({SLICE_MIN_RATIO: ratios([1.0, 0.0])})
    networks.advance(970)
    assert networks.slices.min_ratio[0, 0].tolist() == [100.0, 40.0]
    counted = groups_by_slot(networks, 400)[0, :, 0]
    # Both want all: 100 to 40, and the whole cell is given out.
    assert (counted.sum(axis=1) == NUM_GROUPS).all()
    np.testing.assert_allclose(counted.mean(axis=0) / NUM_GROUPS, [100 / 140, 40 / 140], atol=0.01)


def test_retransmissions_count_for_their_slice_and_come_first(make_scenario: MakeScenario) -> None:
    """With a tenth of the blocks lost a hard share is still kept, but for blocks that come back."""
    site = {"layout": {"sites": [{**SITE, "power_dbm": 30}], "area_m": [-900, -900, 900, 900]}}
    tenants = [tenant("a", 0.5, min_ratio=50, max_ratio=50), tenant("b", 0.5, min_ratio=50, max_ratio=50)]
    values = one_cell(make_scenario, tenants, 8).model_dump(mode="json")
    scenario = make_scenario({**values, **site, "link": {"fixed_mcs": None}, "radio": {**values["radio"]}})
    networks = warmed(scenario, 200)
    before = networks.counters().cell
    counted = groups_by_slot(networks, 600)[0, :, 0]
    repeated = (networks.counters().cell - before)[0, 0]
    assert repeated[state.CELL_BLOCKS] > repeated[state.CELL_FIRST_BLOCKS] > 0
    assert (counted <= 7).all()
    assert counted.sum(axis=1).mean() > 12.0


def give_reports(networks: Networks, seat: int, cqi: list[list[int]]) -> None:
    """Let the members of a slice have reported those CQIs, [member][group]."""
    rows = np.nonzero(networks.ues.seat[0] == seat)[0]
    for row, reported in zip(rows, cqi, strict=True):
        networks._state.cqi[0, row] = reported
        networks._state.cqi_on_its_way[0, row] = reported


def test_a_minimum_is_met_though_the_best_groups_of_a_slice_suit_only_one_member(make_scenario: MakeScenario) -> None:
    """One member of A with little to send does well on six groups, the other, greedy, can use only the other seven."""
    tenants = [tenant("a", 0.2, min_ratio=100 * 6 / 13), tenant("b", 0.8)]
    networks = warmed(one_cell(make_scenario, tenants, 10), 31)
    give_reports(networks, 0, [[15] * 6 + [0] * 7, [0] * 6 + [10] * 7])
    first = np.nonzero(networks.ues.seat[0] == 0)[0][0]
    inside = networks._state
    end = inside.ue[0, first, state.END]
    inside.ue[0, first, state.SENDING] = end - 1
    inside.packet[0, first, (end - 1) % inside.packet.shape[2], 0] = inside.ue[0, first, state.BACKLOG_BITS] = 200
    counted = groups_by_slot(networks, 1)[0, 0, 0]
    assert counted.tolist() == [7, 6] or counted.tolist() == [6, 7]


def test_a_member_that_may_not_be_served_does_not_choose_the_groups(make_scenario: MakeScenario) -> None:
    tenants = [tenant("a", 0.2, min_ratio=100 * 6 / 13, max_ratio=100 * 6 / 13), tenant("b", 0.8)]
    networks = warmed(one_cell(make_scenario, tenants, 10), 31)
    give_reports(networks, 0, [[15] * 6 + [0] * 7, [0] * 6 + [10] * 7])
    weight = np.ones((1, 10))
    weight[0, np.nonzero(networks.ues.seat[0] == 0)[0][0]] = 0.0
    networks.apply({SCHEDULING_WEIGHT: weight})
    assert groups_by_slot(networks, 1)[0, 0, 0].tolist() == [6, 7]


def test_a_minimum_that_one_slice_leaves_is_another_ones_before_it_is_lent(make_scenario: MakeScenario) -> None:
    """Retransmissions of the third slice hold six groups; the first wants one of its own, the second all."""
    tenants = [
        tenant("a", 0.2, "silent", min_ratio=100 * 6.5 / 13),
        tenant("b", 0.4, min_ratio=100 * 5.85 / 13),
        tenant("c", 0.4, min_ratio=100 * 0.65 / 13),
    ]
    networks = warmed(one_cell(make_scenario, tenants, 10), 31)
    inside, slot = networks._state, networks.slot
    of_a, of_c = (np.nonzero(networks.ues.seat[0] == seat)[0][0] for seat in (0, 2))
    inside.packet[0, of_a, inside.ue[0, of_a, state.END] % inside.packet.shape[2]] = [200, slot]
    inside.ue[0, of_a, state.END] += 1
    inside.ue[0, of_a, state.BACKLOG_BITS] = 200
    process = inside.process[0, of_c, 0]
    process[[state.BLOCK_BITS, state.GROUPS, state.MCS, state.DUE_SLOT, state.TRANSMISSIONS]] = [
        4000,
        0b111111,
        10,
        slot,
        1,
    ]
    process[state.FIRST_PACKET] = inside.ue[0, of_c, state.OLDEST]
    inside.ue[0, of_c, state.WAITING] = 1
    counted = groups_by_slot(networks, 1)[0, 0, 0]
    assert counted[0] == 1 and counted[1] >= 5 and counted.sum() == NUM_GROUPS


def test_an_earlier_deadline_goes_first_also_where_a_slice_is_offered_groups_twice(make_scenario: MakeScenario) -> None:
    """The same packets get the same groups whether they come as a minimum, as lent groups, or as both."""
    served = []
    for least in (0.0, 40.0, 100.0):
        tenants = [tenant("a", 1.0, min_ratio=least)]
        networks = warmed(one_cell(make_scenario, tenants, 6, scheduler="edf"), 31)
        networks._state.ue[..., state.DEADLINE_SLOTS] = np.array([[40, 90, 60, 400, 350, 33]])
        before = networks.counters().ue[0, :, state.UE_PRBS]
        networks.advance(1)
        served.append((networks.counters().ue[0, :, state.UE_PRBS] - before).tolist())
    assert served[0] == served[1] == served[2]
