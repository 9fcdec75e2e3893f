"""Scenarios and controls at random: what the validation and the tests hold conservation and robustness against.

Every decision is asked of a `Choose`, so that the same text serves a seeded generator here and hypothesis in the tests.
Values of numbers that cost a new fading bank come from short lists.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike
from pydantic import TypeAdapter

from ranpilot.declare import Control
from ranpilot.twin.description.layout import Layout
from ranpilot.twin.description.link import Scheduler
from ranpilot.twin.network import Networks
from ranpilot.twin.traffic.protocol import BLOCK_SLOTS
from ranpilot.twin.validate.random_slices import random_slice_controls, random_slices

__all__ = ["Choose", "SeededChoice", "random_controls", "random_values"]

T = TypeVar("T")

HEIGHT_M = {"RMa": (10.0, 150.0), "UMa": (25.0, 25.0), "UMi": (10.0, 10.0), "InH": (3.0, 3.0), "InH-open": (1.0, 5.0)}
"""Least and greatest height of a station by its propagation."""


class Choose(Protocol):
    """What decides."""

    def one_of(self, options: Sequence[T]) -> T:
        """One of them."""
        ...

    def whole(self, low: int, high: int) -> int:
        """A whole number, both bounds included."""
        ...

    def number(self, low: float, high: float) -> float:
        """A number, both bounds included."""
        ...


class SeededChoice:
    """Uniform decisions from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def one_of(self, options: Sequence[T]) -> T:
        """One of them, all equally likely."""
        return self._random.choice(options)

    def whole(self, low: int, high: int) -> int:
        """A whole number, all equally likely."""
        return self._random.randint(low, high)

    def number(self, low: float, high: float) -> float:
        """A number, uniform."""
        return self._random.uniform(low, high)


def random_values(choose: Choose, *, is_sliced: bool | None = None) -> dict[str, Any]:
    """The values of a small scenario, as its YAML file would hold them; is_sliced: None = with slices or without."""
    arrives, layout = choose.one_of([False, True]), _layout(choose)
    values: dict[str, Any] = {
        "name": "random",
        "carrier": _carrier(choose),
        "layout": layout,
        "users": _users(choose, arrives, layout),
        "traffic": _traffic(choose),
        "radio": _radio(choose, layout),
        "link": _link(choose),
        "rrc": _rrc(choose, arrives),
        "energy": _energy(choose),
    }
    if choose.one_of([False, True]):
        values["events"] = _events(choose, arrives, layout)
    if choose.one_of([False, True]) if is_sliced is None else is_sliced:
        kinds = [entry["name"] for entry in values["traffic"]["mix"]]
        block_s = BLOCK_SLOTS * 15e-3 / values["carrier"]["subcarrier_spacing_khz"]
        ues_per_cell = values["users"]["population"].get("ues_per_cell")
        values["slices"] = random_slices(choose, kinds, ues_per_cell, block_s)
    return values


def random_controls(choose: Choose, networks: Networks) -> dict[Control | str, ArrayLike]:
    """Controls that the networks accept now: handovers, releases, limits, offsets, powers, weights, tilts, sleep."""
    seed = choose.whole(0, 2**20)
    generator = np.random.Generator(np.random.PCG64(seed))
    serving = networks.ues.serving_cell
    num_cells = networks.scenario.num_cells
    share = choose.one_of([0.0, 0.2, 1.0])
    is_released = generator.random(serving.shape) < choose.one_of([0.0, 0.1])
    target = generator.integers(0, num_cells, serving.shape)
    is_moved = (generator.random(serving.shape) < share) & (serving >= 0) & (target != serving) & ~is_released
    controls: dict[Control | str, ArrayLike] = {
        "FORCED_HANDOVER": np.where(is_moved, target, -1),
        "RELEASE": is_released.astype(int),
    }
    if choose.one_of([False, True]):
        controls["ADMISSION_LIMIT"] = generator.integers(0, 8, (networks.num, num_cells))
    if choose.one_of([False, True]):
        controls["CELL_INDIVIDUAL_OFFSET_DB"] = generator.uniform(-24.0, 24.0, (networks.num, num_cells))
        low, high = np.array([cell.power_range_dbm for cell in networks.scenario.cells]).T
        controls["TX_POWER_DBM"] = generator.uniform(low, high, (networks.num, num_cells))
    if choose.one_of([False, True]):
        controls["SCHEDULING_WEIGHT"] = generator.choice([np.nan, 0.0, 0.3, 1.0, 100.0], serving.shape)
    if choose.one_of([False, True]):
        is_directed = np.array([cell.antenna is not None for cell in networks.scenario.cells])
        tilt_deg = generator.uniform(-90.0, 90.0, (networks.num, num_cells))
        controls["DOWNTILT_DEG"] = np.where(is_directed, tilt_deg, np.nan)
    if choose.one_of([False, True]):
        controls["CELL_SLEEP"] = generator.choice([0, 0, 1, 2, 3], (networks.num, num_cells))
    if choose.one_of([False, True]):
        controls |= random_slice_controls(choose, networks)
    return controls


