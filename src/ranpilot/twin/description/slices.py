"""Slices as tenants describe them: who they are, what they were promised, what they may take, and when they are there.

A slice has members (users with its kinds of traffic) and, in each cell, an RRMPolicyRatio (TS 28.541 §4.3.36): a share
that it gets whenever it wants it (min), of which a part is kept free for it (dedicated), and one that it never exceeds
(max). What it does not want of its minimum beyond the dedicated part is lent to others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from ranpilot.errors import ConfigError
from ranpilot.twin.bounds import Part, Seconds, bounded
from ranpilot.twin.description.corpus_tenants import CorpusTenants
from ranpilot.twin.description.link import Scheduler, TargetBler

__all__ = ["MOST_SLICES", "Sla", "Slice", "Slices", "Turnover"]

MOST_SLICES = 64
"""Slices that a network can have at once."""

SNSSAI_SD = re.compile(r"[0-9A-Fa-f]{6}")

Ratio = Annotated[float, bounded(0.0, 100.0, "%")]


class Sla(Part):
    """What a tenant was promised; each part is optional."""

    mean_rate_mbps: Annotated[float, bounded(1e-6, 1e5, "Mbit/s")] | None = None
    """Of a member, mean over the members."""
    p5_rate_mbps: Annotated[float, bounded(1e-6, 1e5, "Mbit/s")] | None = None
    """Of a member, that 95 % of the members get at least."""
    delay_ms: Annotated[float, bounded(0.5, 60_000.0, "ms")] | None = None
    """Delay budget of a packet."""
    reliability: Annotated[float, Field(ge=0.5, le=0.999999)] = 0.99
    """Share of the packets that must arrive within the delay budget, where there is one."""
    served_share: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """Of the offered bits, that must be delivered."""


class Slice(Part):
    """One tenant: S-NSSAI, promise, own words, and how its members are treated where controls say nothing."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    sst: Annotated[int, bounded(0, 255, "1")] = 1
    """Slice/service type; 1 eMBB, 2 URLLC, 3 MIoT. Source: TS 23.501 Table 5.15.2.2-1."""
    sd: str | None = None
    """Slice differentiator: six hexadecimal digits; None = the slice has none."""
    description: Annotated[str, Field(max_length=2000)] = ""
    """What the tenant says of its service, in its own words."""
    priority: Annotated[int, bounded(1, 4, "1")] = 1
    """4 counts most."""
    sla: Sla = Sla()
    traffic: Annotated[tuple[str, ...], Field(min_length=1, max_length=16)]
    """Names of the kinds of traffic in the mix that its members have; a member has one, drawn by the mix's shares."""
    share: Annotated[float, Field(gt=0.0, le=1.0)]
    """Of the network's places for users, that its members take."""
    min_ratio: Ratio = 0.0
    max_ratio: Ratio = 100.0
    dedicated_ratio: Ratio = 0.0
    scheduler: Scheduler | None = None
    """Among its members; None = as `link` says."""
    target_bler: TargetBler | None = None
    """None = as the kind of traffic says."""
    deadline_ms: Annotated[float, bounded(0.5, 60_000.0, "ms")] | None = None
    """A packet that waits longer is discarded; None = as the kind of traffic says."""
    from_s: Seconds = 0.0
    """When it arrives, since the reset."""
    until_s: Seconds | None = None
    """When it leaves; None = it stays."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.traffic)) < len(self.traffic):
            raise ConfigError("traffic", list(self.traffic), "kinds that are named once")
        if self.sd is not None and not SNSSAI_SD.fullmatch(self.sd):
            raise ConfigError("sd", self.sd, "six hexadecimal digits in quotes")
        if self.min_ratio > self.max_ratio:
            raise ConfigError("min_ratio", self.min_ratio, f"at most max_ratio ({self.max_ratio:g})")
        if self.dedicated_ratio > self.min_ratio:
            raise ConfigError("dedicated_ratio", self.dedicated_ratio, f"at most min_ratio ({self.min_ratio:g})")
        if self.until_s is not None and self.until_s <= self.from_s:
            raise ConfigError("until_s", self.until_s, f"after from_s ({self.from_s:g})")
        return self

    @property
    def snssai(self) -> str:
        """S-NSSAI as it is written, e.g. '1' or '2-00abcd'."""
        return f"{self.sst}" if self.sd is None else f"{self.sst}-{self.sd}"


class Turnover(Part):
    """Slices come and go at random: present ones leave after an exponential time, absent ones arrive in free seats.

    The slices of the scenario are then a catalogue; each that arrives is drawn from those that are not there.
    """

    most: Annotated[int, bounded(1, MOST_SLICES, "slice")]
    """Seats: slices at once at most."""
    least: Annotated[int, bounded(0, MOST_SLICES, "slice")] = 1
    """None leaves while only that many are there."""
    first: Annotated[int, bounded(0, MOST_SLICES, "slice")] | None = None
    """Slices at the reset; None = drawn uniformly from least to most."""
    mean_stay_s: Annotated[float, bounded(0.5, 86_400.0, "s")] = 10.0
    mean_gap_s: Annotated[float, bounded(0.5, 86_400.0, "s")] = 10.0
    """Mean time for which a seat stays free."""

    @model_validator(mode="after")
    def _counts_in_order(self) -> Self:
        if self.least > self.most:
            raise ConfigError("least", self.least, f"at most most ({self.most})")
        if self.first is not None and not self.least <= self.first <= self.most:
            raise ConfigError("first", self.first, f"from least ({self.least}) to most ({self.most})")
        return self


class Slices(Part):
    """The slices of a network."""

    tenants: Annotated[tuple[Slice, ...], Field(max_length=4096)] = ()
    corpus: CorpusTenants | None = None
    """Where tenants are taken from that are not listed; None = from the list."""
    turnover: Turnover | None = None
    """None = each is there from its from_s to its until_s."""

    @model_validator(mode="before")
    @classmethod
    def _take_from_corpus(cls, values: Any) -> Any:
        """The tenants of a corpus stand in `tenants`, as those of a list do."""
        if not isinstance(values, Mapping) or values.get("corpus") is None:
            return values
        if values.get("tenants"):
            raise ConfigError("tenants", f"{len(values['tenants'])} of them", "left out where there is a corpus")
        try:
            chosen = CorpusTenants.model_validate(values["corpus"])
        except ValidationError:
            # The field's own validation tells it, with its place.
            return values
        return {**values, "tenants": _of_corpus(chosen)}

    @model_serializer(mode="wrap")
    def _leave_out_what_the_corpus_says(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        """Tenants of a corpus are not written out, unless the context says `whole`."""
        values: dict[str, Any] = handler(self)
        if self.corpus is not None and not (info.context or {}).get("whole"):
            values.pop("tenants", None)
        return values

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if not self.tenants:
            raise ConfigError("tenants", [], "at least one, or a corpus to take them from")
        seen: set[str] = set()
        for entry in self.tenants:
            if entry.name in seen:
                raise ConfigError("tenants.name", entry.name, "different for every slice")
            seen.add(entry.name)
        if self.turnover is None:
            self._check_timetable()
        else:
            self._check_catalogue(self.turnover)
        return self

    @property
    def num_seats(self) -> int:
        """S, slices at once at most."""
        return len(self.tenants) if self.turnover is None else self.turnover.most

    @property
    def comes_and_goes(self) -> bool:
        """Whether any slice is there only part of the time."""
        timed = any(entry.from_s > 0.0 or entry.until_s is not None for entry in self.tenants)
        return timed or self.turnover is not None

    def _check_timetable(self) -> None:
        if len(self.tenants) > MOST_SLICES:
            raise ConfigError("tenants", len(self.tenants), f"at most {MOST_SLICES} where there is no turnover")
        for moment in {entry.from_s for entry in self.tenants}:
            there = [entry for entry in self.tenants if entry.from_s <= moment < (entry.until_s or float("inf"))]
            total = sum(entry.share for entry in there)
            if total > 1.0 + 1e-9:
                at = f"at {moment:g} s" if moment else "at the start"
                raise ConfigError("tenants.share", [entry.share for entry in there], f"at most 1 in all {at}")
            total = sum(entry.min_ratio for entry in there)
            if total > 100.0 + 1e-9:
                at = f"at {moment:g} s" if moment else "at the start"
                raise ConfigError("tenants.min_ratio", [entry.min_ratio for entry in there], f"at most 100 in all {at}")

    def _check_catalogue(self, turnover: Turnover) -> None:
        if turnover.most > len(self.tenants):
            raise ConfigError("turnover.most", turnover.most, f"at most the number of tenants ({len(self.tenants)})")
        for entry in self.tenants:
            if entry.from_s > 0.0:
                raise ConfigError(f"tenants[{entry.name}].from_s", entry.from_s, "0 under turnover")
            if entry.until_s is not None:
                raise ConfigError(f"tenants[{entry.name}].until_s", entry.until_s, "left out under turnover")
        greatest = sorted((entry.min_ratio for entry in self.tenants), reverse=True)[: turnover.most]
        if sum(greatest) > 100.0 + 1e-9:
            allowed = f"such that any {turnover.most} slices ask for at most 100 in all"
            raise ConfigError("tenants.min_ratio", greatest, allowed)


def _of_corpus(chosen: CorpusTenants) -> tuple[Slice, ...]:
    """Its tenants; the corpus that ships is read once, since it does not change."""
    return _of_shipped(chosen) if chosen.file is None else _read(chosen)


@cache
def _of_shipped(chosen: CorpusTenants) -> tuple[Slice, ...]:
    return _read(chosen)


def _read(chosen: CorpusTenants) -> tuple[Slice, ...]:
    return tuple(Slice.model_validate(fields) for fields in chosen.slices())
