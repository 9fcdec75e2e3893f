"""How the slices of one network fare in one episode: what each agent gives them, and how their promises are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, runtime_checkable

from ranpilot.envs.controller import (
    Action,
    Controller,
    Decision,
    Environment,
    FloatArray,
    IntArray,
    Observation,
    Outcome,
)

__all__ = ["ShowsSlices", "Timeline"]


@runtime_checkable
class ShowsSlices(Protocol):
    """An environment that can say how its slices fare."""

    @property
    def slice_shares(self) -> FloatArray:
        """[B, A, S] that the last action gave, 0 to 1."""
        ...

    @property
    def slice_quality(self) -> FloatArray:
        """[B, A, S] Q in the last step, NaN where nothing is judged."""
        ...

    @property
    def slice_tenants(self) -> IntArray:
        """[B, S] whose seat it is, -1 for nobody's."""
        ...

    @property
    def tenant_names(self) -> Sequence[str]:
        """By the index of the tenant."""
        ...


class Timeline:
    """A controller beside which somebody takes notes of the first network's first agent."""

    def __init__(self, env: ShowsSlices, controller: Controller) -> None:
        self._env, self._inner = env, controller
        self._share: list[list[float]] = []
        self._quality: list[list[float | None]] = []
        self._tenant: list[list[int]] = []

    @classmethod
    def of(cls, env: Environment, controller: Controller) -> Self | None:
        """None where the environment has no slices."""
        return cls(env, controller) if isinstance(env, ShowsSlices) else None

    def act(self, obs: Observation) -> Action:
        """What the controller does."""
        return self._inner.act(obs)

    def observe(self, outcome: Outcome) -> None:
        """Tell the controller, and write down what came of it; not of the last step, after which all begins anew."""
        self._inner.observe(outcome)
        if outcome.done.any():
            return
        self._tenant.append([int(tenant) for tenant in self._env.slice_tenants[0]])
        self._share.append([round(float(share), 4) for share in self._env.slice_shares[0, 0]])
        quality = self._env.slice_quality[0, 0]
        self._quality.append([None if q != q else round(float(q), 4) for q in quality])

    def explain(self, network: int) -> tuple[Decision, ...]:
        """The controller's last decisions."""
        return self._inner.explain(network)

    def as_json(self) -> dict[str, Any]:
        """Tenant, share and quality of every seat, step by step, and the names of the tenants."""
        present = sorted({tenant for step in self._tenant for tenant in step if tenant >= 0})
        names = {str(tenant): self._env.tenant_names[tenant] for tenant in present}
        return {"names": names, "tenant": self._tenant, "share": self._share, "quality": self._quality}
