"""Nets and optimisers as named arrays for a checkpoint, and back, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim import Optimizer

from ranpilot.errors import CheckpointError

__all__ = ["module_arrays", "optimiser_arrays", "restore_module", "restore_optimiser"]

Found = Mapping[str, NDArray[Any]]


def module_arrays(name: str, module: nn.Module) -> dict[str, NDArray[Any]]:
    """Every parameter, called `name/layer.part`."""
    return {f"{name}/{part}": value.cpu().numpy() for part, value in module.state_dict().items()}


def restore_module(name: str, module: nn.Module, found: Found) -> None:
    """Give the parameters those values. Raises CheckpointError where one is missing or of another shape."""
    with torch.no_grad():
        for part, value in module.state_dict().items():
            array = found.get(f"{name}/{part}")
            if array is None or array.shape != tuple(value.shape):
                problem = f"{name}/{part} is {'missing' if array is None else array.shape}"
                raise CheckpointError("checkpoint", problem, f"this task and config need {tuple(value.shape)}")
            value.copy_(torch.tensor(array))


def optimiser_arrays(name: str, optimiser: Optimizer) -> dict[str, NDArray[Any]]:
    """Moments and counts of every parameter, called `name/index.part`; nothing before the first step."""
    state = optimiser.state_dict()["state"]
    return {f"{name}/{index}.{part}": value.cpu().numpy() for index in state for part, value in state[index].items()}


def restore_optimiser(name: str, optimiser: Optimizer, found: Found) -> None:
    """Go on from those moments and counts."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, array in found.items():
        if key.startswith(f"{name}/"):
            index, part = key.removeprefix(f"{name}/").split(".")
            state.setdefault(int(index), {})[part] = torch.tensor(array)
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
