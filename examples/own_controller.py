"""A controller of your own: anything that turns observations into actions can run a network and be compared.

This one hands a user over only while the own station is crowded with bad links, and otherwise saves power.
"""

from __future__ import annotations

import numpy as np

import ranpilot as rp
from ranpilot.envs.controller import Action, Observation
from ranpilot.envs.words import levels
from ranpilot.heuristics import Fixed


class Cautious(Fixed):
    """Move when coverage is poor, else turn the power down."""

    def act(self, obs: Observation) -> Action:
        names = [feature.measurement.name for feature in self.task.features]
        coverage = levels(self.task, obs)[:, :, names.index("coverage")]
        is_poor = coverage == self.task.features[names.index("coverage")].words[0].index("poor")
        return np.where(is_poor, self.task.actions.index("move"), self.task.actions.index("down"))


def main() -> None:
    report = rp.evaluate(Cautious(), "aura-paper", load="normal", seeds=8, episodes=5, against=["rules", "maintain"])
    print(report.table())


if __name__ == "__main__":
    main()
