from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ranpilot.envs.controller import Controller
from ranpilot.errors import ActionError, CheckpointError, ConfigError, UnknownNameError
from ranpilot.systems.aura import AuraConfig
from ranpilot.systems.aura.controller import Aura
from ranpilot.systems.aura.trust import TRUSTS


def begin(hands, config: AuraConfig, adviser=None, *, num: int = 4, first: int = 0, seed: int = 11):
    """A controller that is ready and its environment."""
    config = config.model_copy(update={"first_network": first})
    controller = Aura(config, adviser, adviser_name="fixed")
    toy = hands.Toy(num, first)
    controller.reset(hands.task, num, seed, toy)
    return controller, toy


def state_of(controller: Aura) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in controller._arrays().items()}


ALWAYS_TRUSTS = {"trust": "score", "trust_low": 1.0, "trust_high": 1.0, "trust_start": 1.0}


def test_it_is_a_controller(hands) -> None:
    assert isinstance(Aura(AuraConfig()), Controller)


def test_agents_alone_learn_the_toy(hands) -> None:
    controller, toy = begin(hands, AuraConfig(train_episodes=400, gamma=0.0))
    reward = hands.play(controller, toy, 500)
    assert reward[:20].mean() < 0.4
    assert reward[400:].mean() > 0.75


def test_good_advice_helps_at_once_where_it_knows_what_agents_do_not_see(hands) -> None:
    alone, toy = begin(hands, AuraConfig(train_episodes=100))
    guided, guided_toy = begin(hands, AuraConfig(train_episodes=100, trust="counterfactual"), hands.good())
    unguided_reward = hands.play(alone, toy, 140)[100:].mean()
    guided_reward = hands.play(guided, guided_toy, 140)[100:].mean()
    assert guided_reward > 0.97
    assert unguided_reward < 0.9


def test_bad_advice_is_not_followed_with_counterfactual_trust(hands) -> None:
    alone, alone_toy = begin(hands, AuraConfig(train_episodes=200))
    controller, toy = begin(hands, AuraConfig(train_episodes=200, trust="counterfactual"), hands.bad())
    hands.play(controller, toy, 200)
    controller.take_usage()
    reward = hands.play(controller, toy, 40)
    usage = controller.take_usage()
    assert usage.used.mean() < 0.05
    assert usage.trust.mean() < 0.2
    assert reward.mean() > 0.95 * hands.play(alone, alone_toy, 240)[200:].mean()


def test_advice_never_overrides_an_exploratory_action(hands) -> None:
    config = AuraConfig(train_episodes=200, epsilon_end=1.0, quiet_share=0.0, **ALWAYS_TRUSTS)
    controller, toy = begin(hands, config, hands.bad(), num=16)
    taken = []
    for _ in range(100):
        taken.append(controller.act(toy.observation))
        controller.observe(toy.step(taken[-1]))
    shares = np.bincount(np.ravel(taken), minlength=4) / np.size(taken)
    assert np.abs(shares - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / np.size(taken))
    assert controller.take_usage().used.max() == 0.0


def test_a_fifth_of_the_training_episodes_and_no_test_episode_runs_without_advice(hands) -> None:
    config = AuraConfig(train_episodes=60, epsilon_start=1e-9, epsilon_end=1e-9, **ALWAYS_TRUSTS)
    controller, toy = begin(hands, config, hands.bad(), num=32)
    heeded = []
    for _ in range(80):
        hands.play(controller, toy, 1)
        usage = controller.take_usage()
        heeded.append(usage.used + usage.agreed)
    heeded = np.array(heeded)
    assert (heeded[60:] == 1.0).all()
    quiet = (heeded[:60] < 1.0).any(axis=2)
    assert abs(quiet.mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / quiet.size)


@pytest.mark.parametrize("trust", TRUSTS.names())
def test_a_network_learns_the_same_in_any_batch(hands, trust: str) -> None:
    config = AuraConfig(train_episodes=12, trust=trust, credit="centred", credit_every=2)
    whole, whole_toy = begin(hands, config, hands.good(), num=5)
    part, part_toy = begin(hands, config, hands.good(), num=2, first=3)
    hands.play(whole, whole_toy, 16)
    hands.play(part, part_toy, 16)
    np.testing.assert_array_equal(whole._q.values[3:], part._q.values)
    for name, array in part._trust.arrays().items():
        np.testing.assert_array_equal(whole._trust.arrays()[name][3:], array)


