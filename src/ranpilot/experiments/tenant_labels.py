"""How well a second labelling of the tenant corpus, made from texts alone, agrees with the first.

Weighted kappa with quadratic weights: Cohen, "Weighted kappa", Psychological Bulletin 70 (1968):
kappa = 1 - sum_ij w_ij o_ij / sum_ij w_ij e_ij with w_ij = (i - j)^2, o the joint shares of levels i and j, e the
product of their marginal shares. Intervals: percentile bootstrap over service families, since the phrasings of a family
share their label.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ranpilot.envs.controller import FloatArray, IntArray
from ranpilot.errors import ConfigError
from ranpilot.experiments.statistics import RESAMPLES, Interval, divide, percentile_interval
from ranpilot.twin.tenants import DIMENSIONS, LEVELS, Corpus, Dimension, Phrasing, Tenant
from ranpilot.twin.tenants.jsonl import read_jsonl
from ranpilot.twin.tenants.splits import hash_share

__all__ = ["SHEET_PHRASINGS", "Agreement", "SecondLabel", "SheetLine", "agreement", "blind_sheet", "load_labels"]

SHEET_PHRASINGS: tuple[Phrasing, ...] = ("need", "story")


class SheetLine(TypedDict):
    """A text to label, without a word on where it is from."""

    id: str
    text: str


class SecondLabel(BaseModel):
    """One line of `second_labels.jsonl`: the levels that a labeller chose for a text of the sheet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    delay: Literal["reflex", "hand", "talk", "moment", "watched", "whenever"]
    reliability: Literal["unnoticed", "blemish", "halt", "harm"]
    priority: Literal["comfort", "work", "operation", "life"]
    served: Literal["half", "most", "nearly-all", "all"]
    rate: Literal["trickle", "voice", "page", "video", "many-videos"]

    def level(self, dimension: Dimension) -> int:
        """Index in LEVELS[dimension]."""
        return [level.name for level in LEVELS[dimension]].index(getattr(self, dimension))


@dataclass(frozen=True)
class Agreement:
    """Of one dimension, over texts in one phrasing or in all of them."""

    dimension: Dimension
    phrasing: Phrasing | None
    num_texts: int
    weighted_kappa: Interval
    same: Interval
    """Share of texts with the same level."""
    adjacent: Interval
    """Share of texts whose levels are at most one step apart."""

    def as_json(self) -> dict[str, object]:
        """The numbers, with None for what is not finite."""
        intervals = {name: getattr(self, name).as_json() for name in ("weighted_kappa", "same", "adjacent")}
        return {**asdict(self), **intervals}


def blind_sheet(corpus: Corpus, phrasings: Sequence[Phrasing] = SHEET_PHRASINGS) -> list[SheetLine]:
    """The texts to label again, in an order that says nothing."""
    keyed = sorted((_sheet_id(tenant), tenant.text) for tenant in _asked(corpus, phrasings))
    return [SheetLine(id=key, text=text) for key, text in keyed]


def load_labels(path: str | Path) -> tuple[SecondLabel, ...]:
    """The second labels in a JSONL file.

    Raises InputError for what cannot be read, ConfigError for a wrong line or an id that comes twice.
    """
    labels: dict[str, SecondLabel] = {}
    for place, label in read_jsonl(Path(path), SecondLabel):
        if label.id in labels:
            raise ConfigError("id", label.id, "labelled once", source=place)
        labels[label.id] = label
    return tuple(labels.values())


def agreement(
    corpus: Corpus,
    labels: Iterable[SecondLabel],
    phrasings: Sequence[Phrasing] = SHEET_PHRASINGS,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> list[Agreement]:
    """First labels against second ones, for each dimension: all texts, then each phrasing.

    Raises ConfigError for labels of texts that are not on the sheet, and for texts without a label.
    """
    asked = {_sheet_id(tenant): tenant for tenant in _asked(corpus, phrasings)}
    label_of = {label.id: label for label in labels}
    unknown = [key for key in label_of if key not in asked]
    if unknown:
        raise ConfigError("id", unknown[0], "an id of the sheet (was the corpus changed since?)")
    missing = [key for key in asked if key not in label_of]
    if missing:
        raise ConfigError("labels", len(label_of), f"{len(asked)}, one for each text ({missing[0]} has none)")
    rows = []
    for dimension in DIMENSIONS:
        for phrasing in (None, *phrasings):
            chosen = [(key, tenant) for key, tenant in asked.items() if phrasing in (None, tenant.phrasing)]
            first = np.array([tenant.sla.level(dimension) for _, tenant in chosen])
            second = np.array([label_of[key].level(dimension) for key, _ in chosen])
            drawn = _draw_weights([tenant.family for _, tenant in chosen], resamples, seed)
            rows.append(_compare(dimension, phrasing, first, second, drawn))
    return rows


def _compare(
    dimension: Dimension, phrasing: Phrasing | None, first: IntArray, second: IntArray, drawn: FloatArray
) -> Agreement:
    """first, second: [n] levels; drawn: [R, n] how often each text is in a resample."""
    once = np.ones((1, len(first)))
    apart = np.abs(first - second)
    num = len(LEVELS[dimension])

    def interval(shares: FloatArray, estimate: FloatArray) -> Interval:
        return percentile_interval(float(estimate[0]), shares, len(first))

    return Agreement(
        dimension,
        phrasing,
        len(first),
        interval(_weighted_kappa(first, second, num, drawn), _weighted_kappa(first, second, num, once)),
        interval(_share(apart == 0, drawn), _share(apart == 0, once)),
        interval(_share(apart <= 1, drawn), _share(apart <= 1, once)),
    )


def _weighted_kappa(first: IntArray, second: IntArray, num_levels: int, weights: FloatArray) -> FloatArray:
    """[R] kappa of each row of weights [R, n]; NaN where only one level occurs."""
    steps = np.arange(num_levels)
    penalty = (steps[:, None] - steps[None, :]) ** 2
    total = weights.sum(axis=1)
    share_first = weights @ np.eye(num_levels)[first] / total[:, None]
    share_second = weights @ np.eye(num_levels)[second] / total[:, None]
    observed = weights @ penalty[first, second] / total
    expected = np.einsum("ri,ij,rj->r", share_first, penalty, share_second)
    return 1.0 - divide(observed, expected)


def _share(is_so: NDArray[np.bool_], weights: FloatArray) -> FloatArray:
    return np.asarray(weights @ is_so / weights.sum(axis=1))


def _draw_weights(families: Sequence[str], resamples: int, seed: int) -> FloatArray:
    """[R, n]: families are drawn with replacement, each with all its texts."""
    names, family = np.unique(families, return_inverse=True)
    counts = np.random.default_rng([seed, len(names)]).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=resamples
    )
    return np.asarray(counts[:, family], dtype=np.float64)


def _asked(corpus: Corpus, phrasings: Sequence[Phrasing]) -> list[Tenant]:
    return [tenant for tenant in corpus.tenants() if tenant.phrasing in phrasings]


def _sheet_id(tenant: Tenant) -> str:
    return f"{int(hash_share(f'sheet/{tenant.family}/{tenant.phrasing}') * 2**40):010x}"
