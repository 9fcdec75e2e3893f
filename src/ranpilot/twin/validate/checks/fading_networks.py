"""What the simplifications of fading cost in whole networks, in SINR, PRB use and throughput.

Two runs of the same networks, users, ways and packets that differ in one thing: fading from the bank of traces or from
exact rays of each link; the strongest three interferers with a fading of their own or all of them. Differences are in
percent of the mean over networks; bounds are four standard errors of the paired differences and the slack named below.
SINR is that of every group of every user while all cells transmit, at the state that the run ends in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state as s
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario, merge
from ranpilot.twin.validate.line import Effort, Line, compared, reported

__all__ = ["lines"]

FloatArray = NDArray[np.float64]

SEED = 5
BANK_SLACK_PERCENT = 1.0
INTERFERER_SLACK_PERCENT = 0.5
INTERFERER_SLACK_DB = {"mean": 0.1, "5%": 0.1, "50%": 0.1, "95%": 0.3}
KPMS = ("RRU.PrbTotDl", "DRB.UEThpDl.UE", "CARR.WBCQIDist.Mean", "RP.InitialBlerDl")
BANK_RUN = {"quick": (8, 1500), "full": (40, 4000)}
"""Networks and slots."""
INTERFERER_RUN = {"quick": (12, 1000), "full": (96, 4000)}

_SITE = {"height_m": 10.0, "propagation": "UMi", "power_dbm": 41.0}
_TWO_CELLS: dict[str, Any] = {
    "name": "two-cells",
    "carrier": {"frequency_ghz": 3.5, "num_prbs": 24, "prbs_per_group": 4},
    "layout": {
        "area_m": [-100, -100, 300, 100],
        "sites": [{"name": "a", "x_m": 0.0, "y_m": 0.0, **_SITE}, {"name": "b", "x_m": 200.0, "y_m": 0.0, **_SITE}],
    },
    "users": {
        "population": {"kind": "static", "ues_per_cell": 3},
        "mobility": {"kind": "lines", "min_speed_kmh": 3, "max_speed_kmh": 60},
    },
    "traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 1.5e6}]},
}
_SEVEN_CELLS: dict[str, Any] = {
    "name": "seven-cells",
    "layout": {
        "area_m": [-300, -300, 300, 300],
        "sites": [
            {"name": f"{ring}-{turn}", "x_m": ring * 200 * np.cos(turn), "y_m": ring * 200 * np.sin(turn), **_SITE}
            for ring, turn in [(0, 0.0)] + [(1, index * np.pi / 3) for index in range(6)]
        ],
    },
}


def lines(effort: Effort) -> Iterator[Line]:
    """The bank against exact rays, and three interferers against all."""
    yield from _bank_against_rays(*BANK_RUN[effort])
    yield from _interferers(*INTERFERER_RUN[effort])


def _bank_against_rays(num: int, slots: int) -> Iterator[Line]:
    for rice, name in ((None, "rayleigh"), ("model", "rician")):
        radio = {"rice_factor": rice, "delay_spread_ns": 100.0}
        runs = [_run({"radio": {**radio, "fading": fading}}, num, slots) for fading in ("bank", "exact")]
        yield from _kpm_lines(f"fading/network/bank-against-exact/{name}", runs, BANK_SLACK_PERCENT)


def _interferers(num: int, slots: int) -> Iterator[Line]:
    runs = [_run({**_SEVEN_CELLS, "radio": {"individual_interferers": count}}, num, slots) for count in (3, 6)]
    yield from _kpm_lines("fading/network/three-interferers", runs, INTERFERER_SLACK_PERCENT)
    # The same state, so that only the interference differs.
    sinr_db = {count: _full_load_sinr_db(runs[0], count) for count in (1, 2, 3, 6)}
    for count in (1, 2, 3):
        for what, tolerance_db in INTERFERER_SLACK_DB.items():
            value, reference = (_point(sinr_db[each], what) for each in (count, 6))
            name = f"fading/sinr/{count}-interferers/{what}"
            source = "all six interferers with a fading of their own"
            if count == 3:
                yield compared(name, value, reference, tolerance_db, "dB", source, n=sinr_db[count].size, seed=SEED)
            else:
                yield reported(name, value - reference, "dB", source, n=sinr_db[count].size, seed=SEED)


def _run(changes: dict[str, Any], num: int, slots: int) -> Networks:
    networks = Networks(Scenario.model_validate(merge(_TWO_CELLS, changes)), num, SEED)
    networks.advance(slots)
    return networks


def _kpm_lines(name: str, runs: list[Networks], slack_percent: float) -> Iterator[Line]:
    """Means of KPMs over all cells or users, as paired differences over networks; the second run is the reference."""
    one, other = (networks.measure() for networks in runs)
    for kpm in KPMS:
        values, expected = (np.nanmean(each[kpm], axis=1) for each in (one, other))  # [B]
        difference = values - expected
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        tolerance = 4.0 * error + slack_percent / 100.0 * expected.mean()
        unit = {"RRU.PrbTotDl": "%", "DRB.UEThpDl.UE": "kbit/s", "RP.InitialBlerDl": "%"}.get(kpm, "index")
        source = "the same networks with the exact model"
        yield compared(
            f"{name}/{kpm}", values.mean(), expected.mean(), tolerance, unit, source, n=len(values), seed=SEED
        )


def _point(values: FloatArray, what: str) -> float:
    return float(values.mean() if what == "mean" else np.percentile(values, float(what.rstrip("%"))))


def _full_load_sinr_db(networks: Networks, individual: int) -> FloatArray:
    """SINR of all groups of all users, with so many interferers that fade one by one; [B, U, R]."""
    net, air = networks._state, networks._parameters.air
    walked = (networks.slot * net.ue_real[..., s.STEPS_PER_SLOT]).astype(np.int64)[..., None]
    step = (net.trace[..., s.TRACE_START] + walked) % air.fading.gain.shape[1]
    trace, half = net.trace[..., s.TRACE], air.fading.traces // 2
    second = np.where(trace % air.fading.traces < half, trace + half, trace - half)
    first_gain, second_gain = (air.fading.gain[each, step].astype(np.float64) for each in (trace, second))
    mean_mw = net.cell_real[:, None, :, s.PRB_POWER_MW] * net.gain  # [B, U, C]
    serving = np.arange(mean_mw.shape[2]) == net.ue[..., s.SERVING_CELL, None]
    order = np.argsort(np.argsort(-np.where(serving, 0.0, mean_mw), axis=2), axis=2)
    fading = np.where((order < individual)[..., None], first_gain, 1.0)
    others_mw = np.where(serving, 0.0, mean_mw)
    interference_mw = air.noise_mw + (others_mw[..., None] * fading).sum(axis=2)
    signal_mw = (np.where(serving, mean_mw, 0.0)[..., None] * (first_gain + second_gain)).sum(axis=2)
    sinr_db: FloatArray = 10.0 * np.log10(signal_mw / interference_mw)
    return sinr_db
