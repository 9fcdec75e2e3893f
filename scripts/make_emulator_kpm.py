"""Make KPM files and scenarios from the TRACTOR archive's emulator logs: `python scripts/make_emulator_kpm.py FOLDER`.

Needs $RANPILOT_DATA/tractor/tractor.tar.xz. For each class are written emulator-CLASS.yaml and CLASS.csv: the last
stretch of logs/Multi-UE/Trial0/CLASS4 in which all four phones were logged, in periods of a second. Of the cell:
delivered bits, PRBs used, mean CQI (of rows that report one), connected phones; of each phone bits and PRBs.
The phones stand within 20 m of the station (the emulator's scenario is called close). Carrier frequency and power are
guessed: nobody wrote down the emulator's gains, which is what the offset of the path loss is for.
"""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import tyro

from ranpilot.twin.traffic.capture import data_folder

FOLDER = "logs/Multi-UE/Trial0"
ROW_S, PERIOD_S, SLOTS = 0.25, 1.0, 1000
LONGEST_GAP_S = 5.0
COLUMNS = {"bits": ("tx_brate downlink [Mbps]", ROW_S * 1e6), "prbs": ("sum_granted_prbs", 1.0), "cqi": ("dl_cqi", 1.0)}
HEADER = ["time_s", "cell", "ue", "DRB.PdcpSduVolumeDL [Mbit]", "RRU.PrbUsedDl [PRB]", "CARR.WBCQIDist.Mean [index]",
          "RRC.ConnMean [UE]", "DRB.PdcpSduVolumeDL.UE [Mbit]", "RRU.PrbUsedDl.UE [PRB]"]  # fmt: skip
SCENARIO = """\
name: emulator-PROFILE
description: Four phones at one cell, as logged on the Colosseum emulator (TRACTOR); see scripts/make_emulator_kpm.py.
carrier: {frequency_ghz: 2.0, num_prbs: 50, prbs_per_group: 3}
layout:
  area_m: [-20, -20, 20, 20]
  sites:
    - {name: cell, x_m: 0, y_m: 0, height_m: 10, propagation: UMi, power_dbm: -10}
users:
  population: {kind: static, ues_per_cell: 4}
  mobility: {kind: static, min_speed_kmh: 3, max_speed_kmh: 3}
traffic:
  mix:
    - {kind: fitted, profile: PROFILE}
"""

Log = dict[str, np.ndarray]


def main(out: tyro.conf.Positional[Path]) -> None:
    """Write the files."""
    out.mkdir(parents=True, exist_ok=True)
    logs = read_logs()
    for name in ("embb", "urllc"):
        (out / f"emulator-{name}.yaml").write_text(SCENARIO.replace("PROFILE", name), encoding="utf-8")
        phones = {path.rpartition("/")[2].partition("_")[0]: log for path, log in logs.items() if f"/{name}4/" in path}
        rows = kpm_rows(phones)
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(rows)
        print(f"{name}.csv: {len(phones)} phones, {rows[-1][0]} s")


def read_logs() -> dict[str, Log]:
    """The columns of each log of a phone, by its path."""
    found = {}
    with tarfile.open(data_folder() / "tractor" / "tractor.tar.xz") as tar:
        for member in tar:
            if FOLDER in member.name and member.name.endswith(".csv"):
                lines = list(csv.DictReader(io.StringIO(tar.extractfile(member).read().decode())))
                log = {key: np.array([float(line[theirs] or 0) for line in lines]) * scale
                       for key, (theirs, scale) in COLUMNS.items()}  # fmt: skip
                found[member.name] = log | {"time_s": np.array([float(line["Timestamp"]) for line in lines]) * 1e-3}
    return found


def kpm_rows(phones: dict[str, Log]) -> list[list[str]]:
    """Rows of the file, from the last moment at which a log begins anew to the first at which one ends."""
    starts = []
    for log in phones.values():
        breaks = np.flatnonzero(np.diff(log["time_s"]) > LONGEST_GAP_S)
        starts.append(log["time_s"][breaks[-1] + 1 if len(breaks) else 0])
    begin_s, end_s = max(starts), min(log["time_s"][-1] for log in phones.values())
    num_periods = int((end_s - begin_s) / PERIOD_S)
    rows: list[list[str]] = []
    for period in range(num_periods):
        low = begin_s + period * PERIOD_S
        inside = {imsi: (log["time_s"] >= low) & (log["time_s"] < low + PERIOD_S) for imsi, log in phones.items()}
        bits, prbs = ({imsi: log[key][inside[imsi]].sum() for imsi, log in phones.items()} for key in ("bits", "prbs"))
        cqi = np.concatenate([log["cqi"][inside[imsi]] for imsi, log in phones.items()])
        time_s = f"{(period + 1) * PERIOD_S:g}"
        mean_cqi = f"{cqi[cqi > 0].mean():.4f}" if (cqi > 0).any() else ""
        cell = (f"{sum(bits.values()) * 1e-6:.6f}", f"{sum(prbs.values()) / SLOTS:.4f}", mean_cqi, str(len(phones)))
        rows.append([time_s, "cell", "", *cell, "", ""])
        for imsi in phones:
            rows.append([time_s, "", imsi, "", "", "", "", f"{bits[imsi] * 1e-6:.6f}", f"{prbs[imsi] / SLOTS:.4f}"])
    return rows


if __name__ == "__main__":
    tyro.cli(main)
