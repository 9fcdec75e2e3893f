from __future__ import annotations

import numpy as np
import pytest

from ranpilot.envs.aura_paper.config import AuraPaperConfig, Station, make_config
from ranpilot.envs.aura_paper.environment import AuraPaper
from ranpilot.envs.make import make_batch
from ranpilot.envs.words import level_counts
from ranpilot.errors import ActionError, CheckpointError, ConfigError, UnknownNameError

HIGH = AuraPaperConfig().with_load("high")
KEEP, MOVE = 2, 3


def draw_actions(steps: int, num: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (steps, num, 2))


def rewards_of(env: AuraPaper, actions: np.ndarray) -> np.ndarray:
    return np.array([env.step(action).reward for action in actions])


def test_a_network_evolves_the_same_in_any_batch() -> None:
    actions = draw_actions(60, 6)
    together = rewards_of(AuraPaper(HIGH, 6, 1, first_network=10), actions)
    for b in (0, 5):
        alone = rewards_of(AuraPaper(HIGH, 1, 1, first_network=10 + b), actions[:, b : b + 1])
        np.testing.assert_array_equal(alone[:, 0], together[:, b])


def test_threads_change_nothing() -> None:
    actions = draw_actions(60, 7)
    expected = rewards_of(AuraPaper(HIGH, 7, 1), actions)
    np.testing.assert_array_equal(rewards_of(AuraPaper(HIGH, 7, 1, threads=3), actions), expected)


def test_networks_seeds_and_episodes_differ() -> None:
    actions = np.full((50, 2, 2), KEEP)
    first = rewards_of(AuraPaper(HIGH, 2, 1), actions)
    assert not np.array_equal(first[:, 0], first[:, 1])
    assert not np.array_equal(first, rewards_of(AuraPaper(HIGH, 2, 2), actions))
    env = AuraPaper(HIGH, 2, 1)
    env.reset(first_episode=1)
    assert not np.array_equal(first, rewards_of(env, actions))


def test_the_next_episode_begins_in_the_step_that_cuts_one() -> None:
    env = AuraPaper(HIGH, 3, 1)
    for _ in range(50):
        assert env.observation.episode.tolist() == [0, 0, 0]
        outcome = env.step(np.full((3, 2), KEEP))
    assert outcome.truncated.all() and not outcome.terminated.any()
    assert outcome.next_obs.slot.tolist() == [50] * 3 and outcome.next_obs.episode.tolist() == [0] * 3
    assert not outcome.next_obs.first.any()
    assert env.observation.first.all() and env.observation.slot.tolist() == [0] * 3
    fresh = AuraPaper(HIGH, 3, 1)
    np.testing.assert_array_equal(env.observation.local, fresh.reset(first_episode=1).local)


def test_a_restored_snapshot_goes_on_exactly() -> None:
    actions = draw_actions(80, 3)
    env = AuraPaper(HIGH, 3, 1)
    rewards_of(env, actions[:30])
    data = env.snapshot()
    expected = rewards_of(env, actions[30:])
    other = AuraPaper(HIGH, 3, 1)
    other.restore(data)
    np.testing.assert_array_equal(rewards_of(other, actions[30:]), expected)


