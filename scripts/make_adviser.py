"""Train the advisers that ranpilot ships and reports: three seeds each of LoRA and of fully tuned layers.

All six see the same labels. results/adviser.json gets every score of every run and what orders and other texts change;
`--ship` copies the LoRA of the first seed into the package, where `embedded:adviser` finds it. It goes on where it was
interrupted; runs and labels are in runs/advisers. Named runs, such as `lora-0 full-2`, are done alone, so
that several processes can share them out. Takes about four CPU hours, one of them labels.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from ranpilot.experiments.adviser import AdviserReport, train_adviser
from ranpilot.runs import make_progress, write_json

ROOT = Path(__file__).parent.parent
RUNS = Path("runs/advisers")
SHIPPED = ROOT / "src" / "ranpilot" / "llm" / "adapters" / "adviser"
SEEDS = (0, 1, 2)
METHODS: dict[str, dict[str, Any]] = {"lora": {"steps": 640}, "full": {"steps": 384}}
SETTINGS: dict[str, Any] = {
    "states": 2048, "focus_states": 1536, "draws": 2, "dtype": "bfloat16",
    "heldout_states": 192, "heldout_focus_states": 160, "heldout_draws": 12,
}  # fmt: skip


def main() -> int:
    named = [argument for argument in sys.argv[1:] if argument != "--ship"]
    every = [(method, seed) for seed in SEEDS for method in METHODS]
    wanted = [(method, seed) for method, seed in every if not named or f"{method}-{seed}" in named]
    reports: dict[tuple[str, int], AdviserReport] = {}
    for method, seed in wanted:
        with make_progress(show=True) as progress:
            reports[method, seed] = train(method, seed, progress)
        print(f"{method}, seed {seed}: {reports[method, seed].adapter}", flush=True)
    if named:
        return 0
    records = []
    for (method, seed), report in reports.items():
        records += [{**record, "method": method, "seed": seed} for record in report.flat()]
    write_json(ROOT / "results" / "adviser.json", records)
    if "--ship" in sys.argv:
        shutil.rmtree(SHIPPED)
        shutil.copytree(reports["lora", SEEDS[0]].adapter, SHIPPED)
    return 0


def train(method: Any, seed: int, progress: Any) -> AdviserReport:
    """One of the six."""
    return train_adviser(
        ["aura-paper", "power-handover"], method=method, seed=seed, out=RUNS / f"{method}-{seed}",
        labels=RUNS / "labels", progress=progress, **METHODS[method], **SETTINGS,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
