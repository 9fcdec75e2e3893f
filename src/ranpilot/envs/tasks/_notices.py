"""What every agent is told: one of the announcements that stand at its cell, worded from its own point of view.

An announcement stands from its announced slot until its event ends. It reaches the event's own cell and every cell that
has it among its nearest neighbours. Of several the newest is told, but chatter, an event that changes nothing, only
where nothing else stands: there is one place for a text, and talk must not hide what matters. The wording is drawn from
the event's own random number for each recipient, so that copies of a network are told the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranpilot.envs.announcements import kinds, neighbour_kind, wordings
from ranpilot.envs.controller import IntArray
from ranpilot.errors import ConfigError
from ranpilot.kernels import kernel
from ranpilot.twin.rng import STREAM_NOTICE, draw_uniform
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.views import EventView

__all__ = ["Notices"]

NOTHING, NEARBY, HERE = -1, 0, 1
"""What an event of a cell is to an agent; the last two are columns of the table of wordings."""


class Notices:
    """The announcements of a scenario to the agents of a task; `texts` holds every text that there can be."""

    def __init__(self, scenario: Scenario, neighbours: tuple[tuple[int, ...], ...]) -> None:
        events = scenario.events.kinds if scenario.events else ()
        names = [kind.name for kind in events]
        for name in names:
            if name not in kinds():
                raise ConfigError("events.kinds.name", name, f"a kind that is announced: one of {', '.join(kinds())}")
        told = [(neighbour_kind(name), name) for name in names]
        heard = tuple(dict.fromkeys(kind for pair in told for kind in pair))
        first, num, texts = {}, {}, list[str]()
        for kind in heard:
            first[kind], num[kind] = len(texts), len(wordings(kind, scenario.split))
            texts += wordings(kind, scenario.split)
        self.texts = tuple(texts)
        self._changes = np.array([kind.changes_anything for kind in events], np.bool_)
        """[kind] whether such events do anything"""
        self._wording = np.array([[(first[k], num[k]) for k in pair] for pair in told], np.int64).reshape(-1, 2, 2)
        """[kind, NEARBY or HERE, 2] first id and number of the wordings"""
        self._place = np.full((len(neighbours), len(neighbours)), NOTHING, np.int64)
        """[A, C] what an event of the cell is to the agent"""
        for agent, nearest in enumerate(neighbours):
            self._place[agent, list(nearest)] = NEARBY
            self._place[agent, agent] = HERE

    def stand(self, events: EventView, networks: IntArray, slot: int) -> NDArray[np.int64]:
        """[B, A] id of the text that stands at each agent in `slot`, -1 for none. networks: [B] ids."""
        ids = np.full((len(networks), len(self._place)), -1, np.int64)
        if self.texts:
            for changes in (False, True):
                # Written over what was told of events that change nothing.
                told = self._changes == changes
                _fill_ids(events, networks, slot, self._place, self._wording, told, ids)
        return ids

    def text(self, events: EventView, network: int, b: int, event: int) -> str:
        """What the event's own cell is told. b, event: where it stands in the arrays; network: its network's id."""
        cell, kind = int(events.cell[b, event]), int(events.kind[b, event])
        return self.texts[_draw_text(events.seed[b, event], network, cell, self._wording[kind, HERE])]


@kernel
def _draw_text(seed: int, network: int, agent: int, wording: IntArray) -> int:
    """Id of the text that an agent is told. wording: [2] first id and number of those to draw from."""
    return int(wording[0] + int(draw_uniform(seed, network, agent, 0, STREAM_NOTICE) * wording[1]))


@kernel
def _fill_ids(
    events: EventView,
    networks: IntArray,
    slot: int,
    place: IntArray,
    wording: IntArray,
    told: NDArray[np.bool_],
    ids: IntArray,
) -> None:
    """Write the newest text of the kinds that are `told` over what stands in `ids` [B, A]; of equally new the last."""
    for b in range(ids.shape[0]):
        for agent in range(ids.shape[1]):
            newest = -1
            for event in range(events.kind.shape[1]):
                announced = events.announced_slot[b, event]
                if not newest <= announced <= slot < events.stop_slot[b, event] or not told[events.kind[b, event]]:
                    continue
                side = place[agent, events.cell[b, event]]
                if side != NOTHING:
                    newest = announced
                    choice = wording[events.kind[b, event], side]
                    ids[b, agent] = _draw_text(events.seed[b, event], networks[b], agent, choice)
