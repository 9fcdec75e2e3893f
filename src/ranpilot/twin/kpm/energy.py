"""What a cell draws from the mains, and what it delivers for that; the arithmetic is in `twin/energy.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ranpilot.twin import state as s
from ranpilot.twin.energy import JOULES_PER_KWH
from ranpilot.twin.kpm.cell import VOLUME
from ranpilot.twin.kpm.window import FloatArray, Table, Window, cell_kpm, ratio

__all__ = [
    "ENERGY",
    "ENERGY_EFFICIENCY",
    "MEAN_POWER",
    "MEASUREMENTS",
    "TIME_ON_AIR",
    "NetworkEnergy",
    "network_energy",
]

ENERGY = cell_kpm(
    "PEE.Energy", "kWh", 1e6, "lower", "Energy that the cell draws",
    formula="joules of TR 38.864 §5.1 / 3.6e6", source="TS 28.552 §5.1.1.19.3", differs="of a cell, not of a station",
)  # fmt: skip
MEAN_POWER = cell_kpm(
    "PEE.AvgPower", "W", 1e6, "lower", "Power that the cell draws, mean",
    formula="joules of TR 38.864 §5.1 / time", source="TS 28.552 §5.1.1.19.2.1", differs="of a cell, not of a station",
)  # fmt: skip
ENERGY_EFFICIENCY = cell_kpm(
    "RP.EnergyEfficiency", "bit/J", 1e12, "higher", "Delivered bits over energy",
    formula="acknowledged bits, without padding / joules", differs="that of a network is TS 28.554 §6.7.1, EE_MN,DV",
)  # fmt: skip
TIME_ON_AIR = cell_kpm(
    "RP.TimeOnAir", "%", 100.0, "higher", "Time in which neither a sleep that controls set nor an event keeps it off",
    formula="slots on the air / slots × 100",
)  # fmt: skip


def _energy(window: Window) -> FloatArray:
    return window.energy_j / JOULES_PER_KWH


def _mean_power(window: Window) -> FloatArray:
    return window.energy_j / (max(1, window.num_slots) * window.slot_s)


def _efficiency(window: Window) -> FloatArray:
    return ratio(window.cell[..., s.CELL_BITS_OUT], window.energy_j)


def _time_on_air(window: Window) -> FloatArray:
    states = (s.CELL_SENDING_SLOTS, s.CELL_EMPTY_SLOTS + s.AWAKE, s.CELL_EMPTY_SLOTS + s.DOZING)
    on_air: FloatArray = window.cell[..., states].sum(axis=-1)
    return on_air / max(1, window.num_slots) * 100.0


class NetworkEnergy(NamedTuple):
    """What whole networks draw and deliver for that; [B] each."""

    energy_kwh: FloatArray
    energy_j: FloatArray
    mean_power_w: FloatArray
    efficiency: FloatArray
    """Delivered bits over joules: EE_MN,DV of TS 28.554 §6.7.1, with the volume of `DRB.PdcpSduVolumeDL`."""


def network_energy(measured: Mapping[str, FloatArray]) -> NetworkEnergy:
    """The sums over cells of what `Networks.measure` found, by the names of KPMs."""
    energy_kwh = measured[ENERGY.name].sum(axis=-1)
    energy_j = energy_kwh * JOULES_PER_KWH
    bits = measured[VOLUME.name].sum(axis=-1) * 1e6
    return NetworkEnergy(energy_kwh, energy_j, measured[MEAN_POWER.name].sum(axis=-1), ratio(bits, energy_j))


MEASUREMENTS: Table = {
    ENERGY: _energy,
    MEAN_POWER: _mean_power,
    ENERGY_EFFICIENCY: _efficiency,
    TIME_ON_AIR: _time_on_air,
}
