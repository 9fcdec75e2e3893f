"""Label the tenant corpus a second time: write the sheet without labels, then compare what comes back.

    python scripts/label_tenants.py sheet blind_sheet.jsonl
    python scripts/label_tenants.py compare results/tenant-second-labels.jsonl results/tenant-labels.json

The labeller gets the sheet and the questions of docs/tenant_corpus.md, nothing else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ranpilot.errors import RanpilotError
from ranpilot.experiments.tenant_labels import Agreement, agreement, blind_sheet, load_labels
from ranpilot.twin.tenants import load_corpus


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["sheet"] and len(arguments) == 2:
        lines = [json.dumps(line) + "\n" for line in blind_sheet(load_corpus())]
        Path(arguments[1]).write_text("".join(lines), encoding="utf-8")
        print(f"{arguments[1]}: {len(lines)} texts")
        return 0
    if arguments[:1] == ["compare"] and len(arguments) in (2, 3):
        rows = agreement(load_corpus(), load_labels(arguments[1]))
        print_table(rows)
        if len(arguments) == 3:
            records = [{"name": f"{row.dimension}/{row.phrasing or 'both'}", **row.as_json()} for row in rows]
            Path(arguments[2]).write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
        return 0
    print(__doc__, file=sys.stderr)
    return 2


def print_table(rows: list[Agreement]) -> None:
    print(f"{'dimension':12} {'phrasing':9} {'n':>4}  {'weighted kappa':22} {'same level':22} within one step")
    for row in rows:
        intervals = (row.weighted_kappa, row.same, row.adjacent)
        cells = [f"{shown.estimate:.2f} ({shown.low:.2f} to {shown.high:.2f})".ljust(22) for shown in intervals]
        print(f"{row.dimension:12} {row.phrasing or 'both':9} {row.num_texts:4}  {' '.join(cells)}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RanpilotError as error:
        sys.exit(f"error: {error}")
