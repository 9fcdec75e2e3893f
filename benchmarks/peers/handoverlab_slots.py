"""HandoverLab's proportional-fair slots, timed over runs of other worlds; prints one JSON line.

Runs under an interpreter that has the PyPI packages `handoverlab` and `numba`; the one argument is the JSON that
`benchmarks/peers.py` gives. Whole runs with its compiled slot loop: channel, link monitoring, event A3 and handover,
packets by FTP model 3, MCS, transport blocks and HARQ; the making of a world is not timed. Its SINR stands still from
one measurement to the next (`hold_s`), and a slot gives the whole band to one user.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from handoverlab.config import Scenario
from handoverlab.simulate import run_world
from handoverlab.world import build_world

PACKET_BYTES = 1500
SPEED_MPS = (0.83, 0.84)
RULE = {"rule": "a3", "off_db": 3.0, "ttt_s": 0.16}


def main() -> None:
    case = json.loads(sys.argv[1])
    scenario = make_scenario(case)
    wall_s, cpu_s, use_percent = [], [], []
    for repeat in range(case["repeats"] + 1):
        world = build_world(scenario, case["seed"] + repeat)
        wall, cpu = time.perf_counter(), time.process_time()
        found = run_world(world, [RULE])[0]
        wall_s.append(time.perf_counter() - wall)
        cpu_s.append(time.process_time() - cpu)
        use_percent.append(100.0 * found.metrics["mean_load"])
    # The first run compiles.
    result = {
        "cell_ms": len(case["sites"]) * case["seconds"] * 1e3,
        "wall_s": wall_s[1:],
        "cpu_s": cpu_s[1:],
        "use_percent": sum(use_percent[1:]) / case["repeats"],
    }
    print(json.dumps(result))


def make_scenario(case: dict[str, Any]) -> Scenario:
    """The sites with as many users, walking on an open area, and no traffic but theirs."""
    return Scenario.from_dict(
        {
            "name": "peer",
            "layout": {"kind": "open_area", "sites": case["sites"], "area_m": case["area_m"]},
            "radio": {
                "carrier_ghz": 3.5,
                "bandwidth_mhz": 20.0,
                "scs_khz": 15.0,
                "tx_power_dbm": case["power_dbm"],
                "bs_gain_db": 0.0,
                "isolation": 1.0,
                "noise_figure_db": 9.0,
                "fast_fading": "tdl-a" if case["fading"] else None,
            },
            "protocol": {"step_s": case["hold_s"], "l1_period_s": case["hold_s"], "scheduler": "pf"},
            "traffic": {
                "model": "ftp3",
                "ftp_file_bytes": PACKET_BYTES,
                "ftp_rate_hz": case["rate_bps"] / (8 * PACKET_BYTES),
                "hotspot_load": [0.0, 0.0],
                "normal_load": [0.0, 0.0],
            },
            "mobility": {
                "users": case["ues_per_cell"] * len(case["sites"]),
                "groups": [{"share": 1.0, "v_min": SPEED_MPS[0], "v_max": SPEED_MPS[1]}],
            },
            "run": {"duration_s": case["seconds"], "warmup_s": 0.0, "backend": "numba"},
        }
    )


if __name__ == "__main__":
    main()
