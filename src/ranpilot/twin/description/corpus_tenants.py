"""Tenants that a scenario takes from a corpus of services in words: what becomes of a service in a network.

A place for users stands for as many of a service's devices as `DEVICES` says for its level of rate, and the SLA's rate
is that of a place: devices x rate of one x `rate_factor`. What a place sends is the kind of traffic that is called as
the level (`trickle`, `voice`, `page`, `video`, `many-videos`), with `prompt-` in front where data has to be there
within 20 ms; the scenario's mix says what that is. docs/tenant_corpus.md tells the rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ranpilot.errors import ConfigError, InputError
from ranpilot.twin.bounds import Part, bounded
from ranpilot.twin.tenants import LEVELS, ServiceClass, Sla, Tenant, TenantSplit, load_corpus

__all__ = ["CorpusTenants"]

DEVICES: Mapping[str, int] = {"trickle": 100, "voice": 50, "page": 20, "video": 2, "many-videos": 1}
"""That one place for users stands for, by level of rate."""
SHARES: Mapping[str, float] = {"trickle": 0.1, "voice": 0.1, "page": 0.1, "video": 0.12, "many-videos": 0.1}
"""Of the network's places, that a tenant's members take."""
SST: Mapping[ServiceClass, int] = {"embb": 1, "urllc": 2, "miot": 3, "hdllc": 6, "transaction": 128}
"""Source: TS 23.501 Table 5.15.2.2-1; operators' own types begin at 128."""

PROMPT_MS = 20.0
SURE, SURE_BLER = 0.999, 0.01
"""From that reliability on first transmissions are sent more carefully."""
LEAST_DEADLINE_MS, DEADLINES = 50.0, 2.0
"""A packet is discarded after twice the delay budget, but not before that time."""


class CorpusTenants(Part):
    """Which services of which corpus are tenants, and in which of their wordings."""

    file: Annotated[str, Field(min_length=1)] | None = None
    """A JSONL file, or a folder of such files; None = the corpus that ships."""
    families: TenantSplit | None = None
    """Split of the services; None = all."""
    phrasings: TenantSplit | None = None
    """Split of the wordings of each; None = all."""
    fold: Annotated[int, bounded(0, 1_000_000, "1")] = 0
    """Other folds are other splits of the same kind."""
    rate_factor: Annotated[float, bounded(1e-4, 1e4, "1")] = 1.0
    """All rates are multiplied by it, where cells are too small for those of the corpus."""
    share_factor: Annotated[float, bounded(1e-3, 8.0, "1")] = 1.0
    """All shares of the network's places are multiplied by it, where there are more slices or fewer at once."""

    def slices(self) -> tuple[Mapping[str, Any], ...]:
        """Fields of a `Slice` for each tenant. Raises ConfigError for a corpus that cannot be read, or without any."""
        try:
            corpus = load_corpus(self.file)
        except ConfigError:
            raise
        except InputError as error:
            raise ConfigError("corpus.file", self.file, f"a corpus that can be read ({error})") from None
        tenants = corpus.tenants(self.families, self.phrasings, fold=self.fold)
        return tuple(_slice(tenant, self) for tenant in tenants)


def _slice(tenant: Tenant, chosen: CorpusTenants) -> Mapping[str, Any]:
    sla, level = tenant.sla, _rate_level(tenant.sla)
    is_prompt = sla.delay_budget_ms <= PROMPT_MS
    return {
        "name": f"{tenant.family}/{tenant.phrasing}",
        "sst": SST[sla.service_class],
        "description": tenant.text,
        "priority": sla.priority,
        "sla": {
            "mean_rate_mbps": sla.rate_mbps * DEVICES[level] * chosen.rate_factor,
            "delay_ms": sla.delay_budget_ms,
            "reliability": sla.reliability,
            "served_share": sla.served_share,
        },
        "traffic": (f"prompt-{level}" if is_prompt else level,),
        "share": SHARES[level] * chosen.share_factor,
        "deadline_ms": max(LEAST_DEADLINE_MS, DEADLINES * sla.delay_budget_ms),
        "target_bler": SURE_BLER if sla.reliability >= SURE else None,
    }


def _rate_level(sla: Sla) -> str:
    """The level nearest to the rate, by their ratio."""
    return min(LEVELS["rate"], key=lambda level: abs(math.log(level.value / sla.rate_mbps))).name