def _carrier(choose: Choose) -> dict[str, Any]:
    num_prbs, per_group = choose.one_of([(6, 16), (25, 2), (52, 4), (106, 8), (273, 16), (62, 1)])
    spacing = choose.one_of([15, 30, 60, 120])
    frequency = choose.one_of([0.7, 3.5, 28.0])
    return {
        "num_prbs": num_prbs,
        "prbs_per_group": per_group,
        "subcarrier_spacing_khz": spacing,
        "frequency_ghz": frequency,
    }


def _layout(choose: Choose) -> dict[str, Any]:
    kind = choose.one_of(["explicit", "explicit", "hexagonal", "indoor-office"])
    if kind == "explicit":
        return _explicit(choose)
    power_dbm = choose.number(0.0, 46.0)
    sectors = choose.one_of([1, 3])
    layout: dict[str, Any] = {
        "kind": kind,
        "sectors": sectors,
        "power_dbm": power_dbm,
        "min_power_dbm": power_dbm - choose.one_of([0.0, 6.0]),
        "capacity": choose.one_of([1, 3]),
        "placement": choose.one_of(["uniform", "best-server"]),
    }
    if sectors == 3:
        layout["antenna"] = _antenna(choose)
    if kind == "indoor-office":
        return {**layout, "office": choose.one_of(["open", "mixed"])}
    propagation = choose.one_of(["RMa", "UMa", "UMi"])
    return {
        **layout,
        "propagation": propagation,
        "height_m": choose.number(*HEIGHT_M[propagation]),
        "num_sites": choose.one_of([1, 7]),
        "isd_m": choose.one_of([100.0, 1000.0]),
        "wrap_around": choose.one_of([True, False]),
    }


def _cell_names(layout: dict[str, Any]) -> list[str]:
    return [cell.name for cell in TypeAdapter(Layout).validate_python(layout).cells]


def _antenna(choose: Choose) -> dict[str, Any]:
    return {
        "elements": choose.one_of([1, 2, 10]),
        "spacing_wavelengths": choose.one_of([0.5, 0.8]),
        "downtilt_deg": choose.number(-90.0, 90.0),
    }


def _explicit(choose: Choose) -> dict[str, Any]:
    extent_m = choose.one_of([20.0, 300.0, 3000.0])
    models = choose.one_of([["RMa", "UMa", "UMi"], ["RMa", "UMa", "UMi"], ["InH", "InH-open", "UMi"]])
    sites = []
    for index in range(choose.whole(1, 5)):
        propagation = choose.one_of(models)
        power_dbm = choose.number(0.0, 46.0)
        sites.append(
            {
                "name": f"s{index}",
                "x_m": choose.number(0.0, extent_m),
                "y_m": choose.number(0.0, extent_m),
                "height_m": choose.number(*HEIGHT_M[propagation]),
                "propagation": propagation,
                "power_dbm": power_dbm,
                "min_power_dbm": power_dbm - choose.one_of([0.0, 6.0]),
                "max_power_dbm": power_dbm + choose.one_of([0.0, 6.0]),
                "capacity": choose.one_of([1, 3, 8]),
                "azimuths_deg": choose.one_of([(), (), (90.0,), (0.0, 120.0, 240.0)]),
            }
        )
        if sites[-1]["azimuths_deg"]:
            sites[-1]["antenna"] = _antenna(choose)
    where = {"area_m": [0.0, 0.0, extent_m, extent_m], "placement": choose.one_of(["best-server", "uniform"])}
    return {**where, "sites": sites, "min_distance_m": choose.one_of([0.0, 1.0])}


