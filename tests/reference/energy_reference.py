"""A meter that stands at every cell and adds up its power slot by slot, from TR 38.864 §5.1 word by word."""

from __future__ import annotations

import numpy as np

from ranpilot.twin import Networks, state
from ranpilot.units import dbm_to_mw

__all__ = ["SlotMeter"]

SLEEPS = ("micro_sleep", "light_sleep", "deep_sleep")


class SlotMeter:
    """Runs networks slot by slot and keeps the joules [B, C] of their cells."""

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self.joules = np.zeros((networks.num, networks.scenario.num_cells))
        self._sleeps = self._count()[..., [state.CELL_LIGHT_SLEEPS, state.CELL_DEEP_SLEEPS]]

    def advance(self, slots: int) -> None:
        """Run and read the meter in every slot."""
        for _ in range(slots):
            before, inside = self._count(), self.networks._state.cell
            power_state, power_dbm = inside[..., state.POWER_STATE].copy(), self.networks.cells.tx_power_dbm
            self.networks.advance(1)
            used = (self._count() - before)[..., state.CELL_PRBS]
            for place in np.ndindex(used.shape):
                power_w = self._power_w(place[1], used[place], power_state[place], power_dbm[place])
                self.joules[place] += power_w * self.networks.scenario.slot_s
        self._add_transitions()

    def _power_w(self, cell: int, used_prbs: int, power_state: int, power_dbm: float) -> float:
        """Of one cell in one slot."""
        energy = self.networks.scenario.energy
        relative, share = energy.relative_power, energy.load_independent_share
        dynamic = relative.active_dl - relative.micro_sleep
        greatest_dbm = self.networks.scenario.cells[cell].power_range_dbm[1]
        if used_prbs > 0:
            band = used_prbs / self.networks.scenario.carrier.num_prbs
            density = dbm_to_mw(power_dbm) / dbm_to_mw(greatest_dbm)
            power = relative.micro_sleep + dynamic * (share + (1 - share) * band * density)
        elif power_state == state.SWITCHED_OFF:
            power = 0.0
        elif power_state == state.AWAKE:
            power = relative.micro_sleep + (dynamic * share if energy.automatic_sleep == "none" else 0.0)
        else:
            name = "light_sleep" if power_state == state.DOZING else SLEEPS[power_state - 1]
            power = getattr(relative, name)
        return power * energy.active_w(greatest_dbm) / relative.active_dl

    def _add_transitions(self) -> None:
        energy = self.networks.scenario.energy
        sleeps = self._count()[..., [state.CELL_LIGHT_SLEEPS, state.CELL_DEEP_SLEEPS]]
        for cell, description in enumerate(self.networks.scenario.cells):
            unit_w = energy.active_w(description.power_range_dbm[1]) / energy.relative_power.active_dl
            for column, name in enumerate(SLEEPS[1:]):
                times = sleeps[:, cell, column] - self._sleeps[:, cell, column]
                self.joules[:, cell] += times * unit_w * energy.transition(name).energy * 1e-3  # type: ignore[arg-type]
        self._sleeps = sleeps

    def _count(self) -> np.ndarray:
        return self.networks.counters().cell
