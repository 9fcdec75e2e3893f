"""Hand-off requests of one network as plain objects: slow and obvious."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

BAD_DB, USABLE_DB = -3.0, 0.0
PATIENCE, MOST_MOVES, PINGPONG = 3, 3, 5


@dataclass
class Call:
    """One call and what happened to it."""

    cell: int
    looks: int = 0
    age: int = 0
    left: int | None = None
    left_at: int = 0


@dataclass
class Station:
    """What one cell counts in a step."""

    requests: int = 0
    refused: int = 0
    timed_out: int = 0
    pingpong: int = 0


@dataclass
class RequestsReference:
    """The calls of one network by place; a place without a call is not in the mapping."""

    hold: int
    calls: dict[int, Call] = field(default_factory=dict)

    def look(self, serving: Sequence[int], sinr_db: Sequence[Sequence[float]]) -> None:
        """Look at every link once. serving: -1 for an empty place."""
        for place, cell in enumerate(serving):
            if cell < 0:
                self.calls.pop(place, None)
                continue
            call = self.calls.setdefault(place, Call(cell))
            call.cell = cell
            if sinr_db[place][cell] < BAD_DB and self.alternative(call, sinr_db[place]) is not None:
                call.looks += 1
            else:
                call.looks = call.age = 0

    def alternative(self, call: Call, sinr_db: Sequence[float]) -> int | None:
        """The strongest neighbour that would give more than 0 dB."""
        usable = [cell for cell in range(len(sinr_db)) if cell != call.cell and sinr_db[cell] > USABLE_DB]
        return max(usable, key=lambda cell: sinr_db[cell], default=None)

    def act(
        self, wants: Sequence[bool], sinr_db: Sequence[Sequence[float]], step: int, capacity: Sequence[int]
    ) -> tuple[list[Station], dict]:
        """Move requests; what each cell counted, and for each place that was touched its target or None (released).

        capacity: calls that each cell may hold now; those beyond it stay.
        """
        counted, touched = [Station() for _ in capacity], {}
        num_cells = len(capacity)
        for turn in range(num_cells):
            cell = (step + turn) % num_cells
            if not wants[cell]:
                continue
            places = [p for p, call in self.calls.items() if call.cell == cell and call.looks >= self.hold]
            places.sort(key=lambda p: (-self.calls[p].age, -self.calls[p].looks, p))
            for place in places[:MOST_MOVES]:
                call = self.calls[place]
                target = self.alternative(call, sinr_db[place])
                assert target is not None
                if sum(other.cell == target for other in self.calls.values()) >= capacity[target]:
                    counted[cell].refused += 1
                    touched[place] = None
                    del self.calls[place]
                    continue
                touched[place] = target
                if call.left == target and step - call.left_at <= PINGPONG:
                    counted[cell].pingpong += 1
                self.calls[place] = Call(target, left=cell, left_at=step)
        return counted, touched

    def end_step(self, counted: list[Station]) -> list[int]:
        """Requests grow older; the places whose call is lost."""
        lost = []
        for place, call in sorted(self.calls.items()):
            if call.looks < self.hold:
                continue
            counted[call.cell].requests += call.age == 0
            call.age += 1
            if call.age > PATIENCE:
                counted[call.cell].timed_out += 1
                lost.append(place)
        for place in lost:
            del self.calls[place]
        return lost