def _users(choose: Choose, arrives: bool, layout: dict[str, Any]) -> dict[str, Any]:
    population: dict[str, Any] = {"kind": "static", "ues_per_cell": choose.whole(1, 5 if "sites" in layout else 2)}
    if arrives:
        population = {
            "kind": "arrivals",
            "arrivals_per_s": choose.one_of([0.0, 2.0, 50.0]),
            "mean_holding_s": choose.one_of([0.1, 1.0, 100.0]),
            "initial_load": choose.one_of([0.0, 2.0]),
        }
    slow_kmh = choose.one_of([0.0, 3.0, 120.0])
    mobility = {
        "kind": choose.one_of(["static", "lines", "waypoint"]),
        "min_speed_kmh": slow_kmh,
        "max_speed_kmh": slow_kmh + choose.one_of([0.0, 300.0]),
    }
    users = {"population": population, "mobility": mobility, "rx_antennas": choose.one_of([1, 2])}
    return {**users, "indoor": _indoor(choose, layout)}


def _indoor(choose: Choose, layout: dict[str, Any]) -> dict[str, Any] | None:
    """Users in buildings that every site's propagation model knows, or None."""
    models = [site.get("propagation", "InH") for site in layout.get("sites", [layout])]
    if any(model.startswith("InH") for model in models) or choose.one_of([True, False]):
        return None
    share = choose.one_of([0.3, 1.0])
    if "RMa" in models:
        return {"share": share, "high_loss_share": 0.0, "min_floors": 1, "max_floors": 3, "max_depth_m": 10.0}
    return {"share": share, "high_loss_share": choose.number(0.0, 1.0), "min_floors": choose.whole(1, 8)}


def _traffic(choose: Choose) -> dict[str, Any]:
    count = choose.whole(1, 3)
    mix: list[dict[str, Any]] = []
    for _ in range(count):
        models: list[dict[str, Any]] = [
            {"kind": "poisson", "mean_rate_bps": 1e5, "packet_bits": 500},
            {"kind": "poisson", "mean_rate_bps": 5e6, "packet_bits": 12_000},
            {"kind": "poisson", "mean_rate_bps": 0.0},
            {"kind": "periodic", "period_s": 0.003, "packet_bits": 4_000, "jitter_s": 0.002},
            {"kind": "full-buffer", "packet_bits": 30_000},
            {"kind": "full-buffer", "packet_bits": 1_000_000_000, "interval_slots": 7},
            {"kind": "fitted", "profile": "embb"},
            {"kind": "fitted", "profile": "urllc", "scale": 3.0},
            {"kind": "ftp-3", "mean_rate_bps": 4e6, "file_bits": 40_000},
            {"kind": "mmtc-bursts", "devices": 2_000, "burst_s": 2.0, "period_s": 3.0},
            {"kind": "urllc", "mean_gap_s": 0.004},
            {"kind": "video", "frames_per_segment": 3, "packet_bits": 100_000},
            {"kind": "xr-frames", "mean_rate_bps": 2e6, "packet_bits": 30_000},
        ]
        mix.append(
            {
                **choose.one_of(models),
                "name": f"kind {len(mix)}",
                "share": 1.0 / count,
                "deadline_ms": choose.one_of([None, 1.0, 20.0, 300.0]),
                "target_bler": choose.one_of([None, 1e-3]),
            }
        )
    return {
        "mix": mix,
        "buffer_packets": choose.one_of([4, 33, 256]),
        "buffer_bits": choose.one_of([None, None, 20_000]),
    }


def _radio(choose: Choose, layout: dict[str, Any]) -> dict[str, Any]:
    # Exact fading costs a thousand times more: only among few links.
    is_small = len(layout.get("sites", ())) in (1, 2)
    return {
        "shadowing": choose.one_of([True, False]),
        "line_of_sight": choose.one_of(["random", "always", "never"]),
        "fading": choose.one_of(["bank", None, "exact" if is_small else "bank"]),
        "rice_factor": choose.one_of(["model", None, 40.0]),
        "site_correlation": choose.one_of([0.5, 0.0, 1.0]),
        "individual_interferers": choose.whole(1, 8),
    }


def _link(choose: Choose) -> dict[str, Any]:
    period = choose.one_of([2, 10, 33])
    processes = choose.one_of([1, 8, 20])
    mcs_table = choose.one_of([1, 2, 3])
    return {
        "scheduler": choose.one_of(get_args(Scheduler)),
        "mcs_table": mcs_table,
        "cqi_table": choose.one_of([1, 2, 3]),
        "fairness_time_ms": choose.one_of([1.0, 100.0]),
        "cqi_period_slots": period,
        "cqi_delay_slots": choose.whole(0, period - 1),
        "target_bler": choose.one_of([0.001, 0.1, 0.5]),
        "initial_offset_db": choose.one_of([0.0, 3.0, -3.0]),
        "max_offset_db": choose.one_of([3.0, 20.0]),
        "fixed_mcs": choose.one_of([None, None, 0, 10, 27 if mcs_table == 2 else 28]),
        "harq_processes": processes,
        "harq_round_trip_slots": choose.whole(1, processes),
        "harq_max_transmissions": choose.whole(1, 8),
    }


