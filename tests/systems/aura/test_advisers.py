"""Advisers by name, and what each of them says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.aura_paper.config import AuraPaperConfig
from ranpilot.envs.aura_paper.spec import make_spec
from ranpilot.envs.controller import Controller
from ranpilot.errors import CheckpointError, ConfigError, UnknownNameError
from ranpilot.heuristics import HEURISTICS
from ranpilot.systems import aura
from ranpilot.systems.aura.advisers import ADVISERS, Delayed, adviser_names, make_adviser, without_text
from ranpilot.systems.aura.situations import Situations, choose_prompt

TASK = make_spec(AuraPaperConfig())


def ready(name: str, num: int = 4, *, task=TASK, seed: int = 3, train_episodes: int = 500) -> Controller:
    adviser = make_adviser(name, train_episodes=train_episodes)
    adviser.reset(task, num, seed, None)
    return adviser


def look(hands, num: int, *, episode: int = 0, slot: int = 0, seed: int = 0):
    """Random situations; powers of either grid, and each level of coverage as likely as the other."""
    rng = np.random.default_rng(seed + 1000 * slot)
    local = rng.random((num, 2, 4))
    local[:, :, 0] = rng.choice(np.arange(22) / 21, size=(num, 2))
    local[:, :, 1] = rng.choice([0.0, 0.1, 0.5], size=(num, 2))
    obs = hands.Toy(num).observation
    slots = np.full(num, slot)
    return replace(obs, local=local, episode=np.full(num, episode), slot=slots, first=slots == 0)


def test_advisers_are_the_files_of_the_folder_and_the_heuristics() -> None:
    assert ADVISERS.names() == ["embedded", "endpoint", "noisy-rules", "stale-rules", "turning-rules"]
    assert adviser_names() == sorted([*ADVISERS.names(), *HEURISTICS.names()])
    with pytest.raises(UnknownNameError, match=r"No adviser is called 'rule'; did you mean 'rules'"):
        make_adviser("rule")
    with pytest.raises(UnknownNameError, match=r"No adviser is called 'noisy-rule'; did you mean 'noisy-rules'"):
        make_adviser("noisy-rule:80")


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("rules:80", "'rules', which takes nothing after a colon"),
        ("noisy-rules:most", "a per cent from 0 to 100, such as noisy-rules:80"),
        ("noisy-rules:101", "a per cent from 0 to 100, such as noisy-rules:80"),
        ("noisy-rules:", "a per cent from 0 to 100, such as noisy-rules:80"),
        ("stale-rules:0", "a number of steps from 1 on, such as stale-rules:20"),
        ("turning-rules:5", "'turning-rules', which takes nothing after a colon"),
    ],
)
def test_an_argument_that_a_part_does_not_take_is_one_sentence(name: str, allowed: str) -> None:
    with pytest.raises(ConfigError, match=rf"adviser = '{name}', but must be {allowed}\."):
        make_adviser(name)


@pytest.mark.parametrize("percent", [80, 60])
def test_noisy_rules_are_right_in_that_share_of_the_situations(hands, percent: int) -> None:
    right = (ready(f"noisy-rules:{percent}", 20).shift == 0)[:, :, :1152]
    share = percent / 100
    assert abs(right.mean() - share) < 4 * np.sqrt(share * (1 - share) / right.size)
    obs = look(hands, 20)
    rows = Situations(TASK, choose_prompt(2)).read(obs)
    agrees = ready(f"noisy-rules:{percent}", 20).act(obs) == ready("rules", 20).act(obs)
    np.testing.assert_array_equal(agrees, right[np.arange(20)[:, None], np.arange(2)[None, :], rows])


def test_the_same_prompt_always_gets_the_same_answer_in_a_network(hands) -> None:
    noisy = ready("noisy-rules:60", 40)
    answers: dict[tuple[int, int, int], set[int]] = {}
    for slot in range(300):
        obs = look(hands, 40, slot=slot, episode=slot)
        rows, advice = Situations(TASK, choose_prompt(2)).read(obs), noisy.act(obs)
        for network, agent in np.ndindex(40, 2):
            answers.setdefault((network, agent, int(rows[network, agent])), set()).add(int(advice[network, agent]))
    assert all(len(given) == 1 for given in answers.values())
    assert len(answers) < 40 * 2 * 300 * 0.95


def test_errors_belong_to_the_seed_and_the_network_and_not_to_the_batch(hands) -> None:
    whole = ready("noisy-rules:60", 6)
    part = make_adviser("noisy-rules:60", first_network=4)
    part.reset(TASK, 2, 3, None)
    np.testing.assert_array_equal(part.shift, whole.shift[4:])
    for other in (whole.shift[:5], ready("noisy-rules:60", 6, seed=4).shift[1:]):
        assert 0.4 < (other != whole.shift[1:]).mean() < 0.7
    controller = aura.make("guided", adviser="noisy-rules:60", first_network=2000)
    assert controller._adviser.first_network == 2000


def test_wrong_answers_are_spread_over_the_other_options(hands) -> None:
    obs = look(hands, 2000)
    wrong, right = ready("noisy-rules:0", 2000).act(obs), ready("rules", 2000).act(obs)
    assert not (wrong == right).any()
    shares = np.bincount(((wrong - right) % 4).ravel(), minlength=4) / wrong.size
    assert shares[1:].min() > 0.25


def test_stale_rules_look_again_every_so_many_steps_and_when_an_episode_begins(hands) -> None:
    stale, rules = ready("stale-rules:3", 50), ready("rules", 50)
    looks = [look(hands, 50, slot=slot, seed=1) for slot in (0, 1, 2, 3, 4, 5, 6, 0, 1)]
    found = [stale.act(obs) for obs in looks]
    fresh = [rules.act(obs) for obs in looks]
    for step, asked in enumerate([0, 0, 0, 3, 3, 3, 6, 7, 7]):
        np.testing.assert_array_equal(found[step], fresh[asked])
    assert (found[1] != fresh[1]).any()


def test_stale_rules_go_on_exactly_from_a_checkpoint(hands, tmp_path: Path) -> None:
    straight = ready("stale-rules:5")
    for slot in range(7):
        straight.act(look(hands, 4, slot=slot))
    straight.save(tmp_path)
    resumed = ready("stale-rules:5")
    resumed.load(tmp_path)
    for slot in range(7, 14):
        np.testing.assert_array_equal(resumed.act(look(hands, 4, slot=slot)), straight.act(look(hands, 4, slot=slot)))
    with pytest.raises(CheckpointError, match="has keep_steps = 5 where this controller has 6"):
        ready("stale-rules:6").load(tmp_path)


def test_turning_rules_are_inverted_from_half_of_the_training_on(hands) -> None:
    turning = ready("turning-rules", train_episodes=11)
    rules, inverted = ready("rules"), ready("inverted-rules")
    for episode, expected in [(0, rules), (5, rules), (6, inverted), (10, inverted), (500, inverted)]:
        obs = look(hands, 4, episode=episode)
        np.testing.assert_array_equal(turning.act(obs), expected.act(obs))
    controller = aura.make("guided", adviser="turning-rules", train_episodes=30)
    assert controller._adviser.turns_at == 15


class Reader:
    """An adviser whose advice is the id of the announcement at the agent's site, and that counts what it was shown."""

    name = "reader"

    def reset(self, task, num_networks, seed, what_if) -> None:
        self.seen = []

    def act(self, obs):
        return obs.notice_ids.copy()

    def observe(self, outcome) -> None:
        self.seen.append(outcome.next_obs.notice_ids)

    def explain(self, network):
        return ()

    def save(self, folder) -> None: ...


