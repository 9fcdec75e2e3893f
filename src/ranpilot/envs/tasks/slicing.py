"""Task `slicing`: in each cell one agent shares the resource blocks out among slices that arrive and leave.

One agent for each cell (DU), a number in [-1, 1] for each seat, control steps as the scenario has them (100 ms); what a
slice was promised decides the reward, docs/slicing.md says every rule. Source: the slicing problem of Lotfi, Rajoli,
Afghah 2025. Differs from source: radio, traffic and schedulers are the twin's, promises are those of tenants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ranpilot.declare import Measurement
from ranpilot.envs.controller import Feature, FloatArray, IntArray, Observation, TaskSpec
from ranpilot.envs.share_action import ShareAction
from ranpilot.envs.tasks._promises import JUDGED_KPMS, make_promises, quality
from ranpilot.envs.tasks._slice_features import PROMISED, SEEN, SEEN_KPMS, see_promises, see_slices
from ranpilot.envs.twin_task import Played, TwinTask
from ranpilot.errors import ActionError, ConfigError
from ranpilot.twin import kpm
from ranpilot.twin.controls import SLICE_DEDICATED_RATIO, SLICE_MAX_RATIO, SLICE_MIN_RATIO
from ranpilot.twin.network import Networks
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.views import Mark

__all__ = ["PART", "REWARD_TERMS", "VARIANTS", "Numbers", "Slicing"]

REWARD_TERMS = ("kept", "violated", "churn", "excess")
COUNTERS = ("judged", "violated", "quality", "excess")


@dataclass(frozen=True)
class Numbers:
    """The numbers of the task, those of SYSTEMS by default."""

    action: Literal["soft", "hard", "blocks"] = "soft"
    """How numbers become shares, see `ShareAction`; blocks may be more than there are, at a price."""
    shows_promises: bool = False
    """Whether agents see SLAs and how well they are kept; otherwise only what tenants say in words."""
    logit_scale: float = 3.0
    steepness: float = 5.0
    violated_weight: float = 0.5
    churn_weight: float = 0.02
    excess_weight: float = 1.0
    warm_up_s: float = 0.5


VARIANTS: Mapping[str, Numbers] = {
    "intent": Numbers(),
    "intent-hard": Numbers(action="hard"),
    "intent-rb": Numbers(action="blocks"),
    "numeric_sla": Numbers(shows_promises=True),
    "numeric_sla-hard": Numbers(action="hard", shows_promises=True),
    "numeric_sla-rb": Numbers(action="blocks", shows_promises=True),
}
"""`intent` shows what tenants say and not their SLA, `numeric_sla` the SLA too; `-hard` and `-rb` change the action."""


class Slicing(TwinTask):
    """A batch of networks under the task."""

    NAME, VARIANTS, DEFAULT, SNAPSHOT_VERSION = "slicing", VARIANTS, "intent", 1
    _numbers: Numbers

    def __init__(self, networks: Networks, numbers: Numbers) -> None:
        self._promises = make_promises(networks.scenario)
        self._rule = ShareAction(numbers.action, numbers.logit_scale, networks.scenario.carrier.num_prbs)
        super().__init__(networks, numbers, _make_spec(networks.scenario, numbers, self._rule))
        tenants = networks.scenario.slices.tenants if networks.scenario.slices else ()
        self._texts = tuple(dict.fromkeys(tenant.description for tenant in tenants if tenant.description))
        self._text_id = np.array([self._texts.index(t.description) if t.description else -1 for t in tenants])
        self._warm_up_slots = round(numbers.warm_up_s / networks.scenario.slot_s)
        self._edges_ms = kpm.delay_edges_ms(networks.scenario.slot_s)
        self._needed = {feature.measurement.name for feature in self.spec.features} | SEEN_KPMS | JUDGED_KPMS
        self._share: FloatArray = np.zeros((self.num_networks, self.spec.num_agents, self.spec.num_slices))
        self._seen: Mapping[str, FloatArray] = {}
        self._quality: FloatArray = np.full(self._share.shape, np.nan)
        self._acted_for: IntArray = np.full((self.num_networks, self.spec.num_slices), -1)
        """[B, S] whose seat it was at the last action"""

    @classmethod
    def _begin(cls, networks: Networks, numbers: Numbers) -> Self:
        events = networks.scenario.events
        for kind in events.kinds if events else ():
            if kind.report is not None:
                raise ConfigError("events.kinds.report", kind.report, "left out for task 'slicing'")
        return cls(networks, numbers)

    def reset(self, *, first_episode: int = 0) -> Observation:
        """Begin that episode: tenants with their own ratios, and a warm-up in which nothing is counted."""
        self._begin_episode(first_episode)
        self._share, self._acted_for = np.zeros_like(self._share), np.full_like(self._acted_for, -1)
        self._advance(self._warm_up_slots)
        return self.observation

    @property
    def observation(self) -> Observation:
        """What the next `act` should see."""
        tenant = self.networks.slices.tenant
        is_taken = np.broadcast_to((tenant >= 0)[:, None, :], self._share.shape)
        seen = see_slices(self._share, self._seen)
        if self._numbers.shows_promises:
            seen = np.concatenate([seen, see_promises(self._promises, tenant, self._quality)], axis=-1)
        text_id = np.where(tenant >= 0, self._text_id[np.maximum(tenant, 0)], -1)
        return Observation(
            local=self._normalised(tuple(self._seen[feature.measurement.name] for feature in self.spec.features)),
            state=(tenant >= 0).mean(axis=1, keepdims=True),
            **self._when(),
            notice_ids=np.full((self.num_networks, 0), -1, dtype=np.int64),
            texts=self._texts,
            slices=np.where(is_taken[..., None], seen, 0.0),
            slice_mask=is_taken.copy(),
            slice_text_ids=np.broadcast_to(text_id[:, None, :], self._share.shape).copy(),
        )

    @property
    def slice_shares(self) -> FloatArray:
        """[B, A, S] what the last action gave, 0 to 1; not for controllers."""
        return self._share.copy()

    @property
    def slice_quality(self) -> FloatArray:
        """[B, A, S] Q of the last step, NaN where nothing is judged; not for controllers."""
        return self._quality.copy()

    @property
    def slice_tenants(self) -> IntArray:
        """[B, S] whose seat it is, -1 for nobody's."""
        return self.networks.slices.tenant

    @property
    def tenant_names(self) -> tuple[str, ...]:
        """By the index of the tenant."""
        slices = self.networks.scenario.slices
        return tuple(tenant.name for tenant in slices.tenants) if slices else ()

    def _pick(self, rows: IntArray) -> None:
        self._share, self._acted_for, self._quality = self._share[rows], self._acted_for[rows], self._quality[rows]
        self._seen = {name: values[rows] for name, values in self._seen.items()}

    def _kept(self) -> dict[str, Any]:
        # Names of measurements hold dots and are not for files: by number.
        seen = {f"seen.{index}": values for index, values in enumerate(self._seen.values())}
        return {"share": self._share, "acted_for": self._acted_for, "quality": self._quality, **seen}

    def _take(self, found: Mapping[str, NDArray[Any]]) -> None:
        self._share, self._acted_for, self._quality = found["share"], found["acted_for"], found["quality"]
        self._seen = {name: found[f"seen.{index}"] for index, name in enumerate(self._seen)}

    def _checked(self, action: object) -> FloatArray:
        """[B, A, S] as numbers. Raises ActionError for a wrong shape, a NaN or a number outside [-1, 1]."""
        try:
            given = np.asarray(action)
        except ValueError:
            raise ActionError("shape", "ragged", str(self._share.shape)) from None
        if given.shape != self._share.shape:
            raise ActionError("shape", given.shape, str(self._share.shape))
        if given.dtype.kind not in "iuf":
            raise ActionError("dtype", str(given.dtype), "numbers in [-1, 1]")
        is_fine = (given >= -1.0) & (given <= 1.0)  # a NaN compares false
        if not is_fine.all():
            network, agent, seat = (int(index) for index in np.argwhere(~is_fine)[0])
            where = f"network {network}, {self.spec.agents[agent]}, seat {seat}"
            raise ActionError(where, float(given[network, agent, seat]), "within [-1, 1]")
        return given.astype(np.float64)

    def _play(self, action: FloatArray) -> Played:
        asked = self._share_out(action)
        self._advance(self.spec.slots_per_step)
        self._step += 1
        return self._reward(*asked)

    def _share_out(self, action: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Put the shares in force; how much they changed and what was asked for beyond everything, [B, A]."""
        tenant = self.networks.slices.tenant
        share, excess = self._rule.shares(action, np.broadcast_to((tenant >= 0)[:, None, :], action.shape))
        # A share that came or went with its slice is no change of mind.
        has_stayed = ((tenant >= 0) & (tenant == self._acted_for))[:, None, :]
        change = np.where(has_stayed, np.abs(share - self._share), 0.0).sum(axis=2)
        self._share, self._acted_for = share, tenant
        percent = share * 100.0
        self.networks.apply(
            {
                SLICE_MIN_RATIO: percent,
                SLICE_MAX_RATIO: np.full(percent.shape, 100.0) if self._rule.lends else percent,
                SLICE_DEDICATED_RATIO: np.zeros(percent.shape),
            }
        )
        return change, excess

    def _advance(self, slots: int) -> None:
        """Run, and keep what is measured of it."""
        mark = self.networks.mark()
        self._run(slots)
        self._measure(mark)

    def _run(self, slots: int) -> None:
        self.networks.advance(slots)

    def _measure(self, mark: Mark) -> None:
        """Keep what is measured since then."""
        window = self.networks.window(mark)
        self._seen = kpm.compute(window, self._needed)
        tenant = self.networks.slices.tenant
        counted, delays = window.slices, window.slice_delay
        self._quality = quality(self._promises, tenant, self._seen, counted, delays, self._edges_ms)

    def _reward(self, change: FloatArray, excess: FloatArray) -> Played:
        numbers, q = self._numbers, self._quality
        is_judged = ~np.isnan(q)
        weight = np.where(
            is_judged, self._promises.priority[np.maximum(self.networks.slices.tenant, 0)][:, None, :], 0.0
        )
        kept = 1.0 / (1.0 + np.exp(-numbers.steepness * (np.nan_to_num(q) - 1.0)))
        total, judged = weight.sum(axis=2), is_judged.sum(axis=2)
        # A cell where no slice wants anything keeps every promise.
        value = np.where(total > 0.0, (weight * kept).sum(axis=2) / np.where(total > 0.0, total, 1.0), 1.0)
        violated = ((q < 1.0) & is_judged).sum(axis=2)
        terms = (
            value,
            -numbers.violated_weight * violated / np.maximum(judged, 1),
            -numbers.churn_weight * change,
            -numbers.excess_weight * excess,
        )
        total_quality = np.nan_to_num(q).sum(axis=2)
        counts = {"judged": judged, "violated": violated, "quality": total_quality, "excess": excess}
        return Played(
            terms=np.stack(terms, axis=2),
            counts={name: np.asarray(values, dtype=np.float64) for name, values in counts.items()},
        )


def _make_spec(scenario: Scenario, numbers: Numbers, rule: ShareAction) -> TaskSpec:
    agents = tuple(cell.name for cell in scenario.cells)
    num_slices = scenario.slices.num_seats if scenario.slices else 0
    return TaskSpec(
        name="slicing",
        scenario=scenario.name,
        agents=agents,
        features=(
            _feature(kpm.PRB_USE, 100.0, (30.0, 70.0, 95.0), ("low", "medium", "high", "full"), len(agents)),
            _feature(kpm.CQI_MEAN, 15.0, (5.0, 10.0), ("poor", "fair", "good"), len(agents)),
            _feature(kpm.ACTIVE_MEAN, 50.0, (1.0, 5.0), ("quiet", "some", "busy"), len(agents)),
        ),
        state_names=("seats_taken",),
        actions=(),
        neutral_action=0,
        reward_terms=REWARD_TERMS,
        counters=COUNTERS,
        step_s=scenario.control.step_ms * 1e-3,
        slots_per_step=scenario.slots_per_step,
        episode_steps=scenario.control.episode_steps,
        neighbours=tuple(tuple(other for other in range(len(agents)) if other != a) for a in range(len(agents))),
        action_size=num_slices,
        num_slices=num_slices,
        slice_features=SEEN + (PROMISED if numbers.shows_promises else ()),
        share_action=rule,
    )


def _feature(
    measurement: Measurement, high: float, edges: tuple[float, ...], words: tuple[str, ...], num_agents: int
) -> Feature:
    return Feature(measurement, (edges,) * num_agents, (words,) * num_agents, (0.0,) * num_agents, (high,) * num_agents)


PART = Slicing