@pytest.mark.parametrize("trust", TRUSTS.names())
def test_a_saved_controller_goes_on_exactly_in_the_middle_of_training(hands, trust: str, tmp_path: Path) -> None:
    config = AuraConfig(train_episodes=12, trust=trust, credit="centred", credit_every=5)
    straight, toy = begin(hands, config, hands.good())
    hands.play(straight, toy, 7)
    straight.save(tmp_path)
    resumed, resumed_toy = begin(hands, config, hands.good())
    resumed.load(tmp_path)
    resumed_toy.time = toy.time
    hands.play(straight, toy, 8)
    hands.play(resumed, resumed_toy, 8)
    expected = state_of(straight)
    assert set(expected) > {"q.values", "step", "alignment.visits", "usage.sums"}
    for name, array in state_of(resumed).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_a_checkpoint_that_does_not_fit_is_refused_in_one_sentence(hands, tmp_path: Path) -> None:
    controller, _ = begin(hands, AuraConfig(train_episodes=12))
    path = tmp_path / "aura.npz"
    with pytest.raises(CheckpointError, match=r"aura.npz: does not exist; begin without it"):
        controller.load(tmp_path)
    controller.save(tmp_path)
    other, _ = begin(hands, AuraConfig(train_episodes=13))
    with pytest.raises(CheckpointError, match="has train_episodes = 12 where this controller has 13"):
        other.load(tmp_path)
    larger, _ = begin(hands, AuraConfig(train_episodes=12), num=5)
    with pytest.raises(CheckpointError, match=r"q.values is \(4, 2, 54, 4\); this task and batch need \(5, 2, 54, 4\)"):
        larger.load(tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="is damaged"):
        controller.load(tmp_path)


def test_only_executed_advice_that_differs_counts_as_use(hands) -> None:
    config = AuraConfig(train_episodes=0, **ALWAYS_TRUSTS)
    controller, toy = begin(hands, config, hands.bad(), num=1)
    controller._q.values[:, 0, :, 0] = 1.0
    controller._q.values[:, 1, :, 2] = 1.0
    controller.act(toy.observation)
    controller._usage.record(controller._turn)
    usage = controller.take_usage()
    np.testing.assert_array_equal(usage.used, [[0.0, 1.0]])
    np.testing.assert_array_equal(usage.agreed, [[1.0, 0.0]])
    np.testing.assert_array_equal(usage.matched, [[1.0, 1.0]])
    np.testing.assert_array_equal(usage.trust, [[1.0, 1.0]])
    assert np.isnan(controller.take_usage().used).all()


def test_a_decision_says_who_advised_how_far_trusted_and_what_came_of_it(hands) -> None:
    config = AuraConfig(train_episodes=0, **ALWAYS_TRUSTS)
    controller, toy = begin(hands, config, hands.bad(), first=1000)
    assert controller.explain(0) == ()
    controller._q.values[:, 0, :, 0] = 1.0
    controller._q.values[:, 1, :, 2] = 1.0
    outcome = toy.step(controller.act(toy.observation))
    rural, urban = controller.explain(2)
    assert (rural.network, rural.agent, rural.suggested, rural.own, rural.followed) == (
        1002,
        "rural",
        "up",
        "up",
        False,
    )
    assert rural.why == "Adviser and own learned choice agree on 'up'."
    assert (urban.own, urban.executed, urban.adviser, urban.trust, urban.reward) == ("keep", "up", "fixed", 1.0, None)
    word = hands.task.features[1].words[1][controller._turn.context[2, 1]]
    assert urban.why == f"Followed fixed: score trust in 'up' while coverage is {word} is 1.00."
    controller.observe(outcome)
    assert controller.explain(2)[1].reward == outcome.reward[2, 1]


def test_the_adviser_observes_too(hands) -> None:
    adviser = hands.good()
    controller, toy = begin(hands, AuraConfig(trust="score"), adviser)
    hands.play(controller, toy, 2)
    assert adviser.num_observed == 10


