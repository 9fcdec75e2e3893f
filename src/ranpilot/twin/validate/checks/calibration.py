"""Coupling gain, SINR and SIR of the large-scale calibration drops, UMa against 21 companies' curves.

Assumptions of TR 38.901 Table 7.8-1 at 6 GHz (`validate/drops.py`). UMa is held against 3GPP R1-165974: from the 5th
to the 95th percentile inside what the companies span, and within 1 dB (root mean square) of their mean. UMi and InH are
the same code without a reference. Of what the table leaves open: a user indoors has the shadowing of the O2I columns of
Table 7.5-6 (7 dB) beside the deviation of its wall, line of sight is decided by d_2D-out, sites shadow independently,
sectors look at neighbouring sites (ITU-R M.2135 figure 8).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin.validate.drops import CALIBRATIONS, Drops, calibration_scenario, drop_users
from ranpilot.twin.validate.line import Effort, Line, reported, within
from ranpilot.twin.validate.table import read_table

__all__ = ["lines"]

SEED = 1
NUM_USERS = {"full": 50_000, "quick": 4_000}
PERCENT = np.arange(101)
CLAIMED = slice(5, 96)
SOURCE = "TR 38.901 Table 7.8-1"
COMPANIES = "3GPP R1-165974, 21 companies"
WORST_RMS_DB = 1.0

FloatArray = NDArray[np.float64]


def lines(effort: Effort) -> Iterator[Line]:
    """Percentiles 0 to 100 of three quantities in three scenarios, and how far UMa is from the companies' mean."""
    table = read_table("uma_6ghz")
    for name in CALIBRATIONS:
        scenario = calibration_scenario(name)
        num_drops = -(-NUM_USERS[effort] // scenario.num_places)
        drops = drop_users(scenario, num_drops, SEED)
        for quantity in Drops._fields:
            values_db = getattr(drops, quantity)
            found_db = np.percentile(values_db, PERCENT)
            path, num = f"{name}/{quantity}", len(values_db)
            if name != "UMa-6GHz":
                for percent in PERCENT:
                    yield reported(f"cdf/{path}/{percent}", found_db[percent], "dB", SOURCE, n=num, seed=SEED)
                continue
            mean_db, least_db, most_db = (
                np.array([float(row[f"{quantity}_{what}"]) for row in table]) for what in ("mean", "min", "max")
            )
            room_db = 3.0 * _standard_error_db(values_db) if effort == "quick" else np.zeros(len(PERCENT))
            for percent in PERCENT:
                is_claimed = percent in PERCENT[CLAIMED]
                yield within(
                    f"cdf/{path}/{percent}",
                    found_db[percent],
                    least_db[percent] - room_db[percent] if is_claimed else None,
                    most_db[percent] + room_db[percent] if is_claimed else None,
                    "dB",
                    COMPANIES,
                    reference=mean_db[percent],
                    n=num,
                    seed=SEED,
                )
            rms_db = float(np.sqrt(np.mean((found_db - mean_db)[CLAIMED] ** 2)))
            most_rms_db = WORST_RMS_DB + float(np.mean(room_db[CLAIMED]))
            yield within(f"rms/{path}", rms_db, None, most_rms_db, "dB", COMPANIES, reference=0.0, n=num, seed=SEED)


def _standard_error_db(values_db: FloatArray) -> FloatArray:
    """Of each percentile of independent values: sqrt(p (1 - p) / n) over the density there."""
    share = PERCENT / 100.0
    beside = np.percentile(values_db, np.clip(PERCENT + 2, 0, 100)) - np.percentile(
        values_db, np.clip(PERCENT - 2, 0, 100)
    )
    width = (np.clip(PERCENT + 2, 0, 100) - np.clip(PERCENT - 2, 0, 100)) / 100.0
    error_db: FloatArray = np.sqrt(share * (1.0 - share) / len(values_db)) * beside / width
    return error_db
