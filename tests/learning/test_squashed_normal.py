"""Densities of normal and squashed numbers against integrals, PyTorch's and numerical gradients."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ranpilot.learning.squashed_normal import (  # noqa: E402
    normal_entropy,
    normal_log_prob,
    squash,
    squashed_log_prob,
)


@pytest.mark.parametrize(("mean", "log_std"), [(0.0, 0.0), (0.7, -1.0), (-1.5, 0.5)])
def test_the_squashed_density_integrates_to_one_and_gives_its_entropy(mean: float, log_std: float) -> None:
    action = torch.linspace(-1, 1, 400_003, dtype=torch.float64)[1:-1, None]
    ones = torch.ones_like(action)
    log_density = squashed_log_prob(torch.atanh(action), mean * ones, log_std * ones, ones)
    width = 2 / 400_002
    assert float(log_density.exp().sum() * width) == pytest.approx(1.0, abs=2e-3)
    entropy = float(-(log_density.exp() * log_density).sum() * width)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((400_000, 1), generator=generator, dtype=torch.float64)
    drawn = torch.full_like(noise, 1.0)
    _, log_prob = squash(mean * drawn, log_std * drawn, noise, drawn)
    error = float(log_prob.std()) / np.sqrt(len(noise))
    assert abs(-float(log_prob.mean()) - entropy) < 4 * error + 5e-3
    assert error < 5e-3


def test_normal_density_and_entropy_are_pytorchs_where_the_mask_says() -> None:
    generator = torch.Generator().manual_seed(1)
    number, mean, log_std = (torch.randn((5, 3), generator=generator) for _ in range(3))
    mask = torch.tensor([1.0, 0.0, 1.0])
    theirs = torch.distributions.Normal(mean, log_std.exp())
    expected = theirs.log_prob(number)[:, [0, 2]].sum(dim=1)
    torch.testing.assert_close(normal_log_prob(number, mean, log_std, mask), expected)
    torch.testing.assert_close(normal_entropy(log_std, mask), theirs.entropy()[:, [0, 2]].sum(dim=1))


def test_gradients_of_the_density_are_the_numerical_ones() -> None:
    generator = torch.Generator().manual_seed(2)
    parts = [torch.randn((2, 3), generator=generator, dtype=torch.float64).requires_grad_() for _ in range(3)]
    mask = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda b, m, s: squashed_log_prob(b, m, s, mask), parts)
    noise = torch.randn((2, 3), generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda m, s: squash(m, s, noise, mask), parts[1:])


def test_far_out_the_density_stays_finite() -> None:
    far = torch.tensor([[40.0], [-40.0]])
    log_density = squashed_log_prob(far, torch.zeros(2, 1), torch.full((2, 1), 2.0), torch.ones(2, 1))
    assert torch.isfinite(log_density).all()


def test_what_is_outside_the_mask_counts_nothing() -> None:
    mask = torch.tensor([[1.0, 0.0]])
    mean, wild = torch.tensor([[0.3, 0.1]]), torch.tensor([[0.3, 1e6]])
    log_std, noise = torch.zeros(1, 2), torch.tensor([[0.5, -2.0]])
    for one, other in zip(squash(mean, log_std, noise, mask), squash(wild, log_std, noise, mask), strict=True):
        torch.testing.assert_close(one, other)
