"""The kernels give the same packets uncompiled, as plain Python, and warn of nothing there."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

CONFIGS = (
    {"kind": "poisson", "mean_rate_bps": 2e6},
    {"kind": "periodic", "jitter_s": 0.01},
    {"kind": "fitted", "profile": "urllc"},
    {"kind": "fitted", "profile": "embb", "scale": 2.0},
    {"kind": "ftp-3"},
    {"kind": "mmtc-bursts", "burst_s": 3.0},
    {"kind": "urllc", "mean_gap_s": 0.02},
    {"kind": "video", "frames_per_segment": 30},
    {"kind": "xr-frames"},
)
SCRIPT = """
import json, sys, warnings
import numpy as np
warnings.simplefilter("error")
from ranpilot.twin.traffic import make_model, parse_config
model = make_model(parse_config(json.loads(sys.argv[1])), 1e-3)
networks, ues = np.arange(6) // 3, np.arange(6) % 3
state = model.initial_state(3, networks, ues)
blocks = [model.draw_block(3, networks, ues, block, state) for block in range(4)]
print(json.dumps([[array.tolist() for array in packets] for packets in blocks]))
"""


@pytest.mark.parametrize("config", CONFIGS, ids=[str(config["kind"]) for config in CONFIGS])
def test_compiled_and_plain_python_give_the_same_packets(config: dict[str, object]) -> None:
    found = []
    for disable in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disable}
        command = [sys.executable, "-c", SCRIPT, json.dumps(config)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    for compiled, plain in zip(*found, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(compiled, plain, strict=True))
    assert sum(len(packets[0]) for packets in found[0]) > 100
