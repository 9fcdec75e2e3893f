"""Make the compact block error tables of `ranpilot.twin.phy` from the Sionna archive.

Usage: python scripts/make_phy_tables.py [DATA]   (DATA defaults to $RANPILOT_DATA, else ./data; reads DATA/sionna_bler)
Writes src/ranpilot/twin/phy/data/bler_curves.npz and eesm_beta.csv.

A curve is kept as its quantiles: the SNR in dB at which probit(BLER) has each of a row of levels, for each pair
(modulation order, code rate) and code block size. Method:
1. The three source tables share many pairs; their points (14 to 15 SNR each, on two different grids) are pooled.
   Equal SNRs are averaged, and points that rise with SNR are averaged with their neighbours (isotonic regression).
2. Between points the probit of BLER is interpolated linearly. The last BLER of 1 and the first of 0 are points too, at
   half a success in 600 blocks and half an error in 3000 (the source stops at 600 errors or 3000 blocks).
3. Beyond those two the probit goes on with the slope of the Gaussian dispersion law
   sigma_db = factor(size) * sqrt(V / n) / (dC / dSNR_db), whose factor is the median over all slopes that the source
   resolves (1.1 at 24 bits to 1.3 at 2000).
4. A table taken alone, interpolated as in step 2, has a 10 % point of its own. Where those of the tables and the pooled
   one are more than 0.2 dB apart, because a curve falls from above one half to no error in a single step of 1.6 to
   1.8 dB, the pooled curve is moved along the SNR axis until it is within 0.2 dB of each (or halfway between them).
5. From 100 bits on, 10 % points that rise with the size are averaged with their neighbours (isotonic regression), the
   curves moved accordingly. (24 bits need less SNR than 100 at high code rates: that is the source's.)
OURS, not the source's: (a) pairs below QPSK 251/1024, which the source lacks: the curves of QPSK 251/1024, moved along
the SNR axis by the QPSK capacity down to rate 1/5 and from there by 10 log10 of the rate, since below the mother code's
1/5 the codeword is repeated; their beta is that of QPSK 120/1024; (b) code blocks of 3840 and 8448 bits: the median
SNR of 2000 bits, and its curve narrowed about it by sqrt(2000 / size); (c) all of steps 3 to 5. The array `is_ours`
marks (a) and (b), `moved_db` tells by how much steps 4 and 5 moved a curve.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, isotonic_regression
from scipy.special import ndtri

TARGET = Path(__file__).parents[1] / "src" / "ranpilot" / "twin" / "phy" / "data"
SOURCE_SIZES = (24, 100, 500, 1000, 2000)
OUR_SIZES = (3840, 8448)
LEVELS = np.round(np.arange(-4.5, 4.525, 0.05), 2)
LOWEST_SOURCE = (2, 251.0)
MOTHER_RATE_X1024 = 1024 / 5
BLOCKS_AT_ONE, BLOCKS_AT_ZERO = 600, 3000
HIGHEST, LOWEST = 1 - 0.5 / BLOCKS_AT_ONE, 0.5 / BLOCKS_AT_ZERO
"""What a BLER of 1 and of 0 in the source stand for."""
TEN_PERCENT = float(ndtri(0.1))
REACH_DB = 0.2
"""How far a curve's 10 % point may lie from that of a table taken alone."""

Scheme = tuple[int, float]
Points = list[tuple[float, float]]
FloatArray = NDArray[np.float64]


def read_schemes() -> dict[tuple[int, int], Scheme]:
    """(table, mcs) -> (modulation order, code rate x 1024)."""
    lines = [line for line in (TARGET / "mcs_tables.csv").read_text().splitlines() if not line.startswith("#")]
    return {
        (int(row["table"]), int(row["mcs"])): (int(row["modulation_order"]), float(row["code_rate_x1024"]))
        for row in csv.DictReader(lines)
    }


def read_points(folder: Path, schemes: dict[tuple[int, int], Scheme]) -> dict[Scheme, dict[int, list[Points]]]:
    """All (SNR in dB, BLER) of the source by scheme and code block size, a list for each table that has them."""
    points: dict[Scheme, dict[int, list[Points]]] = {}
    for table in (1, 2, 3):
        content = json.loads((folder / f"PDSCH_table{table}.json").read_text())
        for mcs, curves in content["category"]["1"]["index"][str(table)]["MCS"].items():
            sizes = points.setdefault(schemes[table, int(mcs)], {})
            for size, curve in curves["CBS"].items():
                pairs = zip(curves["SNR_db"], curve["BLER"], strict=True)
                sizes.setdefault(int(size), []).append([(float(snr_db), float(bler)) for snr_db, bler in pairs])
    return points


def pool(tables: list[Points]) -> Points:
    """The points of all tables."""
    return [point for points in tables for point in points]


def merge(points: Points) -> tuple[FloatArray, FloatArray]:
    """Distinct SNRs, ascending, and their BLER, never rising."""
    snr_db = np.array(sorted({round(snr, 6) for snr, _ in points}))
    bler = np.array([np.mean([b for snr, b in points if round(snr, 6) == at]) for at in snr_db])
    return snr_db, np.asarray(isotonic_regression(bler, increasing=False).x)


