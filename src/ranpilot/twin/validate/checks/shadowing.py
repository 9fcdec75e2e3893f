"""Shadowing in running networks: its spread, how it decorrelates along the ground, and what sites and sectors share.

Networks are drawn twice with the same users, with and without shadowing: the difference of their coupling gains is the
shadowing of every link, as the slot loop uses it. Reference: standard deviations of TR 38.901 Table 7.4.1-1 and
decorrelation distances of Table 7.5-6 (exp(-d / d_cor), §7.4.4); 0.5 between sites (TR 36.814 Annex A.2.1), 1 between
sectors of one site (TR 38.901 §7.5 step 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.validate.line import Effort, Line, compared

__all__ = ["lines"]

SEED = 5
NETWORKS = {"quick": 2000, "full": 20_000}
USERS_A_CELL = 12
SIGMA = "TR 38.901 Table 7.4.1-1"
DISTANCE = "TR 38.901 Table 7.5-6"
CASES = (
    ("UMa", "always", 4.0, 37.0),
    ("UMa", "never", 6.0, 50.0),
    ("UMi", "always", 4.0, 10.0),
    ("UMi", "never", 7.82, 13.0),
    ("InH", "always", 3.0, 10.0),
    ("InH", "never", 8.03, 6.0),
    ("RMa", "never", 8.0, 120.0),
)
INDOORS = (("UMa", 7.0, 7.0), ("UMi", 7.0, 7.0))
"""In buildings: O2I columns of Table 7.5-6."""
LAGS = (0.5, 1.0, 2.0)
"""Decorrelation distances between the users of a pair."""
LAG_WIDTH = 0.1
ERRORS = 4.0
"""Standard errors that an estimate may be off, beside what the shared fields, finite samples themselves, leave."""
FIELD_BIAS = 0.02

FloatArray = NDArray[np.float64]


def lines(effort: Effort) -> Iterator[Line]:
    """Sigma, decorrelation, correlation of sites and of sectors."""
    num = NETWORKS[effort]
    for model, sight, sigma_db, decorrelation_m in CASES:
        place = "los" if sight == "always" else "nlos"
        yield from _field(f"shadowing/{model}/{place}", model, sight, sigma_db, decorrelation_m, num, indoors=False)
    for model, sigma_db, decorrelation_m in INDOORS:
        yield from _field(f"shadowing/{model}/o2i", model, "never", sigma_db, decorrelation_m, num, indoors=True)
    yield from _sites_and_sectors(num)


def _field(
    name: str, model: str, sight: str, sigma_db: float, decorrelation_m: float, num: int, *, indoors: bool
) -> Iterator[Line]:
    """One site and users in a square two decorrelation distances wide."""
    layout = {
        "sites": [_site("a", model, 0.0, ())],
        "area_m": [300.0, 0.0, 300.0 + 2 * decorrelation_m, 2 * decorrelation_m],
    }
    if decorrelation_m < 10.0:
        layout["area_m"] = [300.0, 0.0, 310.0 + decorrelation_m, 10.0 + decorrelation_m]
    shadow_db, place_m = _draw(layout, sight, num, indoors=indoors)
    value = shadow_db[..., 0] / sigma_db  # [B, U]
    # Users of one network see one field: networks are the independent samples.
    spread = (value**2).mean(axis=1)
    error = float(spread.std(ddof=1) / np.sqrt(num))
    found_db, tolerance_db = sigma_db * float(np.sqrt(spread.mean())), 0.5 * sigma_db * (ERRORS * error + FIELD_BIAS)
    yield compared(f"{name}/sigma", found_db, sigma_db, tolerance_db, "dB", SIGMA, n=value.size, seed=SEED)
    apart = np.hypot(*(place_m[:, :, None] - place_m[:, None]).transpose(3, 0, 1, 2)) / decorrelation_m
    for lag in LAGS:
        near = (np.abs(apart - lag) < LAG_WIDTH) & (apart > 0.0)
        product = np.where(near, value[:, :, None] * value[:, None], 0.0).sum(axis=(1, 2))
        weight = near.sum(axis=(1, 2))
        expected = float(np.exp(-apart[near]).mean())
        found = float(product.sum() / weight.sum())
        error = float(np.sqrt(np.sum((product - found * weight) ** 2)) / weight.sum())
        yield compared(
            f"{name}/correlation-at-{lag:g}-decorrelation-distances", found, expected, ERRORS * error + FIELD_BIAS, "1",
            DISTANCE, n=int(weight.sum()), seed=SEED,
        )  # fmt: skip


def _sites_and_sectors(num: int) -> Iterator[Line]:
    sites = [_site("a", "UMa", 0.0, (30.0, 150.0, 270.0)), _site("b", "UMa", 500.0, ())]
    layout = {"sites": sites, "area_m": [100.0, 50.0, 400.0, 350.0]}
    shadow_db, _ = _draw(layout, "never", num)
    value = shadow_db / 6.0
    product = (value[..., 0] * value[..., 3]).mean(axis=1)
    error = float(product.std(ddof=1) / np.sqrt(num))
    yield compared(
        "shadowing/sites/correlation", float(product.mean()), 0.5, ERRORS * error + FIELD_BIAS, "1",
        "TR 36.814 Annex A.2.1", n=value[..., 0].size, seed=SEED,
    )  # fmt: skip
    largest_db = float(np.abs(shadow_db[..., 1:3] - shadow_db[..., :1]).max())
    source = "TR 38.901 §7.5 step 4"
    yield compared("shadowing/sectors/largest-difference", largest_db, 0.0, 1e-9, "dB", source, n=value.size, seed=SEED)


def _draw(layout: dict[str, Any], sight: str, num: int, *, indoors: bool = False) -> tuple[FloatArray, FloatArray]:
    """Shadowing [B, U, C] in dB, and where users are [B, U, 2]."""
    with_it, without = (
        Networks(_scenario(layout, sight, shadowing=shadowing, indoors=indoors), num, SEED)
        for shadowing in (True, False)
    )
    ues = with_it.ues
    assert (ues.x_m == without.ues.x_m).all()
    return without.coupling_gain_db() - with_it.coupling_gain_db(), np.stack([ues.x_m, ues.y_m], axis=-1)


def _scenario(layout: dict[str, Any], sight: str, *, shadowing: bool, indoors: bool) -> Scenario:
    # All on one floor, since floors are independent of each other.
    building = {"share": 1.0, "min_floors": 1, "max_floors": 1}
    return Scenario.model_validate(
        {
            "name": "shadowing",
            "carrier": {"frequency_ghz": 3.5, "num_prbs": 24, "prbs_per_group": 12},
            "layout": {**layout, "placement": "uniform"},
            "users": {
                "population": {"kind": "static", "ues_per_cell": USERS_A_CELL},
                "mobility": {"kind": "static"},
                "indoor": building if indoors else None,
            },
            "traffic": {"mix": [{"kind": "poisson", "mean_rate_bps": 1.0}], "buffer_packets": 4},
            "radio": {"fading": False, "line_of_sight": sight, "shadowing": shadowing},
        }
    )


def _site(name: str, model: str, x_m: float, azimuths_deg: tuple[float, ...]) -> dict[str, Any]:
    height_m = {"RMa": 35.0, "UMa": 25.0, "UMi": 10.0, "InH": 3.0}[model]
    place = {"name": name, "x_m": x_m, "y_m": 0.0, "height_m": height_m, "azimuths_deg": azimuths_deg}
    return {**place, "propagation": model, "power_dbm": 40.0}
