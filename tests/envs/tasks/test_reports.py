"""What agents of `power-handover` see of cells whose reports are stale or missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranpilot.envs.announcements import text_kind
from ranpilot.envs.controller import Observation
from ranpilot.envs.tasks._spec import KEEP
from ranpilot.envs.tasks.power_handover import PowerHandover
from ranpilot.envs.words import describe, level_counts, levels
from ranpilot.twin.scenario_file import load_scenario


def make(*events: dict[str, Any], num: int = 6) -> PowerHandover:
    """Scheduled events on two-cell, where a step is 0.2 s and the episode begins 1 s after the reset."""
    scenario = load_scenario("two-cell").with_changes({"events": {"schedule": list(events)}} if events else {})
    return PowerHandover.make(scenario, num, 1, load="high")


def fault(kind: str, start_s: float = 2.0, duration_s: float = 1.0, **others: Any) -> dict[str, Any]:
    return {"kind": kind, "cell": "urban", "start_s": start_s, "duration_s": duration_s, **others}


def truth(env: PowerHandover) -> tuple[np.ndarray, np.ndarray]:
    local, state = env._features()
    return local, state.reshape(len(local), -1)


def features(obs: Observation) -> tuple[np.ndarray, np.ndarray]:
    return obs.local, obs.state.reshape(len(obs.local), obs.local.shape[1], -1)


def play(env: PowerHandover, steps: int) -> None:
    for _ in range(steps):
        env.step(np.full((env.num_networks, 2), KEEP))


def test_agents_keep_the_last_good_report_and_are_told_its_age() -> None:
    for kind, is_unknown in (("stale-kpm", False), ("missing-kpm", True)):
        env = make(fault(kind))
        play(env, 4)
        before = features(env.observation)
        # 2.0 s to 2.8 s after the reset: the reports of these five steps fail.
        for step in range(5):
            play(env, 1)
            obs, now = env.observation, env._features()
            for seen, true, old in zip(features(obs), now, before, strict=True):
                np.testing.assert_array_equal(seen[:, 0], true[:, 0])
                np.testing.assert_array_equal(seen[:, 1], old[:, 1])
            np.testing.assert_allclose(obs.report_age_s, [[0.0, 0.2 * (step + 1)]] * 6)
            np.testing.assert_array_equal(obs.is_unknown, [[False, is_unknown]] * 6)
            assert (levels(env.spec, obs) < level_counts(env.spec)).all()
            _, rural, urban = describe(env.spec, obs, 0).splitlines()
            assert "unknown" not in rural and "last report" not in rural
            assert urban.count("unknown") == (len(env.spec.features) if is_unknown else 0)
            assert f"last report {0.2 * (step + 1):.1f} s ago" in urban
        assert not np.array_equal(truth(env)[0][:, 1], before[0][:, 1])
        play(env, 1)
        np.testing.assert_array_equal(env.observation.local, truth(env)[0])
        np.testing.assert_array_equal(env.observation.state, truth(env)[1])
        assert env.observation.report_age_s.max() == 0.0


def test_the_network_and_what_is_counted_go_on_as_without_the_fault() -> None:
    failing, sound = make(fault("missing-kpm")), make(fault("missing-kpm", start_s=80.0))
    for _ in range(8):
        ours, theirs = (env.step(np.full((6, 2), KEEP)) for env in (failing, sound))
        np.testing.assert_array_equal(ours.terms, theirs.terms)
        counted = [name for name in theirs.counts if "announced" not in name and "during" not in name]
        assert all((ours.counts[name] == theirs.counts[name]).all() for name in counted)


def test_without_such_events_observations_say_nothing_of_reports() -> None:
    obs = make().observation
    assert obs.report_age_s is None and obs.is_unknown is None
    obs = make({"kind": "maintenance", "cell": "rural", "start_s": 1, "duration_s": 1}).observation
    assert obs.report_age_s is None


def test_copies_and_snapshots_keep_what_was_heard() -> None:
    env, resumed = make(fault("stale-kpm")), make(fault("stale-kpm"))
    play(env, 7)
    fork = env.fork(np.array([1, 4]), np.array([0, 1]))
    np.testing.assert_array_equal(fork.observation.local, env.observation.local[[1, 1, 4, 4]])
    np.testing.assert_array_equal(fork.observation.report_age_s, env.observation.report_age_s[[1, 1, 4, 4]])
    resumed.restore(env.snapshot())
    for each in (env, resumed):
        play(each, 1)
    np.testing.assert_array_equal(resumed.observation.local, env.observation.local)
    np.testing.assert_array_equal(resumed.observation.report_age_s, env.observation.report_age_s)
    fork.play(np.full((4, 2), KEEP))
    assert fork.observation.report_age_s.max() >= env.observation.report_age_s.max()


def test_of_events_at_given_times_the_newest_announcement_is_told() -> None:
    """The schedule is not in the order of announcements, and comes after what is drawn at random."""
    env = make(
        fault("maintenance", start_s=3.0, announced_s=2.0),
        fault("surge", start_s=3.0, announced_s=1.5),
        fault("missing-kpm", start_s=1.2, duration_s=3.0, announced_s=2.6),
    )
    texts = env.observation.texts
    assert (env.observation.notice_ids == -1).all()
    for steps, kind in ((3, "surge"), (2, "maintenance"), (2, "maintenance"), (1, "missing-kpm")):
        play(env, steps)
        told = {text_kind(texts[i]) for i in env.observation.notice_ids[:, 1]}
        beside = {text_kind(texts[i]) for i in env.observation.notice_ids[:, 0]}
        assert (told, beside) == ({kind}, {f"neighbour-{kind}"})
