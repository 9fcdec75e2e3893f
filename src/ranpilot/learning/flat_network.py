"""Nets that see everything of an agent in one row: two hidden layers, shared by all agents.

A central critic adds to the second layer what the other agents' first layers say, on average, and the central state;
with one agent and no state it is the local critic. Weights begin as functions of (seed, number of the net).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ranpilot.learning.features import Features, FeatureShape
from ranpilot.twin.rng import STREAM_WEIGHTS, fold_seed

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Context",
    "FlatPolicy",
    "FlatValue",
    "linear",
    "start_default",
    "start_orthogonal",
]

Activation = Callable[[Tensor], Tensor]
ACTIVATIONS: dict[str, Activation] = {"relu": torch.relu, "tanh": torch.tanh}


def linear(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    """A layer whose weights are still to be drawn, so that nobody else's random numbers are used up."""
    layer: nn.Linear = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Linear, inputs, outputs, bias=bias
    )
    return layer


def start_default(net: nn.Module, seed: int, number: int) -> None:
    """Weights and biases uniform within 1 / √inputs, as in `torch.nn.Linear`."""
    generator = _generator(seed, number)
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            bound = max(layer.in_features, 1) ** -0.5
            for part in layer.parameters(recurse=False):
                nn.init.uniform_(part, -bound, bound, generator=generator)


def start_orthogonal(net: nn.Module, seed: int, number: int, *, gain: float, last_gain: float) -> None:
    """Orthogonal weights and no biases; last_gain: that of the layers called `head`."""
    generator = _generator(seed, number)
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Linear) and layer.in_features:
            nn.init.orthogonal_(layer.weight, last_gain if name == "head" else gain, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _generator(seed: int, number: int) -> torch.Generator:
    generator = torch.Generator()
    generator.manual_seed(int(fold_seed(seed, 0, number, 0, STREAM_WEIGHTS)))
    return generator


def flat(features: Features, action: Tensor | None = None) -> Tensor:
    """[N, A, ...] all that an agent sees, and its action, in one row."""
    parts = [features.local, features.slices.flatten(2), features.mask]
    return torch.cat(parts if action is None else [*parts, action], dim=-1)


def row_length(shape: FeatureShape, *, with_action: bool) -> int:
    """How long that row is."""
    seats = shape.num_slices * (shape.num_slice_features + 1)
    return shape.num_local + seats + (shape.action_size if with_action else 0)


class Context(nn.Module):
    """What a central critic knows beside the agent's own: the mean over the other agents, and the central state."""

    def __init__(self, shape: FeatureShape, hidden: int) -> None:
        super().__init__()
        self.others = linear(hidden, hidden, bias=False)
        self.state = linear(shape.num_state, hidden, bias=False) if shape.num_state else None

    def forward(self, own: Tensor, state: Tensor) -> Tensor:
        """[N, A, H] to be added to the layer over `own` [N, A, H]; state: [N, G]."""
        others = (own.sum(dim=1, keepdim=True) - own) / max(own.shape[1] - 1, 1)
        added: Tensor = self.others(others)
        return added if self.state is None else added + self.state(state)[:, None]


class FlatPolicy(nn.Module):
    """Outputs [N, A, O] for each agent; `per_number` of them for each number of its action, or one for each option."""

    def __init__(self, shape: FeatureShape, hidden: int, per_number: int, activation: str) -> None:
        super().__init__()
        self._per_number, self._is_discrete = per_number, shape.num_options > 0
        self._bend = ACTIVATIONS[activation]
        self.first = linear(row_length(shape, with_action=False), hidden)
        self.second = linear(hidden, hidden)
        self.head = linear(hidden, shape.num_options or shape.action_size * per_number)

    def forward(self, features: Features) -> Tensor:
        """Logits [N, A, K] of options, or [N, A, M, per_number]."""
        hidden = self._bend(self.second(self._bend(self.first(flat(features)))))
        outputs: Tensor = self.head(hidden)
        return outputs if self._is_discrete else outputs.view(*outputs.shape[:2], -1, self._per_number)


class FlatValue(nn.Module):
    """A value of each agent [N, A], of its state or of its state and action."""

    def __init__(
        self, shape: FeatureShape, hidden: int, activation: str, *, with_action: bool, is_central: bool
    ) -> None:
        super().__init__()
        self._bend = ACTIVATIONS[activation]
        self.first = linear(row_length(shape, with_action=with_action), hidden)
        self.second = linear(hidden, hidden)
        self.head = linear(hidden, 1)
        # Last, so that a central critic's other layers begin as the local one's do.
        self.context = Context(shape, hidden) if is_central else None

    def forward(self, features: Features, action: Tensor | None = None) -> Tensor:
        """[N, A]; action: [N, A, M]."""
        own = self._bend(self.first(flat(features, action)))
        hidden = self.second(own)
        if self.context is not None:
            hidden = hidden + self.context(own, features.state)
        value: Tensor = self.head(self._bend(hidden))[..., 0]
        return value
