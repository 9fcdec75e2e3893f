"""PPO and MAPPO: the loss by hand, known best policies, endings, exact resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ranpilot.envs.controller import Controller  # noqa: E402
from ranpilot.errors import ActionError, CheckpointError, ConfigError  # noqa: E402
from ranpilot.learning import mappo, ppo  # noqa: E402
from ranpilot.learning.ppo import PpoConfig, Scored, ppo_loss  # noqa: E402
from ranpilot.learning.slice_codes import SliceCodes  # noqa: E402

from . import toy_slices  # noqa: E402
from .toy_slices import ToySlices, best_reward, make_task, play  # noqa: E402

QUICK = {"hidden": 32, "learning_rate": 3e-3, "gamma": 0.0, "rollout_steps": 10, "epochs": 8, "train_episodes": 1000}
LEARNERS = pytest.mark.parametrize("module", [ppo, mappo], ids=["ppo", "mappo"])


def begin(module=ppo, num: int = 8, seed: int = 1, *, toy: ToySlices | None = None, codes=None, **settings):
    return toy_slices.begin(module, {**QUICK, **settings}, num, seed, toy, codes)


@LEARNERS
def test_it_is_a_controller(module) -> None:
    assert isinstance(module.make({}), Controller)


def test_the_loss_is_the_equation() -> None:
    config = PpoConfig(clip=0.2, value_weight=0.5, entropy_weight=0.01)
    log_ratio = torch.tensor([[0.5], [-0.5], [0.1], [0.0]])
    old = torch.tensor([[-1.0], [-2.0], [0.0], [0.3]])
    advantage = torch.tensor([[2.0], [-1.0], [0.5], [-3.0]])
    scored = Scored(old + log_ratio, torch.full((4, 1), 0.7), torch.tensor([[1.0], [0.0], [2.0], [0.5]]))
    loss, metrics = ppo_loss(scored, old, advantage, torch.zeros(4, 1), config)
    standard = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    kept = [
        min(r * a, np.clip(r, 0.8, 1.2) * a) for r, a in zip(log_ratio.exp().numpy(), standard.numpy(), strict=True)
    ]
    policy_loss, value_loss = -float(np.mean(kept)), 0.5 * (1 + 0 + 4 + 0.25) / 4
    assert float(loss) == pytest.approx(policy_loss + 0.5 * value_loss - 0.01 * 0.7, rel=1e-5)
    assert float(metrics["clip_fraction"]) == 0.5
    assert float(metrics["kl"]) == pytest.approx(float((log_ratio.exp() - 1 - log_ratio).mean()), rel=1e-5)


def test_at_the_old_policy_its_gradient_is_that_of_the_policy_gradient() -> None:
    log_prob = torch.tensor([[-1.0], [-2.0], [-0.5]], requires_grad=True)
    advantage = torch.tensor([[1.0], [0.0], [-2.0]])
    scored = Scored(log_prob, torch.zeros(3, 1), torch.zeros(3, 1))
    loss, _ = ppo_loss(scored, log_prob.detach(), advantage, torch.zeros(3, 1), PpoConfig())
    (gradient,) = torch.autograd.grad(loss, [log_prob])
    torch.testing.assert_close(gradient, -(advantage - advantage.mean()) / (advantage.std() + 1e-8) / 3)


@LEARNERS
@pytest.mark.parametrize("network", ["set", "flat"])
def test_it_learns_the_wish_of_every_slice(module, network: str) -> None:
    learner, toy = begin(module, network=network, activation="relu")
    before = best_reward(learner, replace(toy))
    play(learner, toy, 250)
    after = best_reward(learner, toy)
    assert before < -0.2
    assert after > (-0.02 if network == "set" else -0.08)


def test_what_a_slice_says_is_enough_where_codes_tell_it() -> None:
    # An advantage is judged against what the seats say, so the wish of the text is found with and only with codes.
    rewards = []
    for codes in (None, SliceCodes(3, lambda texts: np.eye(3)[[("low", "middle", "high").index(t) for t in texts]])):
        learner, toy = begin(toy=ToySlices(8, sees_wish=False), codes=codes, activation="relu")
        play(learner, toy, 250)
        rewards.append(best_reward(learner, toy))
    assert rewards[0] < -0.2
    assert rewards[1] > -0.02


def test_an_untaught_policy_shares_equally_and_explores_as_widely_as_it_is_told() -> None:
    learner, toy = begin(num=400, first_log_std=-1.5, activation="relu")
    drawn = learner.act(toy.observation)[toy.observation.slice_mask]
    assert abs(drawn.mean()) < 4 * drawn.std() / np.sqrt(drawn.size) + 0.01
    assert drawn.std() == pytest.approx(np.exp(-1.5), rel=0.05)
    toy.time = 10 * QUICK["train_episodes"]
    assert np.abs(learner.act(toy.observation)).max() < 0.05


@pytest.mark.parametrize("terminates", [True, False])
def test_a_time_limit_counts_the_true_successor_and_an_ending_does_not(terminates: bool) -> None:
    learner, toy = begin(gamma=0.5, trace=0.0, rollout_steps=30, normalises_returns=False)
    seen = {}
    update = learner._advantages
    learner._advantages = lambda: seen.setdefault("advantage", update())
    values = []
    for _ in range(30):
        outcome = toy.step(learner.act(toy.observation), terminates=terminates)
        with torch.no_grad():
            values.append(learner._value_of(outcome))
        learner.observe(outcome)
    rollout = learner._rollout
    following = np.stack(values) * 0.5
    if terminates:
        following[9::10] = 0.0
    np.testing.assert_allclose(seen["advantage"], rollout["reward"] + following - rollout["value"], atol=1e-5)


def test_options_are_drawn_as_the_softmax_says_and_the_best_is_found() -> None:
    task = replace(make_task(2, 0), action_size=0, slice_features=(), actions=("a", "b", "c"), num_slices=0)
    learner = ppo.make({**QUICK, "rollout_steps": 5})
    learner.reset(task, 300, 0, None)
    toy = ToySlices(300, seats=0)
    first = learner.act(toy.observation)
    assert np.abs(np.bincount(first.ravel(), minlength=3) / 600 - 1 / 3).max() < 4 * np.sqrt(2 / 9 / 600) + 0.01
    for _ in range(60):
        outcome = toy.step(np.zeros((300, 2, 0)))
        reward = (learner.act(toy.observation) == 2).astype(float)
        learner.observe(replace(outcome, reward=reward))
    toy.time = 10_000 * 10
    assert (learner.act(toy.observation) == 2).all()
    assert learner.explain(3)[1].executed == "c"


@LEARNERS
def test_a_saved_learner_goes_on_exactly_in_the_middle_of_a_rollout(module, tmp_path: Path) -> None:
    straight, toy = begin(module)
    play(straight, toy, 34)
    straight.save(tmp_path)
    resumed, other = begin(module)
    resumed.load(tmp_path)
    other.time = toy.time
    assert play(straight, toy, 27) == play(resumed, other, 27)
    for name, net in straight._nets.items():
        for key, value in net.state_dict().items():
            assert torch.equal(value, resumed._nets[name].state_dict()[key]), (name, key)
    assert straight.metrics() == resumed.metrics()


def test_same_seed_same_result_and_another_seed_another() -> None:
    rewards = [play(*begin(seed=seed), 25) for seed in (3, 3, 4)]
    assert rewards[0] == rewards[1] != rewards[2]


def test_after_the_training_it_neither_explores_nor_learns_in_any_batch() -> None:
    learner, toy = begin(train_episodes=2)
    play(learner, toy, 20)
    done = learner.metrics()
    action = learner.act(toy.observation)
    assert np.array_equal(action, learner.act(toy.observation))
    play(learner, toy, 15)
    assert learner.metrics() == done
    assert {"policy_loss", "value_loss", "entropy", "kl", "clip_fraction", "explained_variance"} < set(done)
    wider = ToySlices(3, time=500)
    assert learner.act(wider.observation).shape == (3, 2, 4)
    decision = learner.explain(2)[0]
    assert (decision.why, decision.agent, len(decision.own.split())) == ("The policy's best.", "cell-0", 4)


def test_a_checkpoint_that_does_not_fit_is_refused_and_the_policy_alone_fits_any_batch(tmp_path: Path) -> None:
    learner, toy = begin()
    play(learner, toy, 12)
    learner.save(tmp_path)
    with pytest.raises(CheckpointError, match=r"has clip = 0.2 where this controller has 0.1"):
        begin(clip=0.1)[0].load(tmp_path)
    other, few = begin(num=3)
    with pytest.raises(CheckpointError, match="is of a batch of 8 networks; this batch has 3"):
        other.load(tmp_path)
    other.load(tmp_path, only_policy=True)
    few.time = toy.time = 10_000 * 10
    assert other.act(few.observation).shape == (3, 2, 4)
    for key, value in learner._actor.state_dict().items():
        assert torch.equal(value, other._actor.state_dict()[key])


def test_bad_use_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"ppo.cliip = 0.1, but must be left out \(no such key; did you mean 'clip'"):
        ppo.make({"cliip": 0.1})
    with pytest.raises(ConfigError, match=r"mappo.clip = 2, but must be at most 1"):
        mappo.make({"clip": 2})
    with pytest.raises(ConfigError, match=r"device = 'nowhere', but must be one that torch can use here"):
        begin(device="nowhere")
    with pytest.raises(ConfigError, match=r"network = 'set', but must be 'flat' or 'auto' for task 'toy-slices'"):
        ppo.make({"network": "set"}).reset(replace(make_task(), num_slices=0), 1, 0, None)
    learner, toy = begin()
    with pytest.raises(ActionError, match="called before observe"):
        learner.observe(toy.step(np.zeros((8, 2, 4))))
