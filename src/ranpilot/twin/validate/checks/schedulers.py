"""What each scheduler is known to do.

Rates over Rayleigh fading are held against the numerical integral over the CQI, MCS and block error tables: of N users
with the same mean SINR, max C/I and (with a long memory) proportional fair serve one with the greatest CQI, round robin
any that reports one. No retransmissions and no outer loop, so that a served slot carries TBS x (1 - BLER). EDF is held
against a priority queue that shares no code with it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import Networks, state
from ranpilot.twin.parameters import CQI_SINR_DB, RE_PER_PRB, Parameters
from ranpilot.twin.phy import load_phy_tables, transport_block_bits
from ranpilot.twin.phy.bler import transport_block_error
from ranpilot.twin.phy.link_adaptation import cqi_from_sinr_db, index_from_sinr_db
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.traffic import make_model
from ranpilot.twin.validate.line import Effort, Line, compared, within

__all__ = ["lines"]

FloatArray = NDArray[np.float64]

NUM_UES = 8
NUM_PRBS = 8
SEED = 5
INTEGRAL = "numerical integral over the CQI, MCS and BLER tables"


def lines(effort: Effort) -> Iterator[Line]:
    """One subject after the other."""
    yield from _fading_gain(effort)
    yield from _shares()
    yield from _earliest_deadline(effort)
    yield from _delays(effort)


def _scenario(**changes: Any) -> Scenario:
    """One cell of one group with eight users at 1 km; `changes` replace whole parts."""
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 50}
    parts: dict[str, Any] = {
        "name": "one-group",
        "carrier": {
            "frequency_ghz": 2.0,
            "subcarrier_spacing_khz": 60,
            "num_prbs": NUM_PRBS,
            "prbs_per_group": NUM_PRBS,
        },
        "layout": {"sites": [site], "area_m": [1000, 0, 1010, 10]},
        "users": {
            "population": {"kind": "static", "ues_per_cell": NUM_UES},
            "mobility": {"kind": "lines", "min_speed_kmh": 15, "max_speed_kmh": 15},
            "rx_antennas": 1,
        },
        "radio": {"shadowing": False, "line_of_sight": "never"},
        "traffic": {"mix": [{"kind": "full-buffer", "packet_bits": 100_000}]},
    }
    return Scenario.model_validate(parts | changes)


# Rates over Rayleigh fading.


def _fading_gain(effort: Effort) -> Iterator[Line]:
    seconds, num, tolerance = (5.0, 4, 0.06) if effort == "quick" else (20.0, 16, 0.04)
    rate, served = {}, 0
    for scheduler in ("round-robin", "max-cqi", "proportional-fair"):
        link = {
            "scheduler": scheduler,
            "fairness_time_ms": 10_000,
            "cqi_period_slots": 2,
            "cqi_delay_slots": 0,
            "max_offset_db": 0,
            "harq_max_transmissions": 1,
        }
        networks = Networks(_scenario(link=link), num, SEED)
        # Proportional fair learns the mean rates first.
        networks.advance(round(seconds / networks.scenario.slot_s))
        networks.measure()
        slots = round(seconds / networks.scenario.slot_s)
        before = networks.counters().cell[..., state.CELL_BITS_OUT].sum()
        networks.advance(slots)
        served = num * slots
        rate[scheduler] = (networks.counters().cell[..., state.CELL_BITS_OUT].sum() - before) / served
    any_user, best_user = _expected_rates(networks)
    for scheduler, expected in (("round-robin", any_user), ("max-cqi", best_user), ("proportional-fair", best_user)):
        name = f"schedulers/rayleigh/{scheduler}/bits-a-slot"
        yield compared(name, rate[scheduler], expected, tolerance * expected, "bit", INTEGRAL, n=served, seed=SEED)
    gain, expected = rate["proportional-fair"] / rate["round-robin"], best_user / any_user
    name = "schedulers/rayleigh/proportional-fair-gain"
    yield compared(name, gain, expected, tolerance * expected, "1", INTEGRAL, n=served, seed=SEED)


def _expected_rates(networks: Networks) -> tuple[float, float]:
    """Bits a slot where any user with a report is served, and where one with the greatest CQI is."""
    parameters, inside = networks._parameters, networks._state
    power_mw = inside.cell_real[:, 0, state.PRB_POWER_MW]
    mean_sinr = float((power_mw[:, None] * inside.gain[:, :, 0]).mean()) / parameters.air.noise_mw
    share = (np.arange(200_000) + 0.5) / 200_000
    sinr_db = 10.0 * np.log10(-mean_sinr * np.log1p(-share))
    threshold_db = load_phy_tables(1, NUM_PRBS, RE_PER_PRB).cqi_threshold_db
    edges = np.searchsorted(sinr_db, threshold_db[1:])
    cqi = np.searchsorted(edges, np.arange(len(sinr_db)), side="right")
    assert cqi[-1] == cqi_from_sinr_db(threshold_db, sinr_db[-1])
    probability = np.bincount(cqi, minlength=16) / len(cqi)
    bits = np.zeros(16)
    for index in range(1, 16):
        if probability[index] > 0.0:
            bits[index] = _mean_bits(parameters, index, sinr_db[cqi == index])
    below = np.cumsum(probability)
    greatest = np.diff(np.concatenate([[0.0], below**NUM_UES]))
    none = probability[0]
    any_user = float(probability @ bits) / (1.0 - none) * (1.0 - none**NUM_UES)
    return any_user, float(greatest @ bits)


def _mean_bits(parameters: Parameters, cqi: int, sinr_db: FloatArray) -> float:
    """Over the SINRs that report this CQI, in equal shares."""
    phy = parameters.phy
    mcs = index_from_sinr_db(phy.mcs_threshold_db, parameters.link.cqi[CQI_SINR_DB][cqi])
    # Columns TRANSPORT_BITS, NUM_CODE_BLOCKS, SIZE_CLASS.
    bits, num_blocks, size_class = phy.block[mcs, NUM_PRBS]
    weight = phy.size_weight[mcs, NUM_PRBS]
    picked = sinr_db[:: max(1, len(sinr_db) // 400)]
    errors = [transport_block_error(phy.probit, mcs, size_class, weight, num_blocks, float(at_db)) for at_db in picked]
    return float(bits) * (1.0 - float(np.mean(errors)))


# Shares of resources without fading.


def _shares() -> Iterator[Line]:
    for weights, name in (((1.0,) * 4, "alike"), ((1.0, 2.0, 3.0, 4.0), "weighted-1-to-4")):
        for scheduler in ("round-robin", "proportional-fair"):
            share = _prb_shares(scheduler, weights)
            expected = np.array(weights) / sum(weights)
            apart = float(np.abs(share / expected - 1.0).max())
            full = f"schedulers/shares/{scheduler}/{name}/greatest-distance"
            # Proportional fair's mean rates swing by what one slot adds to them.
            high = 0.01 if scheduler == "round-robin" else 0.03
            yield within(full, apart, None, high, "1", "by definition", reference=0.0, n=4000, seed=SEED)
    share = _prb_shares("max-cqi", (1.0,) * 4, apart=True)
    yield compared("schedulers/shares/max-cqi/of-the-best", share.max(), 1.0, 0.0, "1", "by definition", n=4000)


def _prb_shares(scheduler: str, weights: tuple[float, ...], *, apart: bool = False) -> FloatArray:
    """Shares of the PRBs that four users get who always have something to send; apart: at other distances."""
    scenario = _scenario(
        layout={**_scenario().layout.model_dump(), "area_m": [300, 0, 1400, 10] if apart else [1000, 0, 1010, 10]},
        users={"population": {"kind": "static", "ues_per_cell": 4}, "mobility": {"kind": "static"}},
        radio={"shadowing": False, "line_of_sight": "never", "fading": False},
        link={"scheduler": scheduler, "fairness_time_ms": 1000},
    )
    networks = Networks(scenario, 1, SEED)
    networks.apply({"SCHEDULING_WEIGHT": np.array([weights])})
    networks.advance(4000)
    before = networks.counters().ue[0, :, state.UE_PRBS]
    networks.advance(4000)
    prbs = networks.counters().ue[0, :, state.UE_PRBS] - before
    shares: FloatArray = prbs / prbs.sum()
    if apart:
        # The user with the greatest CQI, the first of them if there are several, stands in front.
        best = int(networks._state.cqi[0, :, 0].argmax())
        shares = shares[[best]]
    return shares


# Deadlines.


def _earliest_deadline(effort: Effort) -> Iterator[Line]:
    """Packets that fill a slot exactly, three deadlines, no errors: what left when, user by user."""
    num_slots = 4_000 if effort == "quick" else 40_000
    bits = transport_block_bits(NUM_PRBS, 10)
    slot_s = _scenario().slot_s
    mean_rate_bps = 0.97 * bits / slot_s / NUM_UES
    mix = [
        {
            "kind": "poisson",
            "share": 1 / 3,
            "mean_rate_bps": mean_rate_bps,
            "packet_bits": bits,
            "deadline_ms": deadline,
        }
        for deadline in (2.0, 5.0, 20.0)
    ]
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 46}
    scenario = _scenario(
        layout={"sites": [site], "area_m": [-50, -50, 50, 50]},
        users={"population": {"kind": "static", "ues_per_cell": NUM_UES}, "mobility": {"kind": "static"}},
        radio={"shadowing": False, "line_of_sight": "always", "fading": False},
        link={"scheduler": "edf", "fixed_mcs": 10},
        traffic={"mix": mix, "buffer_packets": 4096},
    )
    networks = Networks(scenario, 1, SEED)
    networks.advance(num_slots)
    columns = [state.UE_PACKETS_OUT, state.UE_DELAY_SLOTS, state.UE_PACKETS_EXPIRED]
    ours = networks.counters().ue[0][:, columns]
    expected = _serve_from_a_heap(networks, num_slots)
    wrong = int((ours != expected).sum())
    source = "a priority queue by time of expiry"
    yield compared("schedulers/edf/counters-that-differ", wrong, 0, 0, "1", source, n=int(ours[:, 0].sum()), seed=SEED)
    yield within(
        "schedulers/edf/packets-expired", float(ours[:, 2].sum()), 1, None, "1", "so that it matters", n=num_slots
    )


def _serve_from_a_heap(networks: Networks, num_slots: int) -> NDArray[np.int64]:
    """Packets out, their delays in slots and packets expired of each user, [U, 3]."""
    scenario, ue = networks.scenario, networks._state.ue[0]
    models = [make_model(config, scenario.slot_s) for config in scenario.traffic.models()]
    counted = np.zeros((NUM_UES, 3), np.int64)
    waiting: list[tuple[int, int, int]] = []
    seed = networks._state.identity[:, state.SEED]
    for slot in range(num_slots):
        if slot % 1000 == 0:
            drawn = [
                models[ue[user, state.TRAFFIC_KIND]]
                .draw_block(seed, np.zeros(1, np.int64), np.array([user]), slot // 1000, np.zeros((1, 0)))
                .slot
                for user in range(NUM_UES)
            ]
        for user in range(NUM_UES):
            for _ in range(int((drawn[user] == slot % 1000).sum())):
                heapq.heappush(waiting, (slot + int(ue[user, state.DEADLINE_SLOTS]), user, slot))
        while waiting and waiting[0][0] <= slot:
            counted[heapq.heappop(waiting)[1], 2] += 1
        # A user is first served when its first report has travelled.
        can = [packet for packet in waiting if slot >= packet[1] + scenario.link.cqi_delay_slots]
        if can:
            packet = min(can)
            waiting.remove(packet)
            heapq.heapify(waiting)
            counted[packet[1], :2] += (1, slot - packet[2] + 1)
    return counted


def _delays(effort: Effort) -> Iterator[Line]:
    """Users alike with 86 % of what the cell could carry and a deadline of 100 ms, in fading: the tail of the delay."""
    num = 4 if effort == "quick" else 16
    mix = [{"kind": "poisson", "mean_rate_bps": 1.2e6, "packet_bits": 2000, "deadline_ms": 100}]
    measured = {}
    for scheduler in ("proportional-fair", "m-lwdf"):
        traffic = {"mix": mix, "buffer_packets": 4096}
        networks = Networks(_scenario(link={"scheduler": scheduler}, traffic=traffic), num, SEED)
        networks.advance(16_000)
        counted = networks.counters().ue.sum(axis=(0, 1))
        edges_ms, packets = networks.delay_histogram()
        below = np.cumsum(packets.sum(axis=(0, 1)))
        tail_ms = [edges_ms[np.searchsorted(below, share * below[-1])] for share in (0.95, 0.99)]
        measured[scheduler] = (*tail_ms, counted[state.UE_PACKETS_EXPIRED] / counted[state.UE_PACKETS_IN])
    source = "proportional fair on the same traffic; Andrews et al. 2001"
    names = (("95-percent-delay", "ms", 0.8), ("99-percent-delay", "ms", 0.8), ("share-expired", "1", 0.5))
    fair, delayed = measured["proportional-fair"], measured["m-lwdf"]
    for (name, unit, factor), ours, theirs in zip(names, delayed, fair, strict=True):
        full = f"schedulers/m-lwdf/{name}"
        yield within(full, ours, None, factor * theirs, unit, source, reference=theirs, n=num * 16_000, seed=SEED)
