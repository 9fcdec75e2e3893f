from __future__ import annotations

import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from pettingzoo.test import parallel_api_test, parallel_seed_test

import ranpilot as rp
from ranpilot.envs.views import SingleView
from ranpilot.errors import ActionError, ConfigError, UnknownNameError
from ranpilot.twin.scenario_file import load_scenario

ID = "ranpilot/aura-paper-v0"


def test_the_single_view_passes_gymnasiums_check() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        single = gymnasium.make(ID).unwrapped
        assert isinstance(single, SingleView)
        check_env(single)


@pytest.mark.parametrize(
    "code",
    [
        "import gymnasium, ranpilot; gymnasium.make('ranpilot/aura-paper-v0')",
        "import ranpilot, gymnasium; gymnasium.make('ranpilot.envs.views:ranpilot/aura-paper-v0')",
    ],
)
def test_gymnasium_knows_the_ids_once_both_are_imported(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_parallel_view_passes_pettingzoos_checks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(rp.make("aura-paper", view="parallel"), num_cycles=120)
        parallel_seed_test(lambda: rp.make("aura-paper", view="parallel"), num_cycles=120)


def test_gymnasium_makes_the_registered_ids() -> None:
    vector = gymnasium.make_vec(ID, num_envs=3, vectorization_mode="vector_entry_point", load="high")
    assert vector.reset(seed=1)[0].shape == (3, 16)
    assert vector.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert "ranpilot/two-cell-v0" in gymnasium.registry


def test_the_vector_view_equals_single_environments_step_by_step() -> None:
    """Two episodes and a half, row b against the single environment with network id first_network + b."""
    num = 4
    vector = rp.make_vec("aura-paper", num_envs=num, seed=5, load="high", first_network=20)
    singles = [rp.make("aura-paper", seed=5, load="high", network=20 + b) for b in range(num)]
    obs, _ = vector.reset()
    single_obs = [single.reset()[0] for single in singles]
    vector.action_space.seed(0)
    for _ in range(125):
        np.testing.assert_array_equal(obs, single_obs)
        action = vector.action_space.sample()
        obs, reward, terminated, truncated, info = vector.step(action)
        for b, single in enumerate(singles):
            found, single_reward, is_terminated, is_truncated, single_info = single.step(action[b])
            assert (reward[b], terminated[b], truncated[b]) == (single_reward, is_terminated, is_truncated)
            np.testing.assert_array_equal(info["agent_reward"][b], single_info["agent_reward"])
            assert single_info["notice_ids"].shape == (0,) and single_info["texts"] == info["texts"] == ()
            for name, terms in info["terms"].items():
                np.testing.assert_array_equal(terms[b], single_info["terms"][name])
            for name, counts in info["counts"].items():
                np.testing.assert_array_equal(counts[b], single_info["counts"][name])
            if is_truncated:
                np.testing.assert_array_equal(info["final_obs"][b], found)
                found, _ = single.reset()
            single_obs[b] = found


def test_every_view_hands_on_what_agents_are_told() -> None:
    """Networks of `two-cell` over a cut: the texts are the same in the vector, single and parallel view."""
    options = {"load": "low", "seed": 3}
    short = load_scenario("two-cell").with_changes({"control": {"episode_steps": 16}})
    vector = rp.make_vec(short, num_envs=3, **options)
    singles = [rp.make(short, network=b, **options) for b in range(3)]
    parallel = rp.make(short, view="parallel", **options)
    info, single_info = vector.reset()[1], [single.reset()[1] for single in singles]
    agent_info, heard = parallel.reset()[1], 0
    for step in range(20):
        assert info["texts"] == single_info[0]["texts"] and len(info["texts"]) > 100
        np.testing.assert_array_equal(info["notice_ids"], [each["notice_ids"] for each in single_info])
        for agent, notice in zip(("rural", "urban"), info["notice_ids"][0], strict=True):
            assert agent_info[agent]["notice"] == (info["texts"][notice] if notice >= 0 else None)
        heard += (info["notice_ids"] >= 0).sum()
        info = vector.step(np.full((3, 2), 2))[4]
        single_info = [single.step([2, 2])[4] for single in singles]
        agent_info = parallel.step({"rural": 2, "urban": 2})[4]
        if step == 15:
            np.testing.assert_array_equal(info["final_notice_ids"], [each["notice_ids"] for each in single_info])
            single_info, agent_info = [single.reset()[1] for single in singles], parallel.reset()[1]
    assert heard > 15


def test_the_parallel_view_is_the_single_one_by_agent() -> None:
    single, parallel = rp.make("aura-paper", seed=2), rp.make("aura-paper", seed=2, view="parallel")
    single.reset()
    parallel.reset()
    for _ in range(50):
        action = single.action_space.sample()
        obs, reward, _, truncated, _ = single.step(action)
        seen, rewards, _, truncations, _ = parallel.step({"rural": action[0], "urban": action[1]})
        np.testing.assert_array_equal(np.concatenate([seen["rural"], seen["urban"], parallel.state()]), obs)
        assert sum(rewards.values()) == pytest.approx(reward)
        assert truncations == {"rural": truncated, "urban": truncated}
    assert truncated and parallel.agents == []


def test_observations_lie_in_the_declared_space_and_terms_add_up() -> None:
    vector = rp.make_vec("aura-paper", num_envs=8, load="high")
    vector.reset(seed=1)
    for _ in range(60):
        obs, reward, _, _, info = vector.step(vector.action_space.sample())
        assert vector.observation_space.contains(obs)
        np.testing.assert_allclose(sum(info["terms"].values()), info["agent_reward"])
        np.testing.assert_allclose(info["agent_reward"].sum(axis=1), reward)


def test_reset_goes_to_the_next_episode_a_seed_to_its_first_and_an_option_to_any() -> None:
    env = rp.make("aura-paper", seed=1)
    first, info = env.reset()
    assert info["episode_index"] == 0
    env.step([2, 2])
    later, info = env.reset()
    assert info["episode_index"] == 1 and not np.array_equal(first, later)
    again, info = env.reset(seed=1)
    assert info["episode_index"] == 0
    np.testing.assert_array_equal(first, again)
    chosen, info = env.reset(options={"episode": 1})
    assert info["episode_index"] == 1
    np.testing.assert_array_equal(later, chosen)


def test_no_episode_is_skipped_where_one_ended() -> None:
    env = rp.make_vec("aura-paper", num_envs=2)
    env.reset()
    for _ in range(50):
        info = env.step([[2, 2], [2, 2]])[4]
    assert info["_final_obs"].all() and info["episode_index"].tolist() == [1, 1]
    assert env.reset()[1]["episode_index"].tolist() == [1, 1]


def test_gymnasiums_own_wrappers_work_on_the_vector_view() -> None:
    env = RecordEpisodeStatistics(rp.make_vec("aura-paper", num_envs=2))
    env.reset(seed=0)
    total = np.zeros(2)
    for _ in range(50):
        _, reward, _, _, info = env.step(env.action_space.sample())
        total += reward
    np.testing.assert_allclose(info["episode"]["r"], total)


def test_render_says_the_state_in_words() -> None:
    single = rp.make("aura-paper", render_mode="ansi")
    single.reset(seed=0)
    single.step([2, 2])
    lines = single.render().splitlines()
    assert lines[0] == "power-handover on aura-paper: episode 0, slot 1"
    assert [line.split()[0] for line in lines[1:]] == ["rural", "urban"]
    assert "coverage" in lines[1] and "capacity free" in lines[1]
    assert len(rp.make_vec("aura-paper", num_envs=3, render_mode="ansi").render()) == 3
    assert rp.make("aura-paper").render() is None


@pytest.mark.parametrize(
    "action", [[0], [0, 9], [np.nan, 1], ["up", "up"], [[0], [1, 2]], None, [[0, 1]]], ids=lambda action: str(action)
)
def test_a_bad_action_is_refused_and_steps_nothing(action: object) -> None:
    single, vector = rp.make("aura-paper"), rp.make_vec("aura-paper", num_envs=2)
    for env in (single, vector):
        env.reset(seed=0)
        with pytest.raises(ActionError, match="but must be"):
            env.step(action)
        assert env.environment.observation.slot[0] == 0


@pytest.mark.parametrize("actions", [{}, {"rural": 0}, {"rural": 0, "urban": 1, "suburb": 2}, {"rural": 0, "urban": 4}])
def test_the_parallel_view_wants_an_option_of_every_agent(actions: dict[str, int]) -> None:
    env = rp.make("aura-paper", view="parallel")
    env.reset(seed=0)
    with pytest.raises(ActionError, match="but must be"):
        env.step(actions)


@pytest.mark.parametrize("view", ["single", "parallel"])
def test_steps_before_a_reset_or_after_the_end_are_refused(view: str) -> None:
    env = rp.make("aura-paper", view=view)
    action = [2, 2] if view == "single" else {"rural": 2, "urban": 2}
    with pytest.raises(ActionError, match="before the first reset"):
        env.step(action)
    env.reset()
    for _ in range(50):
        env.step(action)
    with pytest.raises(ActionError, match="after the end of an episode"):
        env.step(action)


def test_unknown_names_and_modes_are_refused() -> None:
    with pytest.raises(UnknownNameError):
        rp.make("aura-papr")
    with pytest.raises(ConfigError, match="view = 'both', but must be 'single' or 'parallel'"):
        rp.make("aura-paper", view="both")
    with pytest.raises(ConfigError, match="render_mode = 'human'"):
        rp.make("aura-paper", render_mode="human")
    with pytest.raises(ConfigError, match=r"options\.episode = -1"):
        rp.make("aura-paper").reset(options={"episode": -1})


@pytest.mark.parametrize("name", [name for name in rp.__all__ if name not in ("llm",)])
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(rp, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'mkve'"):
        rp.mkve  # noqa: B018


def test_a_list_of_seeds_is_refused_in_one_sentence() -> None:
    with pytest.raises(ConfigError, match="but must be one integer"):
        rp.make_vec("aura-paper", num_envs=2).reset(seed=[1, 2])  # type: ignore[arg-type]
