"""Numbers in (-1, 1): a normal variable through tanh, with the density that this leaves.

    a = tanh(u),  u ~ N(m, σ²)
    log p(a) = Σ_k log N(u_k; m_k, σ_k) − log(1 − tanh(u_k)²),   log(1 − tanh(u)²) = 2 (log 2 − u − softplus(−2u))

The sum is over the numbers that count: a free seat adds nothing, whatever stands there.
Source: Haarnoja et al., "Soft actor-critic algorithms and applications" (2018), appendix C.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

__all__ = ["normal_entropy", "normal_log_prob", "squash", "squashed_log_prob"]

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def normal_log_prob(number: Tensor, mean: Tensor, log_std: Tensor, mask: Tensor) -> Tensor:
    """[...] log density of numbers [..., M] summed over those in the mask."""
    distance = (number - mean) * (-log_std).exp()
    return ((-0.5 * distance * distance - log_std - HALF_LOG_TAU) * mask).sum(dim=-1)


def normal_entropy(log_std: Tensor, mask: Tensor) -> Tensor:
    """[...] differential entropy of independent normal numbers, over those in the mask."""
    return ((log_std + 0.5 + HALF_LOG_TAU) * mask).sum(dim=-1)


def squashed_log_prob(before: Tensor, mean: Tensor, log_std: Tensor, mask: Tensor) -> Tensor:
    """[...] log density of tanh(before), with `before` [..., M]."""
    bend = 2.0 * (math.log(2.0) - before - softplus(-2.0 * before))
    return normal_log_prob(before, mean, log_std, mask) - (bend * mask).sum(dim=-1)


def squash(mean: Tensor, log_std: Tensor, noise: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers [..., M] in (-1, 1), 0 outside the mask, and their log density [...]; noise: standard normal."""
    before = mean + log_std.exp() * noise
    return torch.tanh(before) * mask, squashed_log_prob(before, mean, log_std, mask)