def test_without_text_every_announcement_is_missing(hands) -> None:
    reader = Reader()
    blind = without_text(reader)
    blind.reset(hands.task, 4, 0, None)
    toy = hands.Toy(4)
    obs = replace(toy.observation, notice_ids=np.array([[0, 1]] * 4), texts=("a", "b"))
    assert (blind.act(obs) == -1).all()
    outcome = toy.step(np.zeros((4, 2), dtype=np.int64))
    blind.observe(replace(outcome, next_obs=obs))
    assert (reader.seen[0] == -1).all()
    assert blind.name == "reader without text"
    named = ready("noisy-rules:60+no-text")
    assert named.name == "rules, 60 % right without text"
    np.testing.assert_array_equal(named.act(look(hands, 4)), ready("noisy-rules:60").act(look(hands, 4)))


def late(hands, latency_s: float, num: int = 2) -> Delayed:
    adviser = Delayed(Reader(), latency_s)
    adviser.reset(hands.task, num, 0, None)
    return adviser


def ask(hands, adviser: Delayed, slot: int, advice: int, num: int = 2) -> int:
    obs = replace(look(hands, num, slot=slot), notice_ids=np.full((num, 2), advice))
    given = adviser.act(obs)
    assert (given == given[0, 0]).all()
    return int(given[0, 0])


def test_a_delayed_answer_comes_at_the_first_act_at_or_after_its_slot_with_its_age(hands) -> None:
    adviser = late(hands, 2.5)
    given, ages = [], []
    for slot, advice in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 0), (8, 1), (9, 2)]:
        given.append(ask(hands, adviser, slot, advice))
        ages.append(float(adviser.age_s[0]))
    # A latency of 2.5 slots of 1 s: due three slots later; at slot 8 the newest of those that are due stands.
    assert given == [-1, -1, -1, 0, 1, 0, 0]
    np.testing.assert_array_equal(ages, [np.nan, np.nan, np.nan, 3.0, 3.0, 4.0, 5.0])


def test_without_latency_nothing_is_late(hands) -> None:
    adviser = late(hands, 0.0)
    assert [ask(hands, adviser, slot, slot % 3) for slot in range(5)] == [0, 1, 2, 0, 1]
    assert (adviser.age_s == 0.0).all()


def test_what_was_asked_in_an_earlier_episode_is_never_handed_out(hands) -> None:
    adviser = late(hands, 2.0)
    for slot in range(5):
        ask(hands, adviser, slot, 3)
    assert [ask(hands, adviser, slot, 1) for slot in range(4)] == [-1, -1, 1, 1]


def test_the_queue_is_part_of_the_checkpoint(hands, tmp_path: Path) -> None:
    straight = late(hands, 3.0)
    for slot in range(5):
        ask(hands, straight, slot, slot % 4)
    straight.save(tmp_path)
    resumed = late(hands, 3.0)
    resumed.load(tmp_path)
    np.testing.assert_array_equal(resumed.age_s, straight.age_s)
    for slot in range(5, 12):
        assert ask(hands, resumed, slot, slot % 4) == ask(hands, straight, slot, slot % 4) == (slot - 3) % 4
    with pytest.raises(CheckpointError, match=r"has latency_s = 3.0 where this controller has 4.0"):
        late(hands, 4.0).load(tmp_path)
    with pytest.raises(ConfigError, match=r"adviser.latency_s = -1.0, but must be a number of seconds, at least 0"):
        Delayed(Reader(), -1.0)


def test_an_empty_queue_can_be_saved(hands, tmp_path: Path) -> None:
    adviser = late(hands, 0.0)
    adviser.save(tmp_path)
    ask(hands, adviser, 0, 2)
    adviser.save(tmp_path)
    resumed = late(hands, 0.0)
    resumed.load(tmp_path)
    assert ask(hands, resumed, 1, 1) == 1
