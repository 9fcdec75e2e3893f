"""A network described in typed, bounded fields: carrier, layout, users, traffic, link, measurements, loads and splits.

`load_scenario` reads one from YAML (`scenario_file.py`); `with_load`, `train` and `heldout` are the same scenario with
the differences that the file names under `loads` and `splits`. Defaults stand here and in `description/`, a file holds
only differences.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ranpilot.errors import ConfigError, UnknownNameError
from ranpilot.twin.bounds import Part, bounded
from ranpilot.twin.description.carrier import Carrier
from ranpilot.twin.description.energy import Energy
from ranpilot.twin.description.fitting import check_radio_fits, check_slices_fit
from ranpilot.twin.description.layout import Layout
from ranpilot.twin.description.link import Link
from ranpilot.twin.description.radio import Radio
from ranpilot.twin.description.rrc import Rrc
from ranpilot.twin.description.site import LEAST_POWER_DBM, Cell
from ranpilot.twin.description.slices import Slices
from ranpilot.twin.description.traffic import Traffic
from ranpilot.twin.description.users import Arrivals, Static, Trace, Users
from ranpilot.twin.events import Events
from ranpilot.twin.layout.trace_file import check_traces

__all__ = ["ControlStep", "Scenario", "Split", "merge"]

Split = Literal["train", "validation", "heldout", "reworded"]

UNNAMED: Mapping[Split, Mapping[str, Any]] = {
    "train": {},
    "validation": {"placement_seed_offset": 2},
    "heldout": {"placement_seed_offset": 1},
}
"""Splits that a scenario has without naming them: other places, objects and traffic of the same kind."""

MOST_QUEUE_BYTES, QUEUED_PACKET_BYTES = 2**30, 8

DEFAULT_CAPACITY = 100
"""Places that a cell without a limit gives to arriving users."""


class ControlStep(Part):
    """How often a controller acts and how long an episode lasts."""

    step_ms: Annotated[float, bounded(1.0, 60_000.0, "ms")] = 100.0
    episode_steps: Annotated[int, bounded(1, 1_000_000, "step")] = 100


class Scenario(Part):
    """One network, its loads and its splits."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: str = ""
    carrier: Carrier
    layout: Layout
    users: Users
    traffic: Traffic
    radio: Radio = Radio()
    link: Link = Link()
    rrc: Rrc = Rrc()
    energy: Energy = Energy()
    control: ControlStep = ControlStep()
    events: Events | None = None
    """What happens to cells, now and then or at given times; None = nothing."""
    slices: Slices | None = None
    """Tenants that share the network; None = all users are one."""
    placement_seed_offset: Annotated[int, bounded(0, 1_000_000, "1")] = 0
    """Networks with different offsets share no random number, whatever their seed."""
    loads: Mapping[str, Mapping[str, Any]] = {}
    """What each load changes, by its name."""
    splits: Mapping[Split, Mapping[str, Any]] = {}
    """What each split changes."""
    load: str | None = None
    """The load that is applied; set by `with_load`."""
    split: Split = "train"
    """The split that is applied; set by `with_split`."""

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        slots = self.control.step_ms * 1e-3 / self.slot_s
        if abs(slots - round(slots)) > 1e-6:
            raise ConfigError("control.step_ms", self.control.step_ms, f"a multiple of {self.slot_s * 1e3:g} ms slots")
        self._check_rrc()
        self._check_traffic()
        self._check_mobility()
        if self.slices is None:
            self.traffic.check_shares()
        else:
            check_slices_fit(self.slices, self.traffic, self.users, (self.num_places, self.slot_s))
        if self.events is not None:
            self.events.check_cells(tuple(cell.name for cell in self.cells))
            self.events.check_population(isinstance(self.users.population, Arrivals))
            self.events.check_power(min(cell.power_range_dbm[0] for cell in self.cells), LEAST_POWER_DBM)
        check_radio_fits(self.layout.sites, self.users, self.carrier.frequency_ghz)
        return self

    def _check_rrc(self) -> None:
        offsets = self.rrc.handover.cell_individual_offset_db
        if offsets and len(offsets) != self.num_cells:
            field = "rrc.handover.cell_individual_offset_db"
            raise ConfigError(field, list(offsets), f"one number for each of the {self.num_cells} cells")
        if self.rrc.link_failure.then == "leave" and isinstance(self.users.population, Static):
            raise ConfigError("rrc.link_failure.then", "leave", "reestablish where users are static")

    def _check_traffic(self) -> None:
        for entry in self.traffic.mix:
            if entry.deadline_ms is not None and entry.deadline_ms < self.slot_s * 1e3:
                allowed = f"at least a slot ({self.slot_s * 1e3:g} ms)"
                raise ConfigError("traffic.mix.deadline_ms", entry.deadline_ms, allowed)
        most = int(MOST_QUEUE_BYTES / (QUEUED_PACKET_BYTES * self.num_places))
        if self.traffic.buffer_packets > most:
            allowed = f"at most {most} for {self.num_places} users (1 GiB of queues in one network)"
            raise ConfigError("traffic.buffer_packets", self.traffic.buffer_packets, allowed)

    def _check_mobility(self) -> None:
        mobility = self.users.mobility
        if isinstance(mobility, Trace):
            duration_s = self.control.step_ms * 1e-3 * self.control.episode_steps
            check_traces(mobility.read(), self.layout.area_m, duration_s)

    @property
    def slot_s(self) -> float:
        """Duration of a slot."""
        return self.carrier.slot_s

    @property
    def slots_per_step(self) -> int:
        """Slots of a control step."""
        return round(self.control.step_ms * 1e-3 / self.slot_s)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """[C] site by site; a site has a cell for each sector."""
        return self.layout.cells

    @property
    def num_cells(self) -> int:
        """C."""
        return len(self.layout.cells)

    @property
    def num_places(self) -> int:
        """U, the places that users can take: what all cells can hold (static: the users there are)."""
        if isinstance(self.users.population, Static):
            return self.num_cells * self.users.population.ues_per_cell
        return sum(cell.capacity or DEFAULT_CAPACITY for cell in self.cells)

    def with_load(self, name: str) -> Scenario:
        """This scenario at that load. Raises UnknownNameError for one that it does not have."""
        if name not in self.loads:
            raise UnknownNameError(f"load of scenario {self.name!r}", name, list(self.loads))
        return self.with_changes(self.loads[name], load=name)

    @property
    def train(self) -> Scenario:
        """The split that training uses."""
        return self.with_split("train")

    @property
    def heldout(self) -> Scenario:
        """The split that only evaluation uses: other places of users and objects, other captures."""
        return self.with_split("heldout")

    def with_split(self, name: str) -> Scenario:
        """This scenario's split of that name: `train`, `validation` (for tuning), `heldout`, and others that it names.

        Raises UnknownNameError for one that it does not have.
        """
        splits = {str(split): changes for split, changes in (*UNNAMED.items(), *self.splits.items())}
        if name not in splits:
            raise UnknownNameError(f"split of scenario {self.name!r}", name, list(splits))
        return self.with_changes(splits[name], split=name)

    def with_changes(self, changes: Mapping[str, Any], **names: str) -> Scenario:
        """A copy in which `changes` (nested mappings; lists are replaced whole) stand. Raises ConfigError."""
        from ranpilot.twin.scenario_file import validate_scenario

        return validate_scenario(merge(merge(self.model_dump(mode="json"), changes), names))

    def hash(self) -> str:
        """A short hash of everything that decides how the network behaves."""
        # A file is known by what it holds, not by where it lies, and a corpus by its tenants.
        left_out: dict[str, Any] = {
            "description": True,
            "loads": True,
            "splits": True,
            "users": {"mobility": {"file": True}},
            "slices": {"corpus": True},
        }
        values = self.model_dump(mode="json", exclude=left_out, context={"whole": True})
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with `changes` written over it, mapping by mapping; anything else is replaced whole."""
    result = dict(values)
    for key, change in changes.items():
        old = result.get(key)
        # A change that names a file leaves nothing of what another file was told to be.
        same_kind = isinstance(old, Mapping) and isinstance(change, Mapping) and "file" not in change
        if same_kind and old.get("kind") == change.get("kind", old.get("kind")):  # type: ignore[union-attr]
            result[key] = merge(old, change)  # type: ignore[arg-type]
        else:
            result[key] = change
    return result