def test_bad_use_is_one_sentence(hands) -> None:
    with pytest.raises(ConfigError, match=r"aura.adviser = None, but must be a controller, since trust is 'score'"):
        Aura(AuraConfig(trust="score"))
    with pytest.raises(UnknownNameError, match=r"No trust mechanism is called 'counterfactal'; did you mean 'counterf"):
        Aura(AuraConfig(trust="counterfactal"), hands.good())
    with pytest.raises(
        ConfigError, match=r"aura.trust = 'counterfactual', but must be 'ab' or 'score' where the network cannot"
    ):
        Aura(AuraConfig(trust="counterfactual"), hands.good()).reset(hands.task, 2, 0, None)
    few = replace(hands.task, features=hands.task.features[:3])
    with pytest.raises(
        ConfigError, match=r"task = 'toy', but must be one whose features are power, coverage, capacity"
    ):
        Aura(AuraConfig()).reset(few, 2, 0, None)
    controller, toy = begin(hands, AuraConfig(trust="score"), hands.adviser(lambda local: np.full((4, 2), 4)))
    with pytest.raises(ActionError, match=r"advice of fixed = 4, but must be an integer from -1 \(none\) to 3"):
        controller.act(toy.observation)
    controller, toy = begin(hands, AuraConfig(trust="score"), hands.adviser(lambda local: np.full((4, 1), 0)))
    with pytest.raises(ActionError, match=r"advice of fixed: shape = \(4, 1\), but must be \(4, 2\)"):
        controller.act(toy.observation)


def test_an_adviser_may_suggest_nothing(hands) -> None:
    config = AuraConfig(train_episodes=0, **ALWAYS_TRUSTS)
    controller, toy = begin(hands, config, hands.adviser(lambda local: np.full((4, 2), -1)))
    controller.act(toy.observation)
    decision = controller.explain(0)[0]
    assert (decision.suggested, decision.adviser, decision.trust, decision.followed) == (None, None, None, False)
    hands.play(controller, toy, 2)


def test_trying_what_ifs_leaves_the_environment_alone(hands) -> None:
    config = AuraConfig(train_episodes=10, trust="counterfactual", ask_share=1.0)
    controller, toy = begin(hands, config, hands.good())
    before = copy.deepcopy(toy.observation)
    controller.act(toy.observation)
    assert len(toy.asked) == 1
    np.testing.assert_array_equal(before.local, toy.observation.local)


def test_the_neighbours_coverage_and_capacity_join_the_state_where_asked_for(hands) -> None:
    plain, toy = begin(hands, AuraConfig())
    wide, _ = begin(hands, AuraConfig(neighbour_features=True))
    assert plain._q.values.shape == (4, 2, 3 * 3 * 2 * 3, 4)
    assert wide._q.values.shape == (4, 2, 3 * 3 * 2 * 3 * 3 * 2, 4)
    wide.act(toy.observation)
    levels, states = wide._q.read(toy.observation.local)
    np.testing.assert_array_equal(levels[:, :, 4], levels[:, ::-1, 1])
    np.testing.assert_array_equal(levels[:, :, 5], levels[:, ::-1, 2])
    np.testing.assert_array_equal(wide._turn.states, states)
    np.testing.assert_array_equal(wide._turn.context, levels[:, :, 1])


def test_agents_that_see_the_neighbour_learn_what_the_others_cannot(hands) -> None:
    settings = {"train_episodes": 800, "gamma": 0.0, "alpha": 0.5, "initial_value": 1.0, "epsilon_start": 0.05}
    blind, toy = begin(hands, AuraConfig(**settings))
    seeing, seeing_toy = begin(hands, AuraConfig(neighbour_features=True, **settings))
    assert hands.play(seeing, seeing_toy, 850)[800:].mean() > hands.play(blind, toy, 850)[800:].mean() + 0.05


def test_an_agent_without_a_neighbour_cannot_see_one(hands) -> None:
    lonely = replace(hands.task, neighbours=((), (0,)))
    with pytest.raises(ConfigError, match=r"neighbours of 'rural' = \(\), but must be at least one"):
        Aura(AuraConfig(neighbour_features=True)).reset(lonely, 2, 0, None)


