"""Nets over slices: order of seats, free seats, codes of texts, and central critics with one agent."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ranpilot.learning.features import Features, FeatureShape, as_features, see, shape_of  # noqa: E402
from ranpilot.learning.flat_network import FlatPolicy, FlatValue, start_default  # noqa: E402
from ranpilot.learning.set_network import SetPolicy, SetValue  # noqa: E402
from ranpilot.learning.slice_codes import SliceCodes  # noqa: E402

from .toy_slices import ToySlices  # noqa: E402

SHAPE = FeatureShape(3, 2, 1, 5, 4, 0, 5)


def draw(num: int = 6, agents: int = 3, seed: int = 0) -> tuple[Features, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    mask = (torch.rand((num, agents, 5), generator=generator) < 0.6).float()
    mask[0, 0] = 0.0
    features = Features(
        torch.rand((num, agents, 2), generator=generator),
        torch.rand((num, 1), generator=generator),
        torch.rand((num, agents, 5, 4), generator=generator) * mask[..., None],
        mask,
        torch.zeros((num, agents, 0)),
    )
    return features, (2 * torch.rand((num, agents, 5), generator=generator) - 1) * mask


def nets(shape: FeatureShape = SHAPE, *, is_central: bool = True):
    policy = SetPolicy(shape, 16, 2, "relu")
    value = SetValue(shape, 16, "tanh", with_action=True, is_central=is_central)
    for number, net in enumerate((policy, value)):
        start_default(net, 3, number)
    return policy, value


def test_a_policy_follows_the_order_of_seats_and_a_value_does_not_care() -> None:
    features, action = draw()
    policy, value = nets()
    order = torch.tensor([3, 0, 4, 1, 2])
    turned = features._replace(slices=features.slices[:, :, order], mask=features.mask[:, :, order])
    torch.testing.assert_close(policy(turned), policy(features)[:, :, order])
    torch.testing.assert_close(value(turned, action[:, :, order]), value(features, action))
    assert policy(features).std() > 1e-3


def test_agents_in_another_order_have_their_values_in_that_order() -> None:
    features, action = draw()
    _, value = nets()
    order = torch.tensor([2, 0, 1])
    turned = features._replace(**{name: getattr(features, name)[:, order] for name in ("local", "slices", "mask")})
    torch.testing.assert_close(value(turned, action[:, order]), value(features, action)[:, order])


def test_a_central_critic_sees_the_other_agents_and_a_local_one_does_not() -> None:
    features, action = draw()
    other = action.clone()
    other[:, 1] = -other[:, 1]
    for is_central in (True, False):
        _, value = nets(is_central=is_central)
        change = (value(features, other) - value(features, action)).abs().sum(dim=0)
        assert change[1] > 1e-3
        assert bool(change[0] > 1e-4) == is_central


@pytest.mark.parametrize("make", [SetValue, FlatValue])
def test_with_one_agent_and_no_state_a_central_critic_is_the_local_one(make) -> None:
    features, action = draw(agents=1)
    features = features._replace(state=features.state[:, :0])
    shape = SHAPE._replace(num_agents=1, num_state=0)
    pair = [make(shape, 16, "relu", with_action=True, is_central=is_central) for is_central in (False, True)]
    for net in pair:
        start_default(net, 0, 0)
    assert torch.equal(pair[0](features, action), pair[1](features, action))


def test_free_seats_have_no_influence_and_get_no_gradient() -> None:
    features, action = draw()
    policy, value = nets()
    slices = features.slices.clone().requires_grad_()
    free = features.mask == 0
    loss = policy(features._replace(slices=slices)).square().sum()
    loss = loss + value(features._replace(slices=slices), action).square().sum()
    (gradient,) = torch.autograd.grad(loss, [slices])
    assert gradient[free].abs().max() == 0.0
    assert gradient[~free].abs().max() > 0.0
    assert policy(features)[free].abs().max() == 0.0
    wild = torch.where(free, torch.full_like(action, 9.0), action)
    torch.testing.assert_close(value(features, wild), value(features, action))


def test_what_stands_at_a_free_seat_of_an_observation_never_arrives() -> None:
    clean, dirty = (
        as_features(see(ToySlices(3, garbage=g).observation, None), None, "cpu") for g in (0.0, float("nan"))
    )
    assert torch.equal(clean.slices, dirty.slices)


def test_flat_nets_give_a_row_of_outputs_for_each_agent() -> None:
    features, action = draw()
    policy, value = FlatPolicy(SHAPE, 8, 2, "relu"), FlatValue(SHAPE, 8, "relu", with_action=True, is_central=True)
    start_default(policy, 0, 0)
    start_default(value, 0, 1)
    assert policy(features).shape == (6, 3, 5, 2)
    assert value(features, action).shape == (6, 3)


def test_codes_of_texts_join_the_features_of_their_slices() -> None:
    codes = SliceCodes(2, lambda texts: np.array([[len(text), 1.0] for text in texts]))
    toy = ToySlices(3)
    arrays = see(toy.observation, codes)
    features = as_features(arrays, codes, "cpu")
    shape = shape_of(toy.spec, codes)
    assert features.slices.shape[-1] == shape.num_slice_features == 4
    text_ids = toy.observation.slice_text_ids
    lengths = np.where(text_ids >= 0, np.array([3, 6, 4])[text_ids], 0)
    np.testing.assert_array_equal(features.slices[..., 2].numpy(), lengths)
    np.testing.assert_array_equal(features.slices[..., 3].numpy(), (text_ids >= 0).astype(float))
    assert SetPolicy(shape, 8, 1, "relu").body.seat.in_features == 4
