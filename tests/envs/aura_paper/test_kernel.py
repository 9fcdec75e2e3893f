from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.aura_paper.config import AuraPaperConfig, surge
from ranpilot.envs.aura_paper.environment import AuraPaper

REFERENCE = Path(__file__).parents[2] / "reference" / "aura_paper_reference.py"
UP, DOWN, KEEP, MOVE = range(4)


def play_beside_reference(config: AuraPaperConfig, seed: int, steps: int, num_networks: int, episode: int = 0) -> None:
    reference = runpy.run_path(str(REFERENCE))["ReferenceNetwork"]
    env = AuraPaper(config, num_networks, seed, first_network=7)
    env.reset(first_episode=episode)
    slow = [reference(config, seed, 7 + b, episode) for b in range(num_networks)]
    draw = np.random.default_rng(seed)
    for _ in range(steps):
        # Moves are what most rules are about.
        action = draw.choice(4, p=(0.2, 0.2, 0.1, 0.5), size=(num_networks, 2))
        outcome = env.step(action)
        for b, network in enumerate(slow):
            expected = network.step(list(action[b]))
            for name, counts in outcome.counts.items():
                np.testing.assert_allclose(counts[b], expected[name], atol=1e-12, err_msg=f"{name} of network {b}")
            np.testing.assert_allclose(outcome.reward[b], expected["reward"], atol=1e-12)
            local, state = network.observe(expected["dropped"])
            np.testing.assert_allclose(outcome.next_obs.local[b], local, atol=1e-12)
            np.testing.assert_allclose(outcome.next_obs.state[b], state, atol=1e-12)


@pytest.mark.parametrize("load", ["low", "normal", "high"])
def test_the_kernel_does_what_the_slow_twin_does(load: str) -> None:
    play_beside_reference(AuraPaperConfig().with_load(load), seed=3, steps=50, num_networks=3)


def test_the_kernel_does_what_the_slow_twin_does_in_surges_and_later_episodes() -> None:
    config = surge().model_copy(update={"surge_probability": 0.1, "most_moves": 1, "patience_steps": 1})
    play_beside_reference(config, seed=11, steps=50, num_networks=2, episode=123)


def test_the_kernel_does_the_same_uncompiled() -> None:
    code = (
        f"import runpy; play = runpy.run_path({str(Path(__file__))!r})['play_beside_reference'];"
        "from ranpilot.envs.aura_paper.config import AuraPaperConfig;"
        "play(AuraPaperConfig().with_load('high'), 5, 6, 1)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-W", "error::RuntimeWarning", "-c", code], env=environment, check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr


def empty_network(config: AuraPaperConfig, power: tuple[int, int] = (0, 0)) -> AuraPaper:
    """One network without a call and without randomness: nobody comes, leaves or moves."""
    env = AuraPaper(still(config), 1, 0)
    state = env._state
    state.num_calls[:] = 0
    state.calls_at[:] = state.requests_at[:] = state.bad_at[:] = state.oldest_at[:] = 0
    state.power_step[0] = power
    return env


def still(config: AuraPaperConfig) -> AuraPaperConfig:
    return config.model_copy(
        update={"arrivals_per_step": 0.0, "holding_steps": 1e18, "signal_sigma_db": 0.0, "snr_sigma_db": 0.0}
    )


def add_call(env: AuraPaper, station: int, links: tuple[float, float, float, float], age: int = 0) -> int:
    state = env._state
    call = int(state.num_calls[0])
    state.serving[0, call], state.age_steps[0, call], state.moved_from[0, call] = station, age, -1
    state.links[0, call] = links
    state.call_id[0, call] = call
    state.num_calls[0] += 1
    state.calls_at[0, station] += 1
    state.requests_at[0, station] += age > 0
    return call


GOOD = (-60.0, -60.0, 25.0, 25.0)
BAD_AT_RURAL = (-119.0, -60.0, 25.0, 25.0)
BAD_AT_URBAN = (-60.0, -119.0, 25.0, 25.0)
BAD_EVERYWHERE = (-119.0, -119.0, 25.0, 25.0)


