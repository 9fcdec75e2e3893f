"""`endpoint:MODEL`: a model behind the OpenAI chat API; where and with which key stands in the environment."""

from __future__ import annotations

from ranpilot.systems.aura.advisers._cached_policy import CachedPolicy

__all__ = ["PART", "make_endpoint"]


def make_endpoint(*, argument: str | None, train_episodes: int, first_network: int) -> CachedPolicy:
    """The model of that name. Raises what `ranpilot.llm.load` raises."""
    from ranpilot import llm

    return CachedPolicy(llm.load("endpoint" if argument is None else f"endpoint:{argument}"))


PART = make_endpoint
