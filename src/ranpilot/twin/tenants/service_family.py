"""A service family: one service, its latent SLA, and up to five ways in which tenants describe it."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from ranpilot.errors import ConfigError
from ranpilot.twin.tenants.sla import Sla

__all__ = ["PHRASINGS", "Phrasing", "ServiceFamily", "Texts"]

Phrasing = Literal["name", "need", "story", "ticket", "casual"]
PHRASINGS: tuple[Phrasing, ...] = ("name", "need", "story", "ticket", "casual")

MAX_CHARACTERS = 1000
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Texts(_Part):
    """Phrasings of one service; one that is left out does not exist."""

    name: str | None = None
    """What the service is called."""
    need: str | None = None
    """What it needs, in plain words."""
    story: str | None = None
    """What happens in the world, without a word of need: only who knows the world knows the need."""
    ticket: str | None = None
    """As an operator's service desk notes it."""
    casual: str | None = None
    """As somebody says it in passing."""

    @model_validator(mode="after")
    def _texts_are_texts(self) -> Self:
        if not self.items():
            raise ConfigError("name", None, f"given, or another phrasing ({', '.join(PHRASINGS[1:])})")
        for phrasing, text in self.items():
            if not text.strip() or len(text) > MAX_CHARACTERS or not text.isprintable():
                allowed = f"one printable line of 1 to {MAX_CHARACTERS} characters"
                raise ConfigError(phrasing, text[:60], allowed)
        return self

    def items(self) -> tuple[tuple[Phrasing, str], ...]:
        """The phrasings that exist, in the order of PHRASINGS."""
        pairs = ((phrasing, getattr(self, phrasing)) for phrasing in PHRASINGS)
        return tuple((phrasing, text) for phrasing, text in pairs if text is not None)


class ServiceFamily(_Part):
    """One line of a corpus file."""

    name: str
    industry: str
    sla: Sla
    texts: Texts

    @model_validator(mode="after")
    def _names_are_slugs(self) -> Self:
        for field in ("name", "industry"):
            if not SLUG.fullmatch(getattr(self, field)):
                raise ConfigError(field, getattr(self, field), "lower-case words and digits joined by '-'")
        return self