def test_reward_is_served_share_minus_weighted_drops_power_and_ping_pong() -> None:
    env = empty_network(AuraPaperConfig(), power=(2, 7))
    for links in (GOOD, GOOD, BAD_AT_RURAL, BAD_EVERYWHERE):
        add_call(env, 0, links)
    add_call(env, 0, BAD_AT_RURAL, age=3)
    outcome = env.step([[UP, KEEP]])
    # Rural: of five calls one times out; of the four that are left one waits and one is out of reach.
    np.testing.assert_allclose(outcome.terms[0, 0], [2 / 5, -1.0, -0.1 * 3 / 3, 0.0])
    # Urban: no call, so nothing was left unserved; its power is the highest.
    np.testing.assert_allclose(outcome.terms[0, 1], [1.0, 0.0, -0.1, 0.0])
    np.testing.assert_allclose(outcome.reward[0], [0.4 - 1.0 - 0.1, 0.9])
    counts = {name: values[0].tolist() for name, values in outcome.counts.items()}
    assert counts["timed_out"] == [1, 0] and counts["dropped"] == [1, 0] and counts["outages"] == [1, 0]
    assert counts["requests"] == [1, 0] and counts["failures"] == [1, 0] and counts["failures_handover"] == [1, 0]
    np.testing.assert_allclose(outcome.next_obs.local[0, 0], [1.0, 2 / 4, 0.0, 1 / 3])


def test_a_request_has_three_chances_and_times_out_at_the_fourth_check() -> None:
    env = empty_network(AuraPaperConfig())
    add_call(env, 0, BAD_AT_RURAL)
    timed_out, due = [], []
    for _ in range(5):
        outcome = env.step([[KEEP, KEEP]])
        timed_out.append(outcome.counts["timed_out"][0, 0])
        due.append(outcome.next_obs.state[0, 1])
    assert timed_out == [0, 0, 0, 1, 0]
    assert due == [0, 0, 1, 0, 0]


def test_a_request_ends_when_the_alternative_vanishes() -> None:
    env = empty_network(AuraPaperConfig())
    add_call(env, 0, BAD_EVERYWHERE, age=3)
    outcome = env.step([[KEEP, KEEP]])
    assert outcome.counts["dropped"].sum() == 0
    assert env._state.age_steps[0, 0] == 0


def test_a_request_into_a_full_station_is_refused_and_its_call_lost() -> None:
    env = empty_network(AuraPaperConfig())
    for _ in range(29):
        add_call(env, 1, GOOD)
    for age in (1, 3, 2):
        add_call(env, 0, BAD_AT_RURAL, age=age)
    outcome = env.step([[MOVE, KEEP]])
    # One place: the oldest takes it, the two others are lost.
    assert outcome.counts["refused"][0].tolist() == [2, 0]
    assert env._state.calls_at[0].tolist() == [0, 30]
    assert outcome.next_obs.local[0, 1, 2] == 1.0
    assert outcome.next_obs.local[0, 0, 3] == pytest.approx(2 / 3)


def test_a_hand_off_moves_three_requests_at_most() -> None:
    env = empty_network(AuraPaperConfig())
    for _ in range(5):
        add_call(env, 0, BAD_AT_RURAL, age=1)
    env.step([[MOVE, KEEP]])
    assert env._state.calls_at[0].tolist() == [2, 3]


@pytest.mark.parametrize("first", [0, 1])
def test_stations_take_turns_in_handing_off_first(first: int) -> None:
    """Both full but for one place at the station that goes second: only who goes first can free a place."""
    env = empty_network(AuraPaperConfig())
    for _ in range(first):
        env.step([[KEEP, KEEP]])
    for station, places in ((0, 50), (1, 30)):
        for _ in range(places - 1):
            add_call(env, station, GOOD)
        add_call(env, station, (BAD_AT_RURAL, BAD_AT_URBAN)[station], age=1)
    outcome = env.step([[MOVE, MOVE]])
    refused = outcome.counts["refused"][0]
    # The first finds the other full and loses its call, which frees the place that the second one moves to.
    assert refused[first] == 1 and refused[1 - first] == 0