def evidence(controller: Aura) -> float:
    """Weight of everything that trust has counted."""
    arrays = controller._trust.arrays()
    names = {"ab": ("weight",), "score": ("score",)}.get(controller.config.trust, ("wins", "losses"))
    offset = 0.5 if controller.config.trust == "score" else 0.0
    return float(sum(np.abs(arrays[name] - offset).sum() for name in names))


@pytest.mark.parametrize("trust", TRUSTS.names())
def test_another_adviser_is_trusted_with_a_tenth_of_the_evidence(hands, trust: str) -> None:
    controller, toy = begin(hands, AuraConfig(train_episodes=12, trust=trust), hands.good())
    hands.play(controller, toy, 12)
    before, other = evidence(controller), hands.bad()
    assert before > 0.1
    controller.renew_adviser(other)
    assert evidence(controller) == pytest.approx(0.1 * before)
    executed = controller.act(toy.observation)
    assert (controller._turn.advice == 0).all()
    controller.observe(toy.step(executed))
    assert other.num_observed == 1
    if trust == "counterfactual":
        fresh = controller._trust.arrays()
        np.testing.assert_allclose(fresh["follow"][fresh["wins"] + fresh["losses"] == 0], 0.5)


class Model:
    """An adviser with a model behind it."""

    def __init__(self, hands, model_hash: str) -> None:
        self.inner, self.model_hash, self.name = hands.good(), model_hash, "model"
        self.reset, self.act, self.observe = self.inner.reset, self.inner.act, self.inner.observe
        self.explain, self.loads = self.inner.explain, 0

    def save(self, folder: Path) -> None:
        """Nothing to keep."""

    def load(self, folder: Path) -> None:
        self.loads += 1


@pytest.mark.parametrize("trust", TRUSTS.names())
def test_a_checkpoint_of_another_model_or_scenario_lowers_trust_and_one_of_the_same_does_not(
    hands, trust: str, tmp_path: Path
) -> None:
    config = AuraConfig(train_episodes=12, trust=trust)
    controller, toy = begin(hands, config, Model(hands, "aaaa"))
    hands.play(controller, toy, 12)
    controller.save(tmp_path)
    same, changed = Model(hands, "aaaa"), Model(hands, "bbbb")
    for adviser, factor in ((same, 1.0), (changed, 0.1)):
        resumed, _ = begin(hands, config, adviser)
        resumed.load(tmp_path)
        assert evidence(resumed) == pytest.approx(factor * evidence(controller))
        np.testing.assert_array_equal(resumed._q.values, controller._q.values)
    assert (same.loads, changed.loads) == (1, 0)
    elsewhere = Aura(config, Model(hands, "aaaa"), adviser_name="fixed")
    elsewhere.reset(replace(hands.task, scenario="another"), 4, 11, toy)
    elsewhere.load(tmp_path)
    assert evidence(elsewhere) == pytest.approx(0.1 * evidence(controller))


def test_agents_without_advice_have_no_adviser_to_renew(hands) -> None:
    controller, _ = begin(hands, AuraConfig())
    with pytest.raises(
        ConfigError, match=r"aura.trust = None, but must be a trust mechanism, since an adviser is to be"
    ):
        controller.renew_adviser(hands.good())


@pytest.mark.parametrize("rule", ["as-trusted", "fully"])
def test_what_is_done_on_advice_teaches_as_far_as_advice_is_trusted(hands, rule: str) -> None:
    config = AuraConfig(train_episodes=0, trust="score", trust_start=0.3, trust_low=0.3, followed_teach=rule)
    controller, toy = begin(hands, config, hands.bad(), num=40)
    controller._q.values[..., 2] = 1.0
    turn_values = controller._q.values.copy()
    executed = controller.act(toy.observation)
    turn, outcome = controller._turn, toy.step(executed)
    assert 0 < turn.followed.sum() < turn.followed.size
    controller.observe(outcome)
    at = (np.arange(40)[:, None], np.arange(2)[None, :], turn.states, executed)
    after = turn_values[..., 2].max() * 0.95
    full = 0.1 * (outcome.reward + after - turn_values[at])
    expected = np.where(turn.followed & (rule == "as-trusted"), 0.3, 1.0) * full
    np.testing.assert_allclose(controller._q.values[at] - turn_values[at], expected)
