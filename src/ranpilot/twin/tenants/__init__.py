"""Tenants of slices: services in words, with the SLA that the words imply (docs/tenant_corpus.md)."""

from __future__ import annotations

from ranpilot.twin.tenants.corpus import Corpus, Tenant, load_corpus
from ranpilot.twin.tenants.service_family import PHRASINGS, Phrasing, ServiceFamily, Texts
from ranpilot.twin.tenants.sla import DIMENSIONS, LEVELS, Dimension, Level, ServiceClass, Sla
from ranpilot.twin.tenants.splits import SPLITS, TenantSplit, family_split, phrasing_split

__all__ = [
    "DIMENSIONS",
    "LEVELS",
    "PHRASINGS",
    "SPLITS",
    "Corpus",
    "Dimension",
    "Level",
    "Phrasing",
    "ServiceClass",
    "ServiceFamily",
    "Sla",
    "Tenant",
    "TenantSplit",
    "Texts",
    "family_split",
    "load_corpus",
    "phrasing_split",
]
