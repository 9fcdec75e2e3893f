"""The demo: a language model learns from the twin while one watches, and then advises stations that learn."""

from __future__ import annotations

from pathlib import Path

from ranpilot.experiments.adviser import AdviserReport, train_adviser
from ranpilot.experiments.compare import run_experiments
from ranpilot.experiments.report import Lesson, Report
from ranpilot.experiments.rows import DEMO_NOTE, demo_experiments
from ranpilot.runs import Progress

__all__ = ["demo"]

STATES, HELDOUT_STATES, HELDOUT_DRAWS, DEPTH, STEPS = 256, 48, 4, 4, 48

NOTE = (
    "Every action was tried on copies of the running network in {states} states, and the first {depth} layers of the "
    "embedded model were trained on what came of it; announcements stand in front of what it reads. Regret: how much "
    "reward the choice gave away in {heldout} states of the held-out split, in wordings never seen. Few states and few "
    "draws: `ranpilot llm train` has the full budget."
)


def demo(
    out: str | Path = "runs/demo", *, new: bool = False, workers: int | None = 1, progress: Progress | None = None
) -> Report:
    """The small fixed experiment of `make demo`: a model is taught on the twin, then advises there, beside others.

    A panel on `aura-paper` follows. The same call goes on where an earlier one ended.
    """
    folder = Path(out)
    taught = train_adviser(
        load="high", method="full", depth=DEPTH, steps=STEPS, states=STATES, heldout_states=HELDOUT_STATES,
        heldout_draws=HELDOUT_DRAWS, out=folder / "adviser", new=new, progress=progress,
    )  # fmt: skip
    twin, paper = demo_experiments(f"embedded:{taught.adapter}")
    parts = [("On the twin, with traffic fitted to captures", twin), ("On the paper's own scenario", paper)]
    return run_experiments(
        parts,
        folder,
        title="two base stations learn, with and without advice",
        note=DEMO_NOTE,
        lessons=[_lesson(taught)],
        new=new,
        workers=workers,
        progress=progress,
    )


def _lesson(taught: AdviserReport) -> Lesson:
    return Lesson(
        title="A language model learns from the twin",
        note=NOTE.format(states=STATES, depth=DEPTH, heldout=HELDOUT_STATES),
        tables=taught.tables(),
        curve=(taught.adapter.parent / "curve.svg").read_text(encoding="utf-8"),
        numbers=taught.numbers,
    )
