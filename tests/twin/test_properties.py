"""What holds in every network, whatever the scenario and the controls: hypothesis looks for one where it does not."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from hypothesis import HealthCheck, given, settings

from ranpilot.twin import Networks
from ranpilot.twin.scenario_file import validate_scenario
from ranpilot.twin.validate.checks.conservation import run_at_random
from ranpilot.twin.validate.quotas import watch_quotas
from ranpilot.twin.validate.random_scenario import random_controls, random_values

from .scenario_strategy import Drawn, decisions, scenario_values

QUIET = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=20, **QUIET)
@given(choose=decisions())
def test_nothing_is_lost_or_made_and_every_measurement_is_in_its_bounds(choose: Drawn) -> None:
    for violations in run_at_random(choose):
        assert violations.total() == 0, +violations


@settings(max_examples=40, **QUIET)
@given(choose=decisions())
def test_quotas_of_slices_hold_to_the_group_in_every_slot(choose: Drawn) -> None:
    networks = Networks(validate_scenario(random_values(choose, is_sliced=True)), 1, seed=choose.whole(0, 2**31))
    for _ in range(3):
        networks.advance(choose.whole(1, 400))
        assert watch_quotas(networks, 30) == {}
        networks.apply(random_controls(choose, networks))


@settings(max_examples=8, **QUIET)
@given(values=scenario_values(), choose=decisions())
def test_the_same_network_comes_out_of_any_batch_threads_chunks_copy_and_snapshot(
    values: dict[str, Any], choose: Drawn
) -> None:
    scenario = validate_scenario(values)
    threads = min(2, int(numba.config.NUMBA_NUM_THREADS))
    whole, split = Networks(scenario, 3, seed=1, threads=1), Networks(scenario, 3, seed=1, threads=threads)
    alone = Networks(scenario, 1, seed=1, first_network=1)
    at = choose.whole(1, 60)
    for networks in (whole, alone):
        networks.advance(at)
    split.advance(at // 2)
    split.advance(at - at // 2)
    controls = random_controls(choose, whole)
    for networks in (whole, split):
        networks.apply(controls)
    alone.apply({name: np.asarray(value)[1:2] for name, value in controls.items()})
    copy, resumed = whole.fork(1), Networks(scenario, 3, seed=9)
    resumed.restore(split.snapshot())
    for networks in (whole, copy, resumed, alone):
        networks.advance(40)
    assert copy.fingerprint() == resumed.fingerprint() == whole.fingerprint()
    assert alone.fingerprint() == whole.fingerprint()[1:2]
