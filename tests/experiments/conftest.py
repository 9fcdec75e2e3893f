"""Results with given numbers, as if an experiment had measured them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from ranpilot.experiments.results import CellResult, Results
from ranpilot.experiments.rows import aura_experiment

MadeResults = Callable[..., Results]


@pytest.fixture
def made_results() -> MadeResults:
    """From `{row: {metric: values over seeds}}` to results of one load; `agreement`: with the rules, by row."""

    def make(
        scenario: str,
        rows: Mapping[str, Mapping[str, Any]],
        load: str = "high",
        agreement: Mapping[str, float] | None = None,
    ) -> Results:
        seeds = len(next(iter(next(iter(rows.values())).values())))
        experiment = aura_experiment(scenario, rows=list(rows), loads=(load,), seeds=seeds)
        cells = {}
        for label, metrics in rows.items():
            lists = {name: np.asarray(values, dtype=np.float64).tolist() for name, values in metrics.items()}
            record = {"phase": "test", "reward": lists["dropped"], "counts": lists, "usage": lists}
            summary = {"agreement_with_rules": (agreement or {}).get(label)}
            cells[label, load] = CellResult(experiment.row(label), load, [record], summary)
        return Results(experiment, cells)

    return make
