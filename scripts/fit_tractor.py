"""Make the traffic profiles that ranpilot ships from the TRACTOR captures: `python scripts/fit_tractor.py [NAME ...]`.

Needs $RANPILOT_DATA/tractor/tractor.tar.xz. Each class is split by capture: those held out come from other days and
mostly other applications. Left out of both: `IMPACT.csv`, which is pasted together from four of the others,
`embb_05_18_b.csv`, an upload, and `cntrl.csv`, which has four packets.

`embb.csv` and `mmtc.csv` belong to the first data set, from which other traffic was cut out. There, a silence of both
directions above 60 s is taken for a cut: the longest one in an eMBB capture without cuts lasts 50.2 s.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ranpilot.twin.traffic.capture import read_tractor
from ranpilot.twin.traffic.fit import fit_captures, save_profile

CUT_IDLE_S = {"embb.csv": 60.0, "mmtc.csv": 60.0}
CAPTURES = {
    "embb": ["embb.csv", "embb_3.csv", "embb_05_18_a.csv", "embb_11_18.csv"],
    "embb-heldout": ["embb_04_10.csv", "embb_06_09.csv"],
    "urllc": ["urll_2.csv", "urllc_04_10.csv", "urllc_05_18.csv"],
    "urllc-heldout": ["urllc_04_16.csv", "urllc_06_12.csv"],
    "mmtc": ["mmtc.csv", "mmtc_03_03.csv", "mmtc_05_18.csv", "mmtc_3.csv"],
    "mmtc-heldout": ["mmtc_04_10.csv", "mmtc_11_18.csv", "mmtc_2.csv"],
}
SOURCE = "GitHub genesys-neu/TRACTOR, commit f2f052cbf541e25f561fae0a9ae8dbe4a9931702, raw/"
LICENCE = "MIT (LICENSE beside this file)"
FOLDER = Path(__file__).parent.parent / "src" / "ranpilot" / "twin" / "traffic" / "profiles"


def main(names: list[str]) -> None:
    for name in names or list(CAPTURES):
        captures = list(read_tractor(CAPTURES[name], cut_idle_s=CUT_IDLE_S))
        command = f"python scripts/fit_tractor.py {name}"
        report = fit_captures(captures, name=name, source=SOURCE, licence=LICENCE, command=command)
        path = save_profile(report.profile, FOLDER / f"{name}.json")
        print(report.table(), f"{path.name}: {path.stat().st_size / 1e3:.0f} kB", sep="\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
