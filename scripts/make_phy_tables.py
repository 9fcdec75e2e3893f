"""Make the compact block error tables of `ranpilot.twin.phy` from the Sionna archive.

Usage: python scripts/make_phy_tables.py [DATA]   (DATA defaults to $RANPILOT_DATA, else ./data; reads DATA/sionna_bler)
Writes src/ranpilot/twin/phy/data/bler_curves.npz and eesm_beta.csv.

A curve is kept as its quantiles: the SNR in dB at which probit(BLER) has each of a row of levels, for each pair
(modulation order, code rate) and code block size. Method:
1. The three source tables share many pairs; their points (14 to 15 SNR each, on two different grids) are pooled.
   Equal SNRs are averaged, and points that rise with SNR are averaged with their neighbours (isotonic regression).
2. Between points with 0 < BLER < 1 the probit of BLER is interpolated linearly.
3. Beyond them, where the source says 1 or 0, the probit goes on with the slope of the Gaussian dispersion law
   sigma_db = factor(size) * sqrt(V / n) / (dC / dSNR_db), whose factor is the median over all slopes that the source
   resolves (1.1 at 24 bits to 1.3 at 2000), or steeper if the source's 0 or 1 asks for it.
4. A size with no point between 0 and 1 takes the median SNR of its neighbouring size and the slope of step 3.
OURS, not the source's: (a) pairs below QPSK 251/1024, which the source lacks: the curves of QPSK 251/1024, moved along
the SNR axis by the QPSK capacity down to rate 1/5 and from there by 10 log10 of the rate, since below the mother code's
1/5 the codeword is repeated; their beta is that of QPSK 120/1024; (b) code blocks of 3840 and 8448 bits: the median
SNR of 2000 bits, and its curve narrowed about it by sqrt(2000 / size); (c) all of steps 3 and 4. The array `is_ours`
marks (a) and (b).
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

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
# 0 or 1 errors in the source mean fewer than about one in this many blocks (the source stops at 600 errors or 3000).
BLOCKS_AT_ONE, BLOCKS_AT_ZERO = 600, 3000

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


def read_points(folder: Path, schemes: dict[tuple[int, int], Scheme]) -> dict[Scheme, dict[int, Points]]:
    """All (SNR in dB, BLER) of the source by scheme and code block size."""
    pooled: dict[Scheme, dict[int, Points]] = {}
    for table in (1, 2, 3):
        content = json.loads((folder / f"PDSCH_table{table}.json").read_text())
        for mcs, curves in content["category"]["1"]["index"][str(table)]["MCS"].items():
            sizes = pooled.setdefault(schemes[table, int(mcs)], {})
            for size, curve in curves["CBS"].items():
                pairs = zip(curves["SNR_db"], curve["BLER"], strict=True)
                sizes.setdefault(int(size), []).extend((float(snr_db), float(bler)) for snr_db, bler in pairs)
    return pooled


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


def width_factors(pooled: dict[Scheme, dict[int, Points]]) -> dict[int, float]:
    """Median ratio of the source's curve width to the dispersion law, for each size."""
    ratios: dict[int, list[float]] = {size: [] for size in SOURCE_SIZES}
    for scheme, sizes in pooled.items():
        for size, points in sizes.items():
            snr_db, bler = merge(points)
            keep = (bler > 0.002) & (bler < 0.99)
            snr_db, level = snr_db[keep], ndtri(bler[keep])
            for left in range(len(snr_db) - 1):
                gap_db, drop = snr_db[left + 1] - snr_db[left], level[left] - level[left + 1]
                if gap_db > 0.3 and drop > 0:
                    middle = (snr_db[left] + snr_db[left + 1]) / 2
                    ratios[size].append(gap_db / drop / dispersion_sigma_db(scheme, size, middle))
    return {size: float(np.median(values)) for size, values in ratios.items()}


