"""What several agents add: nothing where there is one, and the neighbour's good where there are two."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from ranpilot.learning import mappo, masac, ppo, sac  # noqa: E402

from .test_ppo import QUICK as QUICK_PPO  # noqa: E402
from .test_sac import QUICK as QUICK_SAC  # noqa: E402
from .toy_slices import ToySlices, best_reward, play  # noqa: E402

PAIRS = pytest.mark.parametrize(
    ("alone", "team", "settings", "steps"),
    [(ppo, mappo, QUICK_PPO, 250), (sac, masac, QUICK_SAC, 160)],
    ids=["ppo", "sac"],
)


def taught(module, settings, steps: int, **world):
    toy = ToySlices(16, **world)
    learner = module.make({"activation": "relu", **settings})
    learner.reset(toy.spec, 16, 2, None)
    play(learner, toy, steps)
    return learner, toy


@PAIRS
def test_with_one_agent_it_is_the_single_algorithm_to_the_last_bit(alone, team, settings, steps) -> None:
    pair = [taught(module, settings, 40, agents=1)[0] for module in (alone, team)]
    assert pair[0].metrics() == pair[1].metrics()
    for key, value in pair[0]._actor.state_dict().items():
        assert torch.equal(value, pair[1]._actor.state_dict()[key]), key


@PAIRS
def test_agents_do_what_is_good_for_their_neighbour_only_with_the_team(alone, team, settings, steps) -> None:
    rewards = [best_reward(*taught(module, settings, steps, pays_neighbour=True)) for module in (alone, team)]
    assert rewards[0] < -0.15
    assert rewards[1] > -0.06
