"""`embedded`: the language model that works offline; the argument is an adapter, by name or folder."""

from __future__ import annotations

from ranpilot.systems.aura.advisers._cached_policy import CachedPolicy

__all__ = ["PART", "make_embedded"]


def make_embedded(*, argument: str | None, train_episodes: int, first_network: int) -> CachedPolicy:
    """The embedded model as it comes, or with an adapter. Raises what `ranpilot.llm.load` raises."""
    from ranpilot import llm

    # float32 on every machine: bfloat16 would change some answers and with them the tables.
    return CachedPolicy(llm.load("embedded" if argument is None else f"embedded:{argument}", dtype="float32"))


PART = make_embedded
