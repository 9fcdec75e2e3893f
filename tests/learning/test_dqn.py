"""Deep Q-networks: equations by hand, an update against a slow twin, invariances."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ranpilot.declare import Measurement
from ranpilot.envs.controller import Controller, Feature, Observation, Outcome, TaskSpec
from ranpilot.errors import ActionError, CheckpointError, ConfigError, MissingExtraError
from ranpilot.learning.dqn import Dqn, adam, clip_gradient, layer_shapes, make_config, td_loss, td_target
from ranpilot.twin.rng import draw_uniform

torch = pytest.importorskip("torch")

EPISODE_STEPS = 10
TOY_SETTINGS = {"learn_after": 20, "target_every": 25, "learning_rate": 1e-3}
TASK = TaskSpec(
    name="toy",
    scenario="toy",
    agents=("left", "right"),
    features=tuple(
        Feature(Measurement(n, "1", "cell", 0, 1, "neither"), ((0.5,),) * 2, (("a", "b"),) * 2, (0.0,) * 2, (1.0,) * 2)
        for n in ("wish", "place")
    ),
    state_names=(),
    actions=("a", "b", "c"),
    neutral_action=0,
    reward_terms=("reward",),
    counters=(),
    step_s=1.0,
    slots_per_step=1,
    episode_steps=EPISODE_STEPS,
    neighbours=((1,), (0,)),
)


class Toy:
    """Every step's state is drawn afresh; what pays depends on the own wish and on the neighbour's place."""

    def __init__(self, num: int, first: int = 0) -> None:
        self.num, self.first, self.time = num, first, 0

    @property
    def observation(self) -> Observation:
        local = np.array(
            [
                [[draw_uniform(0, self.first + b, 4 * a + d, self.time, 99) for d in range(2)] for a in range(2)]
                for b in range(self.num)
            ]
        )
        episode, slot = (np.full(self.num, n) for n in divmod(self.time, EPISODE_STEPS))
        return Observation(local, np.zeros((self.num, 0)), slot, slot == 0, episode, np.full((self.num, 0), -1))

    def step(self, action: np.ndarray, *, terminates: bool = False) -> Outcome:
        local = self.observation.local
        right = np.where(local[:, :, 0] < 0.5, 0, np.where(local[:, ::-1, 1] < 0.5, 1, 2))
        reward = (action == right).astype(float)
        self.time += 1
        ended = np.full(self.num, self.time % EPISODE_STEPS == 0)
        return Outcome(action, reward, reward[:, :, None], self.observation, ended & terminates, ended & ~terminates)


def begin(num: int = 3, first: int = 0, seed: int = 5, **settings) -> tuple[Dqn, Toy]:
    controller = Dqn(make_config({**TOY_SETTINGS, "first_network": first, **settings}))
    controller.reset(TASK, num, seed, None)
    return controller, Toy(num, first)


def play(controller: Dqn, toy: Toy, episodes: int, *, terminates: bool = False) -> float:
    """Mean reward of a step."""
    total = 0.0
    for _ in range(episodes * EPISODE_STEPS):
        outcome = toy.step(controller.act(toy.observation), terminates=terminates)
        controller.observe(outcome)
        total += outcome.reward.mean()
    return total / (episodes * EPISODE_STEPS)


def test_it_is_a_controller() -> None:
    assert isinstance(Dqn(make_config({})), Controller)


def test_the_target_is_reward_and_discounted_best_value() -> None:
    reward, discount = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.9, 0.0]])
    next_values = torch.tensor([[[1.0, 3.0, 2.0], [5.0, 6.0, 7.0]]])
    assert td_target(reward, discount, next_values).tolist() == [[pytest.approx(1 + 0.9 * 3), -1.0]]


def test_the_loss_is_the_mean_huber_of_the_chosen_options() -> None:
    values = torch.tensor([[[1.0, 9.0], [9.0, 4.0]], [[0.0, 9.0], [9.0, 0.5]]])
    option, target = torch.tensor([[0, 1], [0, 1]]), torch.tensor([[1.4, 1.0], [0.0, 0.0]])
    # Half the square within 1, the distance minus a half beyond.
    expected = [(0.5 * 0.4**2 + 2.5) / 2, 0.5 * 0.25 / 2]
    assert td_loss(values, option, target).tolist() == pytest.approx(expected)


def test_every_net_is_clipped_by_its_own_norm() -> None:
    gradient = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    clip_gradient(gradient, 1.0)
    assert gradient.numpy() == pytest.approx(np.array([[0.6, 0.8], [0.3, 0.4]]), rel=1e-5)


def test_adam_is_that_of_pytorch() -> None:
    rng = np.random.default_rng(0)
    start = torch.tensor(rng.normal(size=(2, 5)))
    own, theirs = start.clone(), start.clone().requires_grad_()
    moments = torch.zeros_like(own), torch.zeros_like(own)
    optimiser = torch.optim.Adam([theirs], lr=0.01)
    for update in range(1, 30):
        gradient = torch.tensor(rng.normal(size=(2, 5)))
        theirs.grad = gradient.clone()
        optimiser.step()
        adam(own, gradient, moments, update, 0.01)
    np.testing.assert_allclose(own.numpy(), theirs.detach().numpy(), rtol=1e-9)


def twin_of(controller: Dqn, net: int):
    """The same net as modules of PyTorch."""
    sizes = layer_shapes(controller._layers[0][0], controller.config.hidden, TASK.num_actions)
    linear = [torch.nn.Linear(*size) for size in sizes]
    start, flat = 0, torch.from_numpy(controller._parts["weight"][net].copy())
    with torch.no_grad():
        for layer, (rows, columns) in zip(linear, sizes, strict=True):
            layer.weight.copy_(flat[start : start + rows * columns].view(rows, columns).T)
            layer.bias.copy_(flat[start + rows * columns : start + (rows + 1) * columns])
            start += (rows + 1) * columns
    return torch.nn.Sequential(linear[0], torch.nn.ReLU(), linear[1], torch.nn.ReLU(), linear[2])


def flat_of(module) -> np.ndarray:
    parts = [(layer.weight.T, layer.bias) for layer in module if isinstance(layer, torch.nn.Linear)]
    return np.concatenate([tensor.detach().numpy().ravel() for pair in parts for tensor in pair])


def test_learning_is_that_of_a_slow_twin_with_one_net_in_the_form_of_stable_baselines3() -> None:
    controller, toy = begin(target_every=7, minibatch=8, most_gradient=0.05)
    net = 4
    own, target = twin_of(controller, net), twin_of(controller, net)
    optimiser = torch.optim.Adam(own.parameters(), lr=controller.config.learning_rate)
    picked = {}
    pick = controller._replay.pick
    controller._replay.pick = lambda numbers: picked.setdefault("steps", pick(numbers))
    updates = clipped = 0
    for _ in range(80):
        picked.clear()
        controller.observe(toy.step(controller.act(toy.observation), terminates=True))
        if picked:
            state, option, reward, discount, next_state = (torch.from_numpy(a[net]) for a in picked["steps"])
            with torch.no_grad():
                wanted = reward + discount * target(next_state).max(dim=1).values
            value = own(state).gather(1, option[:, None])[:, 0]
            optimiser.zero_grad()
            torch.nn.functional.smooth_l1_loss(value, wanted).backward()
            norm = torch.nn.utils.clip_grad_norm_(own.parameters(), 0.05)
            optimiser.step()
            updates, clipped = updates + 1, clipped + int(norm > 0.05)
        if controller._steps % 7 == 0:
            target.load_state_dict(own.state_dict())
    assert updates == 60
    assert 0 < clipped <= updates
    np.testing.assert_allclose(controller._parts["weight"][net], flat_of(own), rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(controller._parts["target"][net], flat_of(target), rtol=2e-4, atol=1e-5)
    assert np.abs(flat_of(own) - flat_of(twin_of(begin()[0], net))).max() > 0.01


@pytest.mark.parametrize("terminates", [True, False])
def test_a_time_limit_is_no_end(terminates: bool) -> None:
    controller, toy = begin(gamma=0.5)
    play(controller, toy, 3, terminates=terminates)
    ends = controller._replay._discount[EPISODE_STEPS - 1 : 3 * EPISODE_STEPS : EPISODE_STEPS]
    assert (ends == (0.0 if terminates else 0.5)).all()
    assert (controller._replay._discount[:9] == 0.5).all()


def test_it_learns_what_its_features_tell_and_the_neighbours_where_it_sees_them() -> None:
    settings = {"train_episodes": 120, "gamma": 0.0, "learning_rate": 3e-3}
    rewards = []
    for neighbour_features in (False, True):
        controller, toy = begin(neighbour_features=neighbour_features, **settings)
        play(controller, toy, 120)
        rewards.append(play(controller, toy, 10))
    assert 0.6 < rewards[0] < 0.85
    assert rewards[1] > 0.9


def test_a_network_learns_the_same_to_the_last_bit_in_any_batch() -> None:
    whole, whole_toy = begin(5)
    play(whole, whole_toy, 12)
    for first, num in ((3, 2), (1, 1)):
        part, part_toy = begin(num, first)
        play(part, part_toy, 12)
        whole_weight = whole._parts["weight"].reshape(5, 2, -1)[first : first + num]
        np.testing.assert_array_equal(whole_weight, part._parts["weight"].reshape(num, 2, -1))


def test_a_saved_controller_goes_on_exactly_in_the_middle_of_an_episode(tmp_path: Path) -> None:
    straight, toy = begin(replay_steps=60)
    play(straight, toy, 8)
    straight.observe(toy.step(straight.act(toy.observation)))
    straight.save(tmp_path)
    resumed, resumed_toy = begin(replay_steps=60)
    resumed.load(tmp_path)
    resumed_toy.time = toy.time
    play(straight, toy, 3)
    play(resumed, resumed_toy, 3)
    for name, array in straight._parts.items():
        np.testing.assert_array_equal(resumed._parts[name], array, err_msg=name)
    np.testing.assert_array_equal(resumed.act(toy.observation), straight.act(toy.observation))


def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    controller, _ = begin()
    controller.save(tmp_path)
    with pytest.raises(CheckpointError, match=r"has learning_rate = 0.001 where this controller has 0.01"):
        begin(learning_rate=0.01)[0].load(tmp_path)
    with pytest.raises(CheckpointError, match=r"weight is \(6, 1251\); this task and batch need \(8, 1251\)"):
        begin(4)[0].load(tmp_path)


def test_it_explores_as_the_schedule_says_and_not_after_the_training() -> None:
    controller, toy = begin(200, train_episodes=2, epsilon_end=1.0, learn_after=10_000)
    options = []
    for _ in range(10):
        options.append(controller.act(toy.observation))
        controller.observe(toy.step(options[-1]))
    shares = np.bincount(np.ravel(options), minlength=3) / np.size(options)
    assert np.abs(shares - 1 / 3).max() < 4 * np.sqrt(2 / 9 / np.size(options))
    assert any(decision.why.startswith("Tried") for decision in controller.explain(0))
    toy.time = 2 * EPISODE_STEPS
    controller.act(toy.observation)
    decision = controller.explain(7)[1]
    assert (decision.network, decision.agent, decision.suggested, decision.trust) == (7, "right", None, None)
    assert decision.why == f"Own choice {decision.executed!r}."


def test_bad_use_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ConfigError, match=r"dqn.hidden_size = 8, but must be left out \(no such key; did you mean 'hidden'"
    ):
        make_config({"hidden_size": 8})
    with pytest.raises(ConfigError, match=r"dqn.epsilon_end = 0.5, but must be at most epsilon_start \(0.1\)"):
        make_config({"epsilon_start": 0.1, "epsilon_end": 0.5})
    lonely = replace(TASK, neighbours=((), (0,)))
    with pytest.raises(ConfigError, match=r"neighbours of 'left' = \(\), but must be at least one"):
        Dqn(make_config({"neighbour_features": True})).reset(lonely, 1, 0, None)
    controller, toy = begin()
    with pytest.raises(ActionError, match="called before observe"):
        controller.observe(toy.step(np.zeros((3, 2), dtype=np.int64)))
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"The controller dqn needs torch.*pip install 'ranpilot\[learn\]'"):
        Dqn(make_config({})).reset(TASK, 1, 0, None)
