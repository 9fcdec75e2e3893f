"""Make the tables of the validation's captures from the TRACTOR archive: `python scripts/make_capture_tables.py`.

Needs $RANPILOT_DATA/tractor/tractor.tar.xz. For each class one capture is matched with the log of the emulator's run
that played it (one user): the lag is where the logarithms of bits in 250 ms correlate best. Kept are the packets of a
window and the log's rows of the same time in which anything was sent.
"""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from ranpilot.twin.traffic.capture import data_folder, read_tractor

CLASSES = {
    "embb": ("embb_3.csv", "SingleUE/Trial3/Raw/embb3_1010123456002_metrics.csv", 0.0, 240.0),
    "mmtc": ("mmtc_3.csv", "SingleUE/Trial3/Raw/mmtc_1010123456002_metrics.csv", 0.0, 300.0),
    "urllc": ("urll_2.csv", "SingleUE/Trial2/Raw/urll_1010123456002_metrics.csv", 0.0, 350.0),
}
"""Capture, log, and the window in seconds of the capture. Later the log of mmtc_3 runs away from its capture."""

PERIOD_S = 0.25
COLUMNS = {
    "sent_bits": ("tx_brate downlink [Mbps]", PERIOD_S * 1e6),
    "granted_prbs": ("sum_granted_prbs", 1.0),
    "cqi": ("dl_cqi", 1.0),
    "mcs": ("dl_mcs", 1.0),
    "buffer_bytes": ("dl_buffer [bytes]", 1.0),
}
SOURCE = """\
# Rows of KPM logs (250 ms each, srsRAN on the Colosseum emulator, one user) in which anything was sent downlink, from
# GitHub genesys-neu/TRACTOR, commit f2f052cbf541e25f561fae0a9ae8dbe4a9931702, licence MIT (tractor_LICENSE beside).
# Made by scripts/make_capture_tables.py. Period 0 begins with the window of the capture of the same class, whose
# packets are in capture_packets.npz (microseconds since the one before, bytes).
{windows}"""
FOLDER = Path(__file__).parent.parent / "src" / "ranpilot" / "twin" / "validate" / "data"


def main() -> None:
    logs, licence = read_logs()
    packets: dict[str, Any] = {}
    rows: list[list[str]] = []
    for name, (capture_name, log_name, start_s, stop_s) in CLASSES.items():
        (capture,) = read_tractor([capture_name])
        log = logs[log_name]
        lag, correlation = find_lag(capture.time_s, capture.bits, log["sent_bits"])
        print(f"{name}: {capture_name} begins {lag * PERIOD_S:g} s into {log_name}, correlation {correlation:.3f}")
        kept = (capture.time_s >= start_s) & (capture.time_s < stop_s)
        packets[f"{name}_time_us"] = np.diff(np.round((capture.time_s[kept] - start_s) * 1e6), prepend=0).astype(
            np.int32
        )
        packets[f"{name}_bytes"] = (capture.bits[kept] // 8).astype(np.int32)
        packets[f"{name}_duration_s"] = stop_s - start_s
        first = lag + round(start_s / PERIOD_S)
        for period in range(round((stop_s - start_s) / PERIOD_S)):
            row = {column: log[column][first + period] for column in COLUMNS}
            if row["sent_bits"] > 0.0 or row["granted_prbs"] > 0.0:
                rows.append([name, str(period), *(f"{value:g}" for value in row.values())])
    np.savez_compressed(FOLDER / "capture_packets.npz", **packets)
    windows = "".join(f"# {name}: raw/{c}, {a:g} to {b:g} s; logs/{log}\n" for name, (c, log, a, b) in CLASSES.items())
    with (FOLDER / "capture_logs.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(SOURCE.format(windows=windows))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "period", *COLUMNS])
        writer.writerows(rows)
    (FOLDER / "tractor_LICENSE").write_text(licence, encoding="utf-8")


def read_logs() -> tuple[dict[str, dict[str, np.ndarray]], str]:
    """The columns of each log, and the archive's licence."""
    wanted = {log for _, log, _, _ in CLASSES.values()}
    found: dict[str, dict[str, np.ndarray]] = {}
    licence = ""
    with tarfile.open(data_folder() / "tractor" / "tractor.tar.xz") as tar:
        for member in tar:
            name = member.name.rpartition("logs/")[2]
            if member.name.endswith("/LICENSE"):
                licence = tar.extractfile(member).read().decode()
            if name not in wanted:
                continue
            text = io.StringIO(tar.extractfile(member).read().decode())
            lines = list(csv.DictReader(text))
            found[name] = {
                column: np.array([float(line[theirs] or 0.0) * scale for line in lines])
                for column, (theirs, scale) in COLUMNS.items()
            }
    return found, licence


def find_lag(time_s: np.ndarray, bits: np.ndarray, sent_bits: np.ndarray) -> tuple[int, float]:
    """Periods by which the log is behind the capture, and the correlation there."""
    offered = np.log1p(np.bincount((time_s / PERIOD_S).astype(int), bits))
    sent = np.log1p(sent_bits)
    best = (0, -1.0)
    for lag in range(len(sent) - len(offered) // 2):
        overlap = min(len(offered), len(sent) - lag)
        correlation = float(np.corrcoef(offered[:overlap], sent[lag : lag + overlap])[0, 1])
        if correlation > best[1]:
            best = (lag, correlation)
    return best


if __name__ == "__main__":
    main()
