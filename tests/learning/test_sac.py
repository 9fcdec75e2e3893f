"""SAC and MASAC: equations by hand, soft values with a closed form, endings, exact resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ranpilot.envs.controller import Controller  # noqa: E402
from ranpilot.errors import CheckpointError, ConfigError  # noqa: E402
from ranpilot.learning import masac, sac  # noqa: E402
from ranpilot.learning.sac import policy_loss, soft_target, temperature_loss  # noqa: E402
from ranpilot.learning.slice_codes import SliceCodes  # noqa: E402

from . import toy_slices  # noqa: E402
from .toy_slices import ToySlices, best_reward, make_task, play  # noqa: E402

QUICK = {
    "hidden": 32,
    "learning_rate": 3e-3,
    "gamma": 0.0,
    "learn_after": 200,
    "minibatch": 64,
    "steps_per_update": 8.0,
    "train_episodes": 1000,
}
LEARNERS = pytest.mark.parametrize("module", [sac, masac], ids=["sac", "masac"])


def begin(module=sac, num: int = 16, seed: int = 1, *, toy: ToySlices | None = None, codes=None, **settings):
    return toy_slices.begin(module, {**QUICK, **settings}, num, seed, toy, codes)


@LEARNERS
def test_it_is_a_controller(module) -> None:
    assert isinstance(module.make({}), Controller)


def test_target_and_losses_are_the_equations() -> None:
    reward, next_value, log_prob = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]), torch.tensor([[-1.0, 0.5]])
    alpha = torch.tensor(0.2)
    target = soft_target(reward, torch.tensor([[0.9]]), next_value, log_prob, alpha)
    assert target[0].tolist() == pytest.approx([1 + 0.9 * (3 + 0.2), 2 + 0.9 * (4 - 0.1)])
    assert soft_target(reward, torch.tensor([[0.0]]), next_value, log_prob, alpha).tolist() == reward.tolist()
    assert float(policy_loss(log_prob, next_value, alpha)) == pytest.approx(((-0.2 - 3) + (0.1 - 4)) / 2)


@pytest.mark.parametrize(("log_prob", "rises"), [(3.0, True), (-3.0, False)])
def test_the_temperature_rises_where_entropy_is_missing(log_prob: float, rises: bool) -> None:
    log_alpha = torch.tensor(0.3, requires_grad=True)
    loss = temperature_loss(log_alpha, torch.full((2, 3), log_prob), torch.full((2, 3), -2.0))
    (gradient,) = torch.autograd.grad(loss, [log_alpha])
    assert bool(gradient < 0) == rises
    assert float(gradient) == pytest.approx(-(log_prob - 2.0))


class OneWish:
    """One state, one agent, one number; what is paid is −(a − 0.4)², for ever."""

    wish, alpha, gamma = 0.4, 0.1, 0.5

    def __init__(self, num: int, *, terminates: bool) -> None:
        self.inner, self.terminates = ToySlices(num, agents=1, seats=1), terminates

    @property
    def observation(self):
        found = self.inner.observation
        every = np.ones_like(found.slice_mask)
        return replace(found, local=np.zeros_like(found.local), slices=np.zeros_like(found.slices), slice_mask=every)

    def step(self, action):
        outcome = self.inner.step(action, terminates=self.terminates)
        reward = -np.square(action[..., 0] - self.wish)
        return replace(outcome, reward=reward, next_obs=self.observation)

    def soft_value(self) -> float:
        """α log ∫ exp(r(a) / α) da, the soft value of one step."""
        action = np.linspace(-1, 1, 20_001)
        return float(self.alpha * np.log(np.trapezoid(np.exp(-np.square(action - self.wish) / self.alpha), action)))


@pytest.mark.parametrize("terminates", [True, False])
def test_soft_values_are_those_of_the_closed_form_and_a_time_limit_is_no_end(terminates: bool) -> None:
    """V = L / (1 − γ) with L = α log ∫ exp(r / α); where every step ends the episode, Q is the reward alone."""
    world = OneWish(16, terminates=terminates)
    world.inner.episode_steps = 1 if terminates else 10
    learner = sac.make(
        {**QUICK, "gamma": world.gamma, "first_alpha": world.alpha, "learns_alpha": False, "train_episodes": 10**6}
        | {"tau": 0.05, "minibatch": 128, "learning_rate": 1e-2}
    )
    learner.reset(world.inner.spec, 16, 0, None)
    for _ in range(220):
        learner.observe(world.step(learner.act(world.observation)))
    features = learner._features(learner._see(world.observation))
    action = torch.tensor([-0.5, 0.0, 0.4, 0.9])[:, None, None]
    with torch.no_grad():
        found = learner._critics[0](type(features)(*(part[:4] for part in features)), action)[:, 0].numpy()
        mean, log_std = learner._outputs(features)
    later = 0.0 if terminates else world.gamma * world.soft_value() / (1 - world.gamma)
    expected = -np.square(action.numpy()[:, 0, 0] - world.wish) + later
    np.testing.assert_allclose(found, expected, atol=0.06)
    assert world.soft_value() < -0.05  # so that the two worlds differ by more than the tolerance
    assert float(torch.tanh(mean).mean()) == pytest.approx(world.wish, abs=0.12)
    # exp(−(a − w)² / α) is normal with σ² = α / 2 but for the edges.
    spread = float((log_std.exp() * (1 - torch.tanh(mean).square())).mean())
    assert spread == pytest.approx(np.sqrt(world.alpha / 2), rel=0.35)


@LEARNERS
@pytest.mark.parametrize("network", ["set", "flat"])
def test_it_learns_the_wish_of_every_slice(module, network: str) -> None:
    learner, toy = begin(module, network=network, steps_per_update=6.0)
    before = best_reward(learner, replace(toy))
    play(learner, toy, 160)
    after = best_reward(learner, toy)
    assert before < -0.2
    assert after > (-0.02 if network == "set" else -0.08)


def test_what_a_slice_says_is_enough_where_codes_tell_it() -> None:
    rewards = []
    for codes in (None, SliceCodes(3, lambda texts: np.eye(3)[[("low", "middle", "high").index(t) for t in texts]])):
        learner, toy = begin(toy=ToySlices(16, sees_wish=False), codes=codes)
        play(learner, toy, 160)
        rewards.append(best_reward(learner, toy))
    assert rewards[0] < -0.2
    assert rewards[1] > -0.03


def test_codes_get_gradients_where_they_are_trained() -> None:
    codes = SliceCodes(2, lambda texts: np.ones((len(texts), 2)))
    learner, toy = begin(codes=codes, learn_after=16)
    play(learner, toy, 3)
    codes.table = codes.table.clone().requires_grad_()
    features = learner._features(learner._transitions.pick(np.linspace(0.01, 0.99, 8)))
    loss = learner._critics[0](features, torch.zeros(8, 2, 4)).sum()
    (gradient,) = torch.autograd.grad(loss, [codes.table])
    assert gradient[1:].abs().max() > 0
    assert gradient[0].abs().max() == 0


def test_the_entropy_comes_to_the_one_wanted() -> None:
    learner, toy = begin(number_entropy=-0.5, first_alpha=0.01, learning_rate=1e-2)
    play(learner, toy, 200)
    found = []
    for _ in range(40):
        play(learner, toy, 1)
        metrics = learner.metrics()
        found.append(metrics["entropy"] - metrics["entropy_wanted"])
    assert metrics["entropy_wanted"] == pytest.approx(-0.5 * 0.7 * 4, rel=0.2)
    assert abs(np.mean(found)) < 0.5


def test_updates_follow_the_network_steps_whatever_the_batch() -> None:
    for num in (4, 16):
        learner, toy = begin(num=num, learn_after=32, steps_per_update=8.0)
        play(learner, toy, 160 // num)
        assert learner.metrics()["updates"] == (160 - 32) / 8


def test_an_untaught_policy_shares_about_equally() -> None:
    learner, toy = begin(train_episodes=0)
    assert np.abs(learner.act(toy.observation)).max() < 0.1


@LEARNERS
def test_a_saved_learner_goes_on_exactly(module, tmp_path: Path) -> None:
    straight, toy = begin(module, replay_steps=300, steps_per_update=11.0)
    play(straight, toy, 27)
    straight.save(tmp_path)
    resumed, other = begin(module, replay_steps=300, steps_per_update=11.0)
    resumed.load(tmp_path)
    other.time = toy.time
    assert play(straight, toy, 12) == play(resumed, other, 12)
    for name, net in straight._nets.items():
        for key, value in net.state_dict().items():
            assert torch.equal(value, resumed._nets[name].state_dict()[key]), (name, key)
    assert straight.metrics() == resumed.metrics()
    assert straight.metrics()["updates"] > 20


def test_bad_use_is_one_sentence(tmp_path: Path) -> None:
    options = replace(make_task(2, 0), action_size=0, actions=("a", "b"), num_slices=0, slice_features=())
    with pytest.raises(ConfigError, match=r"task = 'toy-slices', but must be one whose actions are numbers for sac"):
        sac.make({}).reset(options, 1, 0, None)
    with pytest.raises(ConfigError, match=r"masac.tau = 0, but must be above 0"):
        masac.make({"tau": 0})
    learner, _ = begin()
    with pytest.raises(CheckpointError, match="does not exist"):
        learner.load(tmp_path)
