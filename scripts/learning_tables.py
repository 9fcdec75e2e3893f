"""Learners against what is known of them, and against rules on the task `slicing`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from records import exists, plain, read, table

__all__ = ["TABLES"]

PUBLISHED = {"ppo CartPole-v1": "500, the most there is", "sac Pendulum-v1": "about −150"}


def known_good() -> str:
    """A row for each task and library."""
    records = read("known-good")
    lines = []
    for task, published in PUBLISHED.items():
        for library in ("ranpilot", "stable-baselines3"):
            runs = [r for r in records if (r["task"], r["library"]) == (task, library)]
            if runs:
                found = np.array([r["test_return"] for r in runs])
                spread = f"{found.mean():.0f} [{found.min():.0f}, {found.max():.0f}]"
                lines.append([task, f"{runs[0]['steps']}", library, spread, str(len(runs)), published])
    titles = ["task", "steps", "library", "test return [least, greatest]", "seeds", "published"]
    return table("known-good", titles, lines, numbers=(1, 3, 4), note="Mean over seeds of 20 episodes without noise. ")


def slicing() -> str:
    """A row for each learner: what it gets, and how much more than rules."""
    if not exists("slicing-learners"):
        return plain(["learner"], [])
    lines = []
    for r in read("slicing-learners"):
        against = [f"{r['against'][rule]['mean']:+.3f} ± {r['against'][rule]['half_width']:.3f}" for rule in RULES]
        start = "" if r["start"] == "equal" else f", start `{r['start']}`"
        start += "" if r["settings"] == "{}" else f", `{r['settings']}`"
        taught = f"{r['network_steps'] / 1000:.0f} k"
        lines.append([f"`{r['learner']}`{start}", taught, f"{r['untaught']:.3f}", f"{r['reward']:.3f}", *against])
    titles = ["learner", "network-steps", "untaught", "taught", *(f"minus `{rule}`" for rule in RULES)]
    return table(
        "slicing-learners",
        titles,
        lines,
        numbers=range(1, 6),
        note="Reward of an agent and step in unseen episodes, one seed; intervals over networks, paired. ",
    )


RULES = ("equal", "load-proportional")

TABLES: dict[str, Callable[[], str]] = {"known-good": known_good, "slicing-learners": slicing}