def test_a_snapshot_of_another_environment_or_a_broken_one_is_refused() -> None:
    env = AuraPaper(HIGH, 3, 1)
    data = env.snapshot()
    with pytest.raises(CheckpointError, match="belongs to another environment"):
        AuraPaper(HIGH, 3, 2).restore(data)
    for broken in (b"", b"nonsense", data[: len(data) // 2]):
        with pytest.raises(CheckpointError, match="cannot be read"):
            env.restore(broken)


def test_observations_and_outcomes_keep_their_values() -> None:
    env = AuraPaper(HIGH, 2, 1)
    obs = env.observation
    outcome = env.step(np.full((2, 2), MOVE))
    kept = obs.local.copy(), outcome.reward.copy(), outcome.counts["served"].copy(), outcome.next_obs.state.copy()
    rewards_of(env, draw_actions(60, 2))
    now = obs.local, outcome.reward, outcome.counts["served"], outcome.next_obs.state
    for before, after in zip(kept, now, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ([[0, 1]], r"action: shape = \(1, 2\), but must be \(2, 2\)\."),
        ([[0, 1], [0]], "action: shape = 'ragged', but must be"),
        ([[0, 1], [0, 4]], "action: network 1, urban = 4, but must be one of 0 'up', 1 'down', 2 'keep', 3 'move'"),
        ([[-1, 1], [0, 3]], "action: network 0, rural = -1, but must be"),
        ([[0, np.nan], [0, 1]], "action: network 0, urban = nan, but must be"),
        ([[0, 0.5], [0, 1]], "action: network 0, urban = 0.5, but must be"),
        ([["up", "up"], ["up", "up"]], "action: dtype = '<U2', but must be whole numbers"),
    ],
)
def test_a_bad_action_is_one_sentence_and_steps_nothing(action: object, message: str) -> None:
    env = AuraPaper(HIGH, 2, 1)
    before = env.snapshot()
    with pytest.raises(ActionError, match=message) as caught:
        env.step(action)  # type: ignore[arg-type]
    assert str(caught.value).count(". ") == 0
    assert env.snapshot() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_networks": 0}, "num_networks = 0, but must be a whole number within 1"),
        ({"first_network": -1}, "first_network = -1, but must be"),
        ({"seed": -5}, "seed = -5, but must be"),
        ({"threads": 0}, "threads = 0, but must be"),
    ],
)
def test_bad_arguments_are_refused(changes: dict[str, int], message: str) -> None:
    arguments = {"num_networks": 1, "seed": 0, **changes}
    with pytest.raises(ConfigError, match=message):
        AuraPaper(HIGH, **arguments)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"patience": 3}, r"patience = 3, but must be left out \(no such key; did you mean 'patience_steps'; "),
        ({"patience_steps": 0}, "patience_steps = 0, but must be at least 1"),
        ({"signal_sigma_db": 15.0, "signal_low_dbm": -60.0}, "signal_sigma_db = 15.0, but must be at most 5.77"),
        ({"snr_low_db": 30.0}, r"snr_low_db = 30.0, but must be less than snr_high_db \(30\)"),
        ({"usable_signal_dbm": -52.0}, "usable_signal_dbm = -52.0, but must be low enough"),
        ({"stations": [{"name": "a", "power_low_dbm": 9, "power_high_dbm": 9, "places": 3}] * 2}, "power_low_dbm = 9"),
    ],
)
def test_a_bad_configuration_is_one_sentence(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(values)


def test_the_default_is_the_recommended_setting_and_variants_change_what_they_say() -> None:
    config = AuraPaperConfig()
    assert [config.with_load(load).arrivals_per_step for load in ("low", "normal", "high")] == [0.5, 1.5, 3.0]
    assert (config.holding_steps, config.power_weight, config.num_places) == (15.0, 0.1, 80)
    power = make_batch("aura-paper", None, 1, 0, variant="power")
    surges = make_batch("aura-paper", None, 1, 0, variant="surge")
    assert isinstance(power, AuraPaper) and power.config.power_weight == 0.03
    assert isinstance(surges, AuraPaper) and surges.config.surge_probability == 0.02


def test_unknown_loads_variants_tasks_and_splits_are_named() -> None:
    for options in ({"load": "hihg"}, {"variant": "srge"}):
        with pytest.raises(UnknownNameError, match="did you mean"):
            make_batch("aura-paper", None, 1, 0, **options)
    with pytest.raises(UnknownNameError, match="task of aura-paper"):
        make_batch("aura-paper", "slicing", 1, 0)
    with pytest.raises(UnknownNameError, match="No split of aura-paper is called 'test'"):
        make_batch("aura-paper", None, 1, 0, split="test")  # type: ignore[arg-type]


def test_the_held_out_split_shares_no_randomness() -> None:
    train, heldout = (make_batch("aura-paper", None, 4, 0, split=split) for split in ("train", "heldout"))
    assert not np.array_equal(train.observation.state, heldout.observation.state)


def test_the_prompts_of_the_paper_have_1152_joint_states() -> None:
    spec = AuraPaper(HIGH, 1, 0).spec
    counts = level_counts(spec)
    assert counts.tolist() == [[4, 3, 2, 3], [8, 3, 2, 3]]
    assert counts[:, :3].prod() == 1152
    assert [len(set(words)) for words in spec.features[0].words] == [4, 8]
    assert spec.features[0].words[0] == ("lowest", "lower", "higher", "highest")


def test_other_stations_get_other_grids() -> None:
    wide = Station(name="wide", power_low_dbm=20, power_high_dbm=40, places=5)
    config = AuraPaperConfig(stations=(wide, AuraPaperConfig().stations[1]), usable_signal_dbm=-110.0)
    env = AuraPaper(config, 2, 0)
    assert len(env.spec.features[0].words[0]) == 21
    rewards_of(env, draw_actions(60, 2))
    assert (env._state.calls_at[:, 0] <= 5).all()


def test_surges_bring_more_calls() -> None:
    usual, surges = (make_batch("aura-paper", None, 200, 0, load="normal", variant=v) for v in ("default", "surge"))
    totals = []
    for env in (usual, surges):
        blocked = sum(env.step(np.full((200, 2), MOVE)).counts["blocked"].sum() for _ in range(50))
        totals.append(blocked)
    assert totals[1] > 1.5 * totals[0]
