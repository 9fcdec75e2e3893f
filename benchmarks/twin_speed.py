"""How many cell-slots a second does the twin simulate, at batch 1, 16 and 256, on one and two threads?

python benchmarks/twin_speed.py [FILE.json]
"""

from __future__ import annotations

import sys

from ranpilot.twin.bench import bench

if __name__ == "__main__":
    bench(sys.argv[1] if len(sys.argv) > 1 else None)
