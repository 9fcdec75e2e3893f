"""What nets see: the arrays of an observation as float32, and the same as tensors, with slices' codes looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ranpilot.envs.controller import Observation, TaskSpec
from ranpilot.learning.slice_codes import SliceCodes

__all__ = ["NAMES", "Arrays", "FeatureShape", "Features", "Start", "as_features", "see", "shape_of"]

Arrays = dict[str, NDArray[Any]]
"""local [B, A, D], state [B, G], slices [B, A, S, F], mask [B, A, S], code [B, A, S], start [B, A, S or 0]."""
NAMES = ("local", "state", "slices", "mask", "code", "start")
Start = Callable[[Observation], NDArray[Any]]
"""Numbers [B, A, S] that an untaught policy gives, 0 at free seats."""


class FeatureShape(NamedTuple):
    """How much nets see and say."""

    num_agents: int
    num_local: int
    num_state: int
    num_slices: int
    num_slice_features: int
    """With the codes."""
    num_options: int
    """0 where an action is numbers."""
    action_size: int
    """0 where an action is an option."""


class Features(NamedTuple):
    """N network-steps with A agents, in the nets' own kind."""

    local: Tensor
    """[N, A, D]"""
    state: Tensor
    """[N, G]"""
    slices: Tensor
    """[N, A, S, F], 0 at free seats"""
    mask: Tensor
    """[N, A, S] 1 where a seat is taken"""
    start: Tensor
    """[N, A, S] what the policy's mean is added to; [N, A, 0] for nothing"""


def shape_of(task: TaskSpec, codes: SliceCodes | None) -> FeatureShape:
    """What nets for that task see; codes: numbers for the slices' texts, or None."""
    own = len(task.slice_features) + (codes.size if codes and task.num_slices else 0)
    return FeatureShape(
        num_agents=task.num_agents,
        num_local=len(task.features),
        num_state=len(task.state_names),
        num_slices=task.num_slices,
        num_slice_features=own,
        num_options=task.num_actions,
        action_size=task.action_size,
    )


def see(obs: Observation, codes: SliceCodes | None, start: Start | None = None) -> Arrays:
    """The arrays that are remembered of an observation."""
    num, agents = obs.local.shape[:2]
    has_slices = obs.slices.size > 0
    slices = obs.slices if has_slices else np.zeros((num, agents, 0, 0))
    mask = obs.slice_mask if has_slices else np.zeros((num, agents, 0), dtype=np.bool_)
    rows = codes.rows(obs) if codes is not None and has_slices else np.zeros(mask.shape, dtype=np.int64)
    return {
        "local": np.asarray(obs.local, dtype=np.float32),
        "state": np.asarray(obs.state, dtype=np.float32),
        "slices": np.asarray(slices, dtype=np.float32),
        "mask": np.asarray(mask, dtype=np.bool_),
        "code": np.asarray(rows, dtype=np.int16),
        "start": np.asarray(np.zeros((num, agents, 0)) if start is None else start(obs), dtype=np.float32),
    }


def as_features(arrays: Mapping[str, NDArray[Any]], codes: SliceCodes | None, device: str) -> Features:
    """The arrays as tensors on the device; whatever stands at free seats becomes 0."""
    local, state, slices, mask, start = (
        torch.as_tensor(arrays[name], device=device) for name in ("local", "state", "slices", "mask", "start")
    )
    slices = slices.to(local.dtype)
    if codes is not None and slices.shape[2]:
        rows = torch.as_tensor(arrays["code"], device=device).long()
        slices = torch.cat([slices, codes.table.to(device)[rows]], dim=-1)
    return Features(local, state, torch.where(mask[..., None], slices, 0.0), mask.to(slices.dtype), start)
