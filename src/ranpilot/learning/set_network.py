"""Nets over the set of slices in a cell: the same layers for every seat, and the others' mean beside each.

    h_s = f(W₁ x_s + C₁ c),   m = mean over the taken seats of h_s
    k_s = f(W₂ h_s + C₂ m),   policy: output_s = w · k_s,   value: w · f(W₃ mean k_s + context)

x_s are the features of a slice (and its number of an action), c those of the cell and the share of taken seats. So a
policy is equivariant and a value invariant to the order of the seats, and a free seat has no influence.
Source: Zaheer et al., "Deep sets", NeurIPS 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ranpilot.learning.features import Features, FeatureShape
from ranpilot.learning.flat_network import ACTIVATIONS, Context, linear

__all__ = ["SetBody", "SetPolicy", "SetValue"]


class SetBody(nn.Module):
    """Two layers for each seat, the second with the mean of the first."""

    def __init__(self, shape: FeatureShape, hidden: int, activation: str, *, with_action: bool) -> None:
        super().__init__()
        self._bend = ACTIVATIONS[activation]
        self.seat = linear(shape.num_slice_features + int(with_action), hidden)
        self.cell = linear(shape.num_local + 1, hidden, bias=False)
        self.second = linear(hidden, hidden)
        self.pooled = linear(hidden, hidden, bias=False)

    def forward(self, features: Features, action: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[N, A, S, H] of every seat and [N, A, H] their mean; action: [N, A, S]."""
        mask = features.mask[..., None]
        own = features.slices
        if action is not None:
            own = torch.cat([own, action[..., None] * mask], dim=-1)
        taken = features.mask.mean(dim=-1, keepdim=True)
        cell = self.cell(torch.cat([features.local, taken], dim=-1))
        first = self._bend(self.seat(own) + cell[..., None, :])
        mean = self.pooled(masked_mean(first, mask))
        second = self._bend(self.second(first) + mean[..., None, :])
        return second, masked_mean(second, mask)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """[N, A, H] mean over the taken seats of [N, A, S, H], 0 where none is; mask: [N, A, S, 1]."""
    return (values * mask).sum(dim=-2) / mask.sum(dim=-2).clamp(min=1.0)


class SetPolicy(nn.Module):
    """`per_number` outputs for each seat, [N, A, S, per_number]."""

    def __init__(self, shape: FeatureShape, hidden: int, per_number: int, activation: str) -> None:
        super().__init__()
        self.body = SetBody(shape, hidden, activation, with_action=False)
        self.head = linear(hidden, per_number)

    def forward(self, features: Features) -> Tensor:
        """0 at free seats."""
        seats, _ = self.body(features)
        outputs: Tensor = self.head(seats) * features.mask[..., None]
        return outputs


class SetValue(nn.Module):
    """A value of each agent [N, A], of its state or of its state and action."""

    def __init__(
        self, shape: FeatureShape, hidden: int, activation: str, *, with_action: bool, is_central: bool
    ) -> None:
        super().__init__()
        self._bend = ACTIVATIONS[activation]
        self.body = SetBody(shape, hidden, activation, with_action=with_action)
        self.last = linear(hidden, hidden)
        self.head = linear(hidden, 1)
        # Last, so that a central critic's other layers begin as the local one's do.
        self.context = Context(shape, hidden) if is_central else None

    def forward(self, features: Features, action: Tensor | None = None) -> Tensor:
        """[N, A]; action: [N, A, S]."""
        _, own = self.body(features, action)
        hidden = self.last(own)
        if self.context is not None:
            hidden = hidden + self.context(own, features.state)
        value: Tensor = self.head(self._bend(hidden))[..., 0]
        return value
