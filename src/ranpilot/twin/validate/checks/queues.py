"""Queues of a network with deterministic service, against Pollaczek-Khinchine, an exact recursion, and x / (1 - rho).

One station, one MCS, no fading, no errors: a slot carries exactly one full transport block for whoever has data.
A packet that arrives in a slot can be sent in it, so the twin is a queue in slots. With X the work that arrives in a
slot (Poisson batches), m the work that a slot carries, and W what is left at the beginning of a slot:
    W' = max(W + X - m, 0),   delay of a packet = ceil((W + work before it in its batch + its own) / m) slots.
M-D-1, M-G-1: every packet fills whole slots (m = 1). Then the slots change nothing in the mean: E[W] = E[X(X-1)] /
(2 (1 - rho)), a packet has rho / 2 slots of its batch before it, and the sum is the continuous queue's
E[S] + lambda E[S^2] / (2 (1 - rho)) (Pollaczek-Khinchine), to the last digit. The distribution does differ: the 99 %
delay is held against the recursion's stationary law. short-packets: sizes in quarters of a slot, m = 4, where several
packets share a block; mean and 99 % delay from the recursion.
processor-sharing: round robin among many users with rare large packets of sizes x (in slots of the whole carrier); the
mean sojourn is x / (1 - rho) whatever the sizes' distribution. In slots it is that plus 1/2: work of a batch is there
from the slot's beginning, so that a packet meets rho / 2 less work and rho / 2 more company (they cancel for x >> 1),
and a sojourn ends with its last slot, on the mean half a slot late where the sizes' fractions of a slot are spread
evenly (a size of 10.5 alone would end on the edge of a slot whenever two share). So the sizes are 1/8, 3/8, 5/8 and 7/8
above 10 and above 40 slots, and each four are one line. A user's own packets queue behind each other; with N users that
happens to a share E[n] / N of them, which stands in the tolerance.
Sources: Kleinrock, Queueing Systems I (5.63, Lindley's recursion), II (4.17, processor sharing).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranpilot.twin import state as s
from ranpilot.twin.network import Networks
from ranpilot.twin.phy import transport_block_bits
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.scenario_file import validate_scenario
from ranpilot.twin.validate.line import Effort, Line, compared

__all__ = ["Queue", "lines", "quantile", "sojourn_law"]

FloatArray = NDArray[np.float64]

NUM_PRBS, MCS = 24, 10
SHARED_PRBS, SHARED_MCS, NUM_SHARERS = 152, 27, 300
"""At this MCS blocks of 8, 16, ... 152 PRBs carry the same bits a PRB to within 0.05 %."""

FRACTIONS = (0.125, 0.375, 0.625, 0.875)
SHARED_SLOTS = (10, 40)

LONGEST = 8192
"""Units of work that the recursion keeps; its tail beyond is below 1e-12 at every load here."""

KLEINROCK = "Kleinrock, Queueing Systems I, 5.63"
RECURSION = "Lindley's recursion in slots, solved numerically"
SHARING = "Kleinrock, Queueing Systems II, 4.17: x / (1 - load), and half a slot"


class Queue(NamedTuple):
    """What arrives at one user, and how much of it a slot carries."""

    name: str
    load: float
    sizes: tuple[int, ...]
    """In units of work; each equally likely."""
    units_per_slot: int


def lines(effort: Effort) -> Iterator[Line]:
    """Every queue, then processor sharing."""
    loads = (0.5, 0.8) if effort == "quick" else (0.3, 0.5, 0.8, 0.9)
    for load in loads:
        for queue in (
            Queue("M-D-1", load, (1,), 1),
            Queue("M-G-1", load, (1, 1, 1, 1, 6), 1),
            Queue("short-packets", load, (1, 1, 1, 2, 16), 4),
        ):
            yield from _queue_lines(queue, effort)
    for load in (0.6,) if effort == "quick" else (0.3, 0.6, 0.8):
        yield from _sharing_lines(load, effort)


def sojourn_law(queue: Queue) -> FloatArray:
    """Share of packets with a delay of 0, 1, 2, ... slots [D], from the recursion alone."""
    size = np.bincount(queue.sizes, minlength=LONGEST)[:LONGEST] / len(queue.sizes)
    rate = queue.load * queue.units_per_slot / np.mean(queue.sizes)
    transform = np.fft.fft(size)
    arriving = np.fft.fft(np.fft.ifft(np.exp(rate * (transform - 1.0))).real)
    left = np.zeros(LONGEST)
    left[0] = 1.0
    change, m = 1.0, queue.units_per_slot
    while change > 1e-13:
        total = np.fft.ifft(np.fft.fft(left) * arriving).real
        after = np.concatenate([[total[: m + 1].sum()], total[m + 1 :], np.zeros(m)])
        change = float(np.abs(after - left).sum())
        left = after
    # Of a Poisson batch, a packet has before it what arrives in a uniform part of the slot.
    ahead = np.ones(LONGEST, dtype=np.complex128)
    is_new = np.abs(transform - 1.0) > 1e-12
    exponent = rate * (transform[is_new] - 1.0)
    ahead[is_new] = np.expm1(exponent) / exponent
    units = np.fft.ifft(np.fft.fft(left) * ahead * transform).real
    slots = -(-np.arange(LONGEST) // m)
    law: FloatArray = np.bincount(slots, weights=units).astype(np.float64)
    return law


def quantile(upper: FloatArray, share: FloatArray, level: float) -> float:
    """The delay below which a share `level` is, where a share [D] is in bins up to `upper` [D].

    Between the edges of bins the logarithm of what is above is a line, as it is in a geometric tail.
    """
    beyond = 1.0 - np.cumsum(share) / share.sum()
    last = int(np.argmax(beyond <= 1.0 - level))
    if last == 0:
        return float(upper[0])
    above, below = np.log(beyond[last - 1]), np.log(max(beyond[last], 1e-12))
    part = (above - np.log(1.0 - level)) / (above - below)
    return float(upper[last - 1] + part * (upper[last] - upper[last - 1]))


def _queue_lines(queue: Queue, effort: Effort) -> Iterator[Line]:
    num, slots = (64, 20_000) if effort == "quick" else (256, 40_000)
    seed = 7
    with tempfile.TemporaryDirectory() as folder:
        networks = Networks(_one_user(queue, Path(folder)), num, seed)
    networks.advance(2_000)
    networks.measure()
    networks.advance(slots)
    edges_ms, packets = networks.delay_histogram()
    upper, count = edges_ms / (networks.scenario.slot_s * 1e3), packets[:, 0].astype(np.float64)  # [D], [B, D]
    measured = networks.measure()["DRB.RlcSduDelayDl"][:, 0] * 1e-4 / networks.scenario.slot_s
    law, name = sojourn_law(queue), f"queue/{queue.name}/load-{queue.load:g}"
    weight = count.sum(axis=1) / count.sum(axis=1).mean()
    mean = float(np.mean(measured * weight))
    error = float(np.std((measured - mean) * weight, ddof=1)) / np.sqrt(num)
    expected, source = (_pollaczek_khinchine(queue), KLEINROCK)
    if queue.units_per_slot > 1:
        expected, source = float(law @ np.arange(len(law))), RECURSION
    n = int(count.sum())
    yield compared(f"{name}/mean-delay", mean, expected, 4 * error, "slot", source, n=n, seed=seed)
    binned = np.zeros(len(upper) + 1)
    np.add.at(binned, np.searchsorted(upper, np.arange(len(law))), law)
    expected = quantile(upper, binned[:-1], 0.99)
    late, error = _late(upper, count)
    yield compared(f"{name}/delay-99", late, expected, 4 * error, "slot", RECURSION, n=n, seed=seed)


def _pollaczek_khinchine(queue: Queue) -> float:
    """Mean delay in slots of a queue whose packets fill whole slots."""
    size = np.array(queue.sizes) / queue.units_per_slot
    return float(size.mean() + queue.load * (size**2).mean() / size.mean() / (2.0 * (1.0 - queue.load)))


def _late(upper: FloatArray, count: FloatArray) -> tuple[float, float]:
    """99 % delay of all networks together and its standard error, by leaving out an eighth at a time."""
    late = quantile(upper, count.sum(axis=0), 0.99)
    parts = np.array([count[np.arange(len(count)) % 8 != part].sum(axis=0) for part in range(8)])
    without = np.array([quantile(upper, part, 0.99) for part in parts])
    return late, float(np.sqrt(7 / 8 * ((without - without.mean()) ** 2).sum()))


def _sharing_lines(load: float, effort: Effort) -> Iterator[Line]:
    num, slots, seed = (48, 30_000, 5) if effort == "quick" else (64, 80_000, 5)
    sizes = [whole + fraction for whole in SHARED_SLOTS for fraction in FRACTIONS]
    networks = Networks(_many_users(load, sizes), num, seed)
    networks.advance(2_000)
    before = networks.counters().ue
    networks.advance(slots)
    counted = networks.counters().ue - before  # [B, U, columns]
    own_queue = load / (1.0 - load) / NUM_SHARERS
    for group, whole in enumerate(SHARED_SLOTS):
        is_mine = networks._state.ue[..., s.TRAFFIC_KIND] // len(FRACTIONS) == group
        packets = (counted[..., s.UE_PACKETS_OUT] * is_mine).sum(axis=1)
        delay = (counted[..., s.UE_DELAY_SLOTS] * is_mine).sum(axis=1)
        # Smaller packets come more often: the size that the packets of the group have on the mean.
        size = len(FRACTIONS) / sum(1.0 / (whole + fraction) for fraction in FRACTIONS)
        mean = float(delay.sum() / packets.sum())
        error = float(np.std(delay - mean * packets, ddof=1) / packets.mean()) / np.sqrt(num)
        expected = size / (1.0 - load) + 0.5
        tolerance = 4 * error + own_queue * expected
        name = f"queue/processor-sharing/load-{load:g}/size-{whole + 0.5:g}-slots/mean-delay"
        yield compared(name, mean, expected, tolerance, "slot", SHARING, n=int(packets.sum()), seed=seed)


def _one_user(queue: Queue, folder: Path) -> Scenario:
    """One user next to a station; packets of its sizes come with exponential gaps."""
    slot_bits = transport_block_bits(NUM_PRBS, MCS)
    unit_bits, rest = divmod(slot_bits, queue.units_per_slot)
    if rest:
        raise ValueError(f"{slot_bits} bits a slot are no {queue.units_per_slot} equal units")
    packet_bits = unit_bits * float(np.mean(queue.sizes))
    if len(queue.sizes) == 1:
        mix = {"kind": "poisson", "mean_rate_bps": queue.load * slot_bits / 1e-3, "packet_bits": int(packet_bits)}
    else:
        path = folder / "profile.json"
        gap_s = 1e-3 * packet_bits / (queue.load * slot_bits)
        path.write_text(json.dumps(_profile(gap_s, [unit_bits * size for size in queue.sizes])), encoding="utf-8")
        mix = {"kind": "fitted", "profile": str(path)}
    carrier = {"frequency_ghz": 2.0, "num_prbs": NUM_PRBS, "prbs_per_group": 4}
    return _without_errors(carrier, 1, {"mix": [mix], "buffer_packets": 8192}, MCS)


def _many_users(load: float, sizes: list[float]) -> Scenario:
    """Many users next to a station, the same load from each, packets of one of the sizes."""
    slot_bits = transport_block_bits(SHARED_PRBS, SHARED_MCS)
    rate_bps = load * slot_bits / 1e-3 / NUM_SHARERS
    mix = [
        {
            "kind": "poisson",
            "share": 1.0 / len(sizes),
            "mean_rate_bps": rate_bps,
            "packet_bits": round(size * slot_bits),
        }
        for size in sizes
    ]
    carrier = {"frequency_ghz": 2.0, "num_prbs": SHARED_PRBS, "prbs_per_group": 8}
    return _without_errors(carrier, NUM_SHARERS, {"mix": mix, "buffer_packets": 64}, SHARED_MCS)


def _without_errors(carrier: dict[str, Any], users: int, traffic: dict[str, Any], mcs: int) -> Scenario:
    site = {"name": "a", "x_m": 0, "y_m": 0, "height_m": 25, "propagation": "UMa", "power_dbm": 60}
    return validate_scenario(
        {
            "name": "queue",
            "carrier": carrier,
            "layout": {"area_m": [-50, -50, 50, 50], "sites": [site]},
            "users": {
                "population": {"kind": "static", "ues_per_cell": users},
                "mobility": {"kind": "static"},
            },
            "traffic": traffic,
            "radio": {"shadowing": False, "line_of_sight": "always", "fading": False},
            "link": {"fixed_mcs": mcs, "scheduler": "round-robin", "cqi_period_slots": 320},
        }
    )


def _profile(gap_s: float, sizes_bits: list[int], num_bins: int = 2000) -> dict[str, Any]:
    """A traffic profile of single packets, exponential gaps and equally likely sizes.

    The last of the gap's bins has no end; it gets one that keeps its mean, and nearly its variance.
    """
    edge = -np.log1p(-np.arange(num_bins) / num_bins)
    # The mean of an exponential between two quantiles, from the integral of its quantile function.
    survivor = 1.0 - np.arange(num_bins + 1) / num_bins
    inner = survivor * np.log(np.where(survivor > 0, survivor, 1.0)) - survivor
    mean = np.diff(inner) * num_bins
    high = np.append(edge[1:], edge[-1] + 3.5)
    gap = [[float(gap_s * value) for value in row] for row in zip(edge, high, mean, strict=True)]
    phase = {
        "visits": 1,
        "next": [[0, 1]],
        "packets": [[1, 1, 1]],
        "gap_s": [[0, 0, 0]],
        "idle_s": gap,
        "size_bits": [[bits, bits, bits] for bits in sizes_bits],
    }
    component = {"source": "none", "sha256": "", "duration_s": gap_s, "packets": 1, "burst_idle_s": gap_s}
    made = {"name": "poisson", "source": "none", "licence": "none", "command": "ranpilot twin validate"}
    return {**made, "components": [{**component, "phases": [phase]}]}
