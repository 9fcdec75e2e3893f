"""How long does the embedded model take to load, and how many choices does it make a second?

python benchmarks/llm_choose.py [--json FILE]      one thread, prompts of 8 tokens, nothing remembered, about one minute

Beside the wall time stands the processor time of the same runs, which a busy machine disturbs less.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

DEPTHS, DTYPES, BATCHES = (4, 10, 30), ("float32", "bfloat16"), (1, 16, 128)
OPTIONS = [" up", " down", " keep", " move"]
REPETITIONS = 3
START = """
import time
clocks = lambda: (time.perf_counter(), time.process_time())
start = clocks()
from ranpilot.llm import load, weights
import torch, transformers.models.llama.modeling_llama
imported = clocks()
weights.weights_folder()
made = clocks()
load("embedded", depth={depth}, dtype="{dtype}", memo=False)
loaded = clocks()
for before, after in ((start, imported), (imported, made), (made, loaded)):
    print(after[0] - before[0], after[1] - before[1])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    target = parser.parse_args().json
    rows = [*loading(), *choosing()]
    print(f"{'':44s} {'wall':>9s} {'lowest':>9s} {'highest':>9s} {'processor':>9s}")
    for row in rows:
        low, high = row["spread"]
        print(f"{row['name']:44s} {row['value']:9.3f} {low:9.3f} {high:9.3f} {row['processor']:9.3f} {row['unit']}")
    if target is not None:
        target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def loading() -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory() as empty:
        imported, made, _ = start(30, "float32", cache=empty)
        rows += [record("llm_load/import", [imported], "s"), record("llm_load/first", [made], "s")]
    for dtype, depth in itertools.product(DTYPES, (4, 30)):
        times = [start(depth, dtype)[2] for _ in range(REPETITIONS)]
        rows.append(record(f"llm_load/again/{dtype}/depth-{depth}", times, "s"))
    return rows


def start(depth: int, dtype: str, cache: str | None = None) -> list[tuple[float, float]]:
    """(Wall, processor) seconds to import, to make the cache where there is none, to load, in a fresh process."""
    environment = os.environ | ({"XDG_CACHE_HOME": cache} if cache else {})
    command = [sys.executable, "-c", START.format(depth=depth, dtype=dtype)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [(float(wall), float(processor)) for wall, processor in map(str.split, done.stdout.splitlines())]


def choosing() -> list[dict[str, Any]]:
    from ranpilot.llm.backends.embedded import Embedded

    words = ("full", "light", "poor", "good", "weak", "high", "low")
    prompts = [" ".join(chosen) + " ->" for chosen in itertools.product(words, repeat=7)]
    rows = []
    for dtype, depth in itertools.product(DTYPES, DEPTHS):
        model = Embedded(depth=depth, dtype=dtype, memo=False)
        assert len(model.tokenizer.encode(prompts[0]).ids) == 8
        model.choose(prompts[-16:], OPTIONS)
        fresh = iter(prompts)
        for batch in BATCHES:
            times = []
            for _ in range(REPETITIONS):
                asked = list(itertools.islice(fresh, batch))
                wall, processor = time.perf_counter(), time.process_time()
                model.choose(asked, OPTIONS)
                spent = (time.perf_counter() - wall, time.process_time() - processor)
                times.append((1e3 * spent[0] / batch, 1e3 * spent[1] / batch))
            rows.append(record(f"llm_choose/{dtype}/depth-{depth}/batch-{batch}", times, "ms a prompt"))
    return rows


def record(name: str, times: list[tuple[float, float]], unit: str) -> dict[str, Any]:
    wall, processor = ([time[clock] for time in times] for clock in range(2))
    return {
        "name": name,
        "value": statistics.median(wall),
        "unit": unit,
        "spread": [min(wall), max(wall)],
        "processor": statistics.median(processor),
        "n": len(times),
        "threads": 1,
    }


if __name__ == "__main__":
    main()
