"""Trust mechanisms, one file each: how far an agent follows advice, and how that is learned."""

from __future__ import annotations

from ranpilot.family import Family
from ranpilot.systems.aura.trust._protocol import Advantage, OwnPolicy, StepTrust, Trust, TrustShape

__all__ = ["TRUSTS", "Advantage", "OwnPolicy", "StepTrust", "Trust", "TrustShape"]

TRUSTS: Family[type[Trust]] = Family("trust mechanism", "ranpilot.systems.aura.trust")
