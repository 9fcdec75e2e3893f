"""The table of an adviser: every yardstick and every model on held-out states, and what texts of orders do to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ranpilot.llm.chooser import Chooser
from ranpilot.systems.rldtf.choices import Ground, choose_all, reword
from ranpilot.systems.rldtf.scores import Score, certain, score
from ranpilot.systems.rldtf.yardsticks import make_rows

__all__ = ["evaluate_choices", "table"]

KNOWN_WORDING = ", known wording"
"""Behind a model's name: the same held-out states, told in the wordings of the training."""


def evaluate_choices(
    models: Mapping[str, Chooser], train: Sequence[Ground], test: Sequence[Ground], seed: int = 0
) -> list[Score]:
    """The score of every yardstick and every model on every task, in every group of states.

    train: the grounds that trees and constant are fitted on, in the order of `test`.
    """
    scores: list[Score] = []
    for fitted, asked in zip(train, test, strict=True):
        labels, num_actions = asked.labels, asked.spec.num_actions
        rows = make_rows(fitted, asked, seed)
        for name, model in models.items():
            rows[name] = certain(choose_all(model, asked), num_actions)
            if labels.has_notice.any():
                known = reword(labels.text.tolist(), "train", [seed])
                rows[name + KNOWN_WORDING] = certain(choose_all(model, asked, known), num_actions)
        for name, probability in rows.items():
            scores += score(asked.name, name, labels, probability)
    return scores


def table(scores: Sequence[Score], task: str) -> list[list[str]]:
    """The task's rows as lines of text, the first one the header: regret with its standard error, and accuracy."""
    of_task = [entry for entry in scores if entry.task == task]
    groups = list(dict.fromkeys(entry.group for entry in of_task))
    cells = {(entry.row, entry.group): entry for entry in of_task}
    sizes = {entry.group: entry.n for entry in of_task}
    lines = [["row", *(f"{group} (n {sizes[group]})" for group in groups), "accuracy"]]
    for row in dict.fromkeys(entry.row for entry in of_task):
        found = [cells[row, group] for group in groups]
        lines.append([row, *(f"{s.regret:.4f} ± {s.regret_se:.4f}" for s in found), f"{found[0].accuracy:.3f}"])
    return lines
