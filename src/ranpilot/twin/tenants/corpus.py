"""The corpus of tenants: the shipped one, or a user's own from JSONL; what is trained on and what is held out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

from ranpilot.errors import ConfigError, InputError, UnknownNameError
from ranpilot.twin.tenants.jsonl import read_jsonl
from ranpilot.twin.tenants.service_family import Phrasing, ServiceFamily
from ranpilot.twin.tenants.sla import Sla
from ranpilot.twin.tenants.splits import TenantSplit, family_split, phrasing_split

__all__ = ["Corpus", "Tenant", "load_corpus"]


class Tenant(NamedTuple):
    """One description of one service."""

    family: str
    phrasing: Phrasing
    text: str
    sla: Sla


@dataclass(frozen=True)
class Corpus:
    """Service families; no two share a name, no text stands in two of them."""

    families: tuple[ServiceFamily, ...]
    source: str

    def family(self, name: str) -> ServiceFamily:
        """The family of a name. Raises UnknownNameError."""
        for family in self.families:
            if family.name == name:
                return family
        raise UnknownNameError("service family", name, [family.name for family in self.families])

    def tenants(
        self, families: TenantSplit | None = None, phrasings: TenantSplit | None = None, *, fold: int = 0
    ) -> tuple[Tenant, ...]:
        """The descriptions in a split of the families and one of the phrasings; None stands for all.

        Seen tenants are ("train", "train"), new wordings of them ("train", "heldout"), unseen services
        ("heldout", None).
        Raises ConfigError where a corpus is so small that a split has none.
        """
        found = tuple(
            Tenant(family.name, phrasing, text, family.sla)
            for family in self.families
            if families in (None, family_split(family.name, fold))
            for phrasing, text in family.texts.items()
            if phrasings in (None, phrasing_split(family.name, phrasing, fold))
        )
        if not found:
            split = f"families {families or 'all'}, phrasings {phrasings or 'all'}, fold {fold}"
            raise ConfigError(f"tenants in {split}", 0, "at least 1 (add families)", source=self.source)
        return found


def load_corpus(path: str | Path | None = None) -> Corpus:
    """The shipped corpus, or the one in a JSONL file or in a folder of such files (schema: docs/tenant_corpus.md).

    Raises InputError for what cannot be read, ConfigError for a wrong line or where there is no family at all.
    """
    return _load_shipped() if path is None else _load(Path(path), str(path))


@cache
def _load_shipped() -> Corpus:
    with as_file(files("ranpilot.twin.tenants") / "families") as folder:
        return _load(folder, "shipped corpus")


def _load(path: Path, source: str) -> Corpus:
    paths = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if path.is_dir() and not paths:
        raise InputError(f"{path}: no file ends with .jsonl, but a corpus must have at least one.")
    records = [record for file in paths for record in read_jsonl(file, ServiceFamily)]
    if not records:
        raise ConfigError("families", 0, "at least 1", source=str(path))
    _check_distinct(records)
    return Corpus(tuple(family for _, family in records), source)


def _check_distinct(records: Iterable[tuple[str, ServiceFamily]]) -> None:
    place_of_name: dict[str, str] = {}
    place_of_text: dict[str, str] = {}
    for place, family in records:
        if family.name in place_of_name:
            allowed = f"given once (it stands in {place_of_name[family.name]} too)"
            raise ConfigError("name", family.name, allowed, source=place)
        place_of_name[family.name] = place
        for phrasing, text in family.texts.items():
            before = place_of_text.setdefault(text, place)
            if before != place:
                allowed = f"told of one family only (it stands in {before} too)"
                raise ConfigError(f"texts.{phrasing}", text[:60], allowed, source=place)