def _rrc(choose: Choose, arrives: bool) -> dict[str, Any]:
    qout_db = choose.one_of([-30.0, -8.0, 15.0])
    handover = {
        "event": choose.one_of(["none", "a3", "a5"]),
        "offset_db": choose.one_of([2.0, -15.0, 0.0]),
        "serving_below_dbm": choose.one_of([-106.0, -31.0]),
        "neighbour_above_dbm": choose.one_of([-102.0, -156.0]),
        "hysteresis_db": choose.one_of([0.0, 2.0]),
        "time_to_trigger_ms": choose.one_of([0.0, 40.0]),
        "preparation_ms": choose.one_of([0.0, 25.0]),
        "forced_preparation_ms": choose.one_of([0.0, 15.0]),
        "interruption_ms": choose.one_of([0.0, 0.3, 50.0]),
        "t304_ms": choose.one_of([None, 50.0, 100.0]),
    }
    failure = {
        "qout_db": qout_db,
        "qin_db": qout_db + choose.one_of([0.0, 2.0]),
        "n310": choose.whole(1, 3),
        "t310_ms": choose.one_of([0.0, 100.0]),
        "n311": choose.whole(1, 3),
        "then": choose.one_of(["reestablish", "leave"]) if arrives else "reestablish",
        "t311_ms": choose.one_of([50.0, 200.0]),
        "cell_search_ms": choose.one_of([0.0, 50.0]),
        "reestablishment_ms": choose.one_of([0.0, 33.0]),
        "suitable_rsrp_dbm": choose.one_of([None, -60.0]),
        "suitable_sinr_db": choose.one_of([None, 0.0]),
    }
    coefficient = choose.one_of([4, 0])
    return {"rsrp_filter_coefficient": coefficient, "handover": handover, "link_failure": failure}


def _energy(choose: Choose) -> dict[str, Any]:
    return {
        "category": choose.one_of([1, 2]),
        "reference_set": choose.one_of([2, 1, 3]),
        "active_power_w": choose.one_of([None, 500.0]),
        "load_independent_share": choose.one_of([0.4, 0.0, 1.0]),
        "automatic_sleep": choose.one_of(["micro", "none", "light"]),
        "doze_after_ms": choose.one_of([0.1, 20.0]),
    }


def _events(choose: Choose, arrives: bool, layout: dict[str, Any]) -> dict[str, Any]:
    least_s, told_s = choose.number(0.01, 0.2), choose.one_of([None, 0.02, 0.1])
    cell = choose.one_of(_cell_names(layout))
    changes = {"arrival_factor": 20.0, "departure_factor": 5.0} if arrives else {}
    return {
        "every_s": 0.1,
        "share": choose.one_of([0.5, 1.0]),
        "lead_s": [0.0, choose.number(0.0, 0.2)],
        "duration_s": [least_s, math.nextafter(least_s + 0.2, math.inf)],
        "last_s": 2.0,
        "kinds": [
            {"name": "crowd", "announced_share": 0.5, **changes},
            {"name": "closed", "places_share": choose.one_of([0.0, 0.5])},
            {"name": "quiet", "power_cut_db": choose.number(0.0, 4.0)},
            {"name": "surge", "traffic_factor": choose.one_of([0.3, 2.5])},
            {
                "name": "thin-wire",
                "announced_share": 0.5,
                "backhaul_mbps": choose.one_of([None, 0.5, 20.0]),
                "backhaul_delay_ms": choose.one_of([3.0, 40.0]),
                "backhaul_buffer_mbit": choose.one_of([None, 0.01]),
            },
            {"name": "dark", "off_air": choose.one_of([False, True])},
            {"name": "deaf", "report": choose.one_of(["stale", "missing"])},
        ],
        "schedule": [
            {"kind": "thin-wire", "cell": cell, "start_s": 0.05, "duration_s": 0.1, "announced_s": told_s},
            {"kind": "surge", "cell": cell, "start_s": 0.0, "duration_s": 0.12},
        ],
    }