def dispersion_sigma_db(scheme: Scheme, size: int, snr_db: float) -> float:
    """Width in dB of the BLER curve of an ideal code on the Gaussian channel (normal approximation)."""
    order, rate = scheme
    snr = 10 ** (snr_db / 10)
    symbols = size / (order * rate / 1024)
    dispersion = np.log2(np.e) ** 2 * (1 - 1 / (1 + snr) ** 2)
    slope = snr / (1 + snr) * np.log2(np.e) * np.log(10) / 10
    return float(np.sqrt(dispersion / symbols) / slope)


def width_factors(points: dict[Scheme, dict[int, list[Points]]]) -> dict[int, float]:
    """Median ratio of the source's curve width to the dispersion law, for each size."""
    ratios: dict[int, list[float]] = {size: [] for size in SOURCE_SIZES}
    for scheme, sizes in points.items():
        for size, tables in sizes.items():
            snr_db, bler = merge(pool(tables))
            keep = (bler > 0.002) & (bler < 0.99)
            snr_db, level = snr_db[keep], ndtri(bler[keep])
            for left in range(len(snr_db) - 1):
                gap_db, drop = snr_db[left + 1] - snr_db[left], level[left] - level[left + 1]
                if gap_db > 0.3 and drop > 0:
                    middle = (snr_db[left] + snr_db[left + 1]) / 2
                    ratios[size].append(gap_db / drop / dispersion_sigma_db(scheme, size, middle))
    return {size: float(np.median(values)) for size, values in ratios.items()}


def knots(points: Points) -> tuple[FloatArray, FloatArray]:
    """SNR in dB and probit between which steps 1 and 2 interpolate: from the last BLER of 1 to the first of 0."""
    snr_db, bler = merge(points)
    ones, zeros = np.flatnonzero(bler >= 1), np.flatnonzero(bler <= 0)
    first = ones[-1] if len(ones) else 0
    stop = zeros[0] + 1 if len(zeros) else len(bler)
    knot_db, level = snr_db[first:stop], ndtri(np.clip(bler[first:stop], LOWEST, HIGHEST))
    distinct = np.concatenate([[True], np.diff(level) < 0])
    return knot_db[distinct], level[distinct]


def ten_percent_db(points: Points) -> float | None:
    """SNR in dB at which points, interpolated as in step 2, have a BLER of 0.1; None where they never fall to it."""
    knot_db, level = knots(points)
    if level[-1] > TEN_PERCENT or level[0] < TEN_PERCENT:
        return None
    return float(np.interp(TEN_PERCENT, level[::-1], knot_db[::-1]))


def quantiles(scheme: Scheme, size: int, points: Points, factor: float) -> FloatArray:
    """SNR in dB at each of LEVELS for one curve (steps 1 to 3)."""
    knot_db, level = knots(points)
    slope = 1 / (factor * dispersion_sigma_db(scheme, size, float(knot_db.mean())))
    far = 12.0
    full_db = np.concatenate([[knot_db[0] - far / slope], knot_db, [knot_db[-1] + far / slope]])
    full = np.concatenate([[level[0] + far], level, [level[-1] - far]])
    return np.interp(LEVELS, full[::-1], full_db[::-1])


def moves_db(quantile_db: FloatArray, tables: dict[int, list[Points]]) -> FloatArray:
    """By how much to move the curves [size] of one scheme (steps 4 and 5)."""
    own_db = np.array([np.interp(TEN_PERCENT, LEVELS, row) for row in quantile_db])
    wanted_db = own_db.copy()
    for column, size in enumerate(SOURCE_SIZES):
        alone_db = [at for at in map(ten_percent_db, tables[size]) if at is not None]
        if alone_db:
            low_db, high_db = max(alone_db) - REACH_DB, min(alone_db) + REACH_DB
            middle_db = (low_db + high_db) / 2
            wanted_db[column] = np.clip(own_db[column], min(low_db, middle_db), max(high_db, middle_db))
            if low_db > high_db:
                wanted_db[column] = middle_db
    wanted_db[1:] = isotonic_regression(wanted_db[1:], increasing=False).x
    return wanted_db - own_db


def qpsk_capacity_snr_db(bits: float) -> float:
    """SNR in dB at which QPSK carries `bits` of one symbol on the Gaussian channel."""
    node, weight = np.polynomial.hermite_e.hermegauss(80)

    def capacity(snr_db: float) -> float:
        llr_mean = 2 * 10 ** (snr_db / 10)  # one of two BPSK dimensions, consistent Gaussian LLR
        llr = llr_mean + np.sqrt(2 * llr_mean) * node
        return float(2 * (1 - weight @ np.logaddexp(0, -llr) / np.log(2) / weight.sum()))

    return float(brentq(lambda snr_db: capacity(snr_db) - bits, -25, 20))