@pytest.mark.parametrize(("wait", "counted"), [(4, 1), (5, 0)])
def test_handing_back_within_five_steps_is_ping_pong(wait: int, counted: int) -> None:
    env = empty_network(AuraPaperConfig())
    call = add_call(env, 0, BAD_AT_RURAL, age=1)
    env.step([[MOVE, KEEP]])
    assert env._state.serving[0, call] == 1
    for _ in range(wait - 1):
        env.step([[KEEP, KEEP]])
    env._state.links[0, call] = BAD_AT_URBAN
    env.step([[KEEP, KEEP]])
    outcome = env.step([[KEEP, MOVE]])
    assert env._state.serving[0, call] == 0
    assert outcome.counts["pingpong"][0].tolist() == [0, counted]
    assert outcome.terms[0, 1, 3] == pytest.approx(-0.05 * counted)


def test_the_others_power_takes_half_its_offset_from_the_snr() -> None:
    """Rural at its lowest (offset -1.5 dB), urban at its highest (+3.5 dB): 5 dB are needed at 8.25 dB base SNR."""
    for snr_db, is_bad in ((8.24, True), (8.26, False)):
        env = empty_network(AuraPaperConfig(), power=(0, 7))
        add_call(env, 0, (-60.0, -60.0, snr_db, 25.0))
        outcome = env.step([[KEEP, KEEP]])
        assert outcome.next_obs.local[0, 0, 1] == float(is_bad)


def test_the_reflected_walk_keeps_links_uniform() -> None:
    config = AuraPaperConfig().model_copy(
        update={"arrivals_per_step": 0.0, "holding_steps": 1e18, "patience_steps": 10**6}
    )
    num = 400
    env = AuraPaper(config, num, 5)
    state = env._state
    draw = np.random.default_rng(0)
    low, span = np.array([-120.0, -120, 0, 0]), np.array([70.0, 70, 30, 30])
    state.num_calls[:], state.calls_at[:] = 80, (50, 30)
    state.serving[:, :50], state.serving[:, 50:] = 0, 1
    state.call_id[:] = np.arange(80)
    state.age_steps[:] = 0
    state.links[:] = low + span * draw.random((num, 80, 4))
    before = state.links.copy()
    for _ in range(30):
        env.step(np.full((num, 2), KEEP))
    after = (state.links - low) / span
    assert after.min() >= 0.0 and after.max() <= 1.0
    # It has walked: sigma 4 dB in 30 steps is 22 dB where nothing reflects.
    assert 10 < np.abs(state.links - before)[..., 0].mean() < 22
    counts, _ = np.histogram(after, bins=20, range=(0, 1))
    expected = after.size / 20
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()
    # Sharp enough to fail: clipping instead of reflecting would pile far more than this into the outer bins.
    assert 5 * np.sqrt(expected) / expected < 0.07


def test_calls_depart_with_probability_one_in_fifteen() -> None:
    config = AuraPaperConfig().model_copy(update={"arrivals_per_step": 0.0, "patience_steps": 10**6})
    num = 2000
    env = AuraPaper(config, num, 5)
    state = env._state
    state.num_calls[:], state.calls_at[:] = 40, (40, 0)
    state.serving[:], state.call_id[:], state.links[:] = 0, np.arange(80), GOOD
    env.step(np.full((num, 2), KEEP))
    share = 1 - state.num_calls.mean() / 40
    standard_error = np.sqrt(1 / 15 * 14 / 15 / (40 * num))
    assert abs(share - 1 / 15) < 4 * standard_error
    assert standard_error < 0.002