def quantiles(scheme: Scheme, size: int, points: Points, factor: float, median_db: float | None) -> FloatArray:
    """SNR in dB at each of LEVELS for one curve; `median_db` stands in where no point lies between 0 and 1."""
    snr_db, bler = merge(points)
    ones, zeros = np.flatnonzero(bler >= 1), np.flatnonzero(bler <= 0)
    first = ones[-1] + 1 if len(ones) else 0
    stop = zeros[0] if len(zeros) else len(bler)
    knot_db, knot = snr_db[first:stop], ndtri(bler[first:stop])
    distinct = np.concatenate([[True], np.diff(knot) < 0]) if len(knot) else np.zeros(0, dtype=bool)
    knot_db, knot = knot_db[distinct], knot[distinct]
    if len(knot) == 0:
        if median_db is None:
            raise ValueError(f"{scheme}, {size} bits: no point between 0 and 1 and no neighbour")
        knot_db, knot = np.array([np.clip(median_db, snr_db[first - 1] + 0.3, snr_db[stop] - 0.3)]), np.zeros(1)
    slope = 1 / (factor * dispersion_sigma_db(scheme, size, float(knot_db.mean())))
    slope_left = slope_right = slope
    if len(ones):
        needed = ndtri(1 - 0.5 / BLOCKS_AT_ONE) - knot[0]
        slope_left = max(slope, needed / (knot_db[0] - snr_db[ones[-1]]))
    if len(zeros):
        needed = knot[-1] - ndtri(0.5 / BLOCKS_AT_ZERO)
        slope_right = max(slope, needed / (snr_db[zeros[0]] - knot_db[-1]))
    far = 12.0
    full_db = np.concatenate([[knot_db[0] - far / slope_left], knot_db, [knot_db[-1] + far / slope_right]])
    full = np.concatenate([[knot[0] + far], knot, [knot[-1] - far]])
    return np.interp(LEVELS, full[::-1], full_db[::-1])


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


def make_curves(pooled: dict[Scheme, dict[int, Points]], wanted: list[Scheme]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """SNR [scheme, size, level] and the mark of what is ours [scheme, size]."""
    factors = width_factors(pooled)
    print("width factors:", {size: round(factor, 3) for size, factor in factors.items()})
    middle = int(np.argmin(np.abs(LEVELS)))
    snr_db = np.empty((len(wanted), len(SOURCE_SIZES) + len(OUR_SIZES), len(LEVELS)))
    is_ours = np.zeros(snr_db.shape[:2], dtype=np.bool_)
    is_ours[:, len(SOURCE_SIZES) :] = True
    for row, scheme in enumerate(wanted):
        if scheme not in pooled:
            continue
        median_db: float | None = None
        for column, size in enumerate(SOURCE_SIZES):
            snr_db[row, column] = quantiles(scheme, size, pooled[scheme][size], factors[size], median_db)
            median_db = float(snr_db[row, column, middle])
        for column, size in enumerate(OUR_SIZES, start=len(SOURCE_SIZES)):
            largest = snr_db[row, len(SOURCE_SIZES) - 1]
            snr_db[row, column] = largest[middle] + (largest - largest[middle]) * np.sqrt(SOURCE_SIZES[-1] / size)
    known = wanted.index(LOWEST_SOURCE)
    for row, scheme in enumerate(wanted):
        if scheme not in pooled:
            snr_db[row] = snr_db[known] + low_rate_shift_db(scheme[1], LOWEST_SOURCE[1])
            is_ours[row] = True
    return snr_db, is_ours


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
    pooled = read_points(folder, schemes)
    wanted = sorted(set(schemes.values()))
    snr_db, is_ours = make_curves(pooled, wanted)
    np.savez_compressed(
        TARGET / "bler_curves.npz",
        modulation_order=np.array([order for order, _ in wanted], dtype=np.int32),
        code_rate_x1024=np.array([rate for _, rate in wanted], dtype=np.float64),
        code_block_bits=np.array(SOURCE_SIZES + OUR_SIZES, dtype=np.int32),
        probit_level=LEVELS,
        snr_db=snr_db.astype(np.float32),
        is_ours=is_ours,
    )
    write_betas(folder, schemes, wanted)
    size = (TARGET / "bler_curves.npz").stat().st_size
    print(f"{len(wanted)} schemes, {len(pooled)} of them in the source; {size} bytes")


if __name__ == "__main__":
    main()
