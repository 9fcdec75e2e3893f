"""What if the urban station had sent with more power? Ask copies of the running network, on the same futures."""

from __future__ import annotations

import numpy as np

from ranpilot import scenarios
from ranpilot.twin import Networks
from ranpilot.twin.controls import TX_POWER_DBM


def main() -> None:
    networks = Networks(scenarios.load("two-cell").with_load("high"), num=1, seed=7)
    networks.reset()
    networks.advance(slots=1000)
    options_dbm = [30.0, 34.0, 37.0]
    draws = 4
    # Copies with the same draw share all randomness to come, and never see the true future.
    copies = networks.fork(len(options_dbm) * draws, future="fresh", draw=np.tile(np.arange(draws), len(options_dbm)))
    power_dbm = np.full((copies.num, 2), np.nan)  # NaN: leave the rural station as it is
    power_dbm[:, 1] = np.repeat(options_dbm, draws)
    copies.apply({TX_POWER_DBM: power_dbm})
    copies.measure()
    copies.advance(slots=1000)
    sinr_db = copies.measure()["L1M.SS-SINR.Mean"].reshape(len(options_dbm), draws, 2).mean(axis=1)
    for option_dbm, (rural_db, urban_db) in zip(options_dbm, sinr_db, strict=True):
        print(f"urban at {option_dbm:.0f} dBm: mean SINR rural {rural_db:5.1f} dB, urban {urban_db:5.1f} dB")


if __name__ == "__main__":
    main()