def low_rate_shift_db(rate_x1024: float, known_x1024: float) -> float:
    """How much less SNR QPSK needs at `rate_x1024` than at `known_x1024` (step (a) of the module's docstring)."""
    coded = max(rate_x1024, MOTHER_RATE_X1024)
    shift_db = qpsk_capacity_snr_db(2 * coded / 1024) - qpsk_capacity_snr_db(2 * known_x1024 / 1024)
    return shift_db + 10 * np.log10(rate_x1024 / coded)


class Curves(NamedTuple):
    """What bler_curves.npz holds of the curves."""

    snr_db: FloatArray
    """[scheme, size, level]"""
    is_ours: NDArray[np.bool_]
    """[scheme, size]"""
    moved_db: FloatArray
    """[scheme, size]"""


def make_curves(points: dict[Scheme, dict[int, list[Points]]], wanted: list[Scheme]) -> Curves:
    """The curves of every wanted scheme."""
    factors = width_factors(points)
    print("width factors:", {size: round(factor, 3) for size, factor in factors.items()})
    num_source, middle = len(SOURCE_SIZES), int(np.argmin(np.abs(LEVELS)))
    snr_db = np.empty((len(wanted), num_source + len(OUR_SIZES), len(LEVELS)))
    is_ours = np.zeros(snr_db.shape[:2], dtype=np.bool_)
    is_ours[:, num_source:] = True
    moved_db = np.zeros(snr_db.shape[:2])
    for row, scheme in enumerate(wanted):
        if scheme not in points:
            continue
        for column, size in enumerate(SOURCE_SIZES):
            snr_db[row, column] = quantiles(scheme, size, pool(points[scheme][size]), factors[size])
        moved_db[row, :num_source] = moves_db(snr_db[row, :num_source], points[scheme])
        snr_db[row, :num_source] += moved_db[row, :num_source, None]
        for column, size in enumerate(OUR_SIZES, start=num_source):
            largest = snr_db[row, num_source - 1]
            snr_db[row, column] = largest[middle] + (largest - largest[middle]) * np.sqrt(SOURCE_SIZES[-1] / size)
    known = wanted.index(LOWEST_SOURCE)
    for row, scheme in enumerate(wanted):
        if scheme not in points:
            snr_db[row] = snr_db[known] + low_rate_shift_db(scheme[1], LOWEST_SOURCE[1])
            is_ours[row] = True
    return Curves(snr_db, is_ours, moved_db)


def write_betas(folder: Path, schemes: dict[tuple[int, int], Scheme], wanted: list[Scheme]) -> None:
    """One beta for each scheme; the source's tables 1 and 2 agree where they share one."""
    index = json.loads((folder / "eesm_beta_table.json").read_text())["index"]
    betas: dict[Scheme, float] = {}
    for table, values in index.items():
        for mcs, beta in enumerate(values):
            known = betas.setdefault(schemes[int(table), mcs], beta)
            if known != beta:
                print(f"beta of {schemes[int(table), mcs]}: {known} in table 1, {beta} in table {table}; kept {known}")
    lines = [
        "# EESM beta for each modulation order and code rate.",
        "# Source: Sionna 2.2.0 (PyPI sionna-no-rt, sionna/sys/esm_params/eesm_beta_table.json), Copyright NVIDIA",
        "# Corporation & affiliates, Apache-2.0; changed by scripts/make_phy_tables.py: keyed by order and rate.",
        "# Upstream states no calibration provenance. is_ours = 1: not in the source, the value of QPSK 120/1024.",
        "modulation_order,code_rate_x1024,beta,is_ours",
    ]
    for order, rate in wanted:
        known_beta = betas.get((order, rate))
        beta = betas[2, 120.0] if known_beta is None else known_beta
        lines.append(f"{order},{rate:g},{beta:g},{int(known_beta is None)}")
    (TARGET / "eesm_beta.csv").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Read the archive, write both files."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("RANPILOT_DATA", "data"))
    folder = data / "sionna_bler"
    schemes = read_schemes()
    points = read_points(folder, schemes)
    wanted = sorted(set(schemes.values()))
    curves = make_curves(points, wanted)
    np.savez_compressed(
        TARGET / "bler_curves.npz",
        modulation_order=np.array([order for order, _ in wanted], dtype=np.int32),
        code_rate_x1024=np.array([rate for _, rate in wanted], dtype=np.float64),
        code_block_bits=np.array(SOURCE_SIZES + OUR_SIZES, dtype=np.int32),
        probit_level=LEVELS,
        snr_db=curves.snr_db.astype(np.float32),
        is_ours=curves.is_ours,
        moved_db=curves.moved_db.astype(np.float32),
    )
    write_betas(folder, schemes, wanted)
    size = (TARGET / "bler_curves.npz").stat().st_size
    moved = np.abs(curves.moved_db) > 0.005
    print(f"{len(wanted)} schemes, {len(points)} of them in the source; {size} bytes")
    print(f"{moved.sum()} curves moved, by {np.abs(curves.moved_db).max():.2f} dB at most")


if __name__ == "__main__":
    main()
