"""AURA: base stations as agents, an adviser, learned trust and delayed reward."""
