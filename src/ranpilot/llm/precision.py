"""Which number format is faster on this machine: measured once, remembered in the user's cache.

bfloat16 is two to four times faster than float32 on CPUs with instructions for it and three to four times slower on
those without. What is timed are the matrix products of one layer of the embedded model on 128 tokens.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ranpilot.llm.cache import cache_folder, write_text
from ranpilot.llm.extras import require

__all__ = ["Precision", "cpu_flags", "cpu_model", "measure_precision", "preferred_precision"]

SHAPES = ((576, 576), (576, 1536), (1536, 576))
TOKENS, REPETITIONS = 128, 9
MIN_GAIN = 1.2  # Below this, the exact format is kept.
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")


@dataclass(frozen=True)
class Precision:
    """What was measured: median milliseconds of one layer's products in each format, on one thread."""

    machine: str
    float32_ms: float
    bfloat16_ms: float

    @property
    def dtype(self) -> str:
        """The format to use: "bfloat16" where it is clearly faster, else "float32"."""
        return "bfloat16" if self.float32_ms > MIN_GAIN * self.bfloat16_ms else "float32"


def preferred_precision(device: str = "cpu") -> Precision:
    """What was measured on this machine, processor and torch version; measured now (0.1 s) where it never was.

    Raises: MissingExtraError without torch; BackendError where the cache cannot be written.
    """
    path, machine = cache_folder() / "precision.json", _machine(device)
    known = _read(path)
    if machine not in known:
        # Written beside what other machines with the same home have measured.
        known[machine] = asdict(measure_precision(device))
        write_text(path, json.dumps(known, indent=1, sort_keys=True) + "\n")
    return Precision(**known[machine])


def measure_precision(device: str = "cpu") -> Precision:
    """Time both formats now, alternating, so that a busy moment hits both."""
    torch = require("torch")
    steps = {dtype: _products(torch, device, dtype) for dtype in ("float32", "bfloat16")}
    times: dict[str, list[float]] = {dtype: [] for dtype in steps}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for step in steps.values():
            step()
        for _ in range(REPETITIONS):
            for dtype, step in steps.items():
                start = time.perf_counter()
                step()
                times[dtype].append(1e3 * (time.perf_counter() - start))
    finally:
        torch.set_num_threads(threads)
    median = {dtype: round(statistics.median(values), 4) for dtype, values in times.items()}
    return Precision(_machine(device), median["float32"], median["bfloat16"])


def cpu_flags() -> tuple[str, ...]:
    """The instruction sets that matter here, as Linux names them; empty where the system does not tell."""
    found = _cpu_field("flags", "Features").split()
    return tuple(flag for flag in FLAGS if flag in found)


def cpu_model() -> str:
    """The processor's name, as far as the system tells."""
    return _cpu_field("model name") or platform.processor() or platform.machine()


def _products(torch: Any, device: str, dtype: str) -> Callable[[], None]:
    generator = torch.Generator().manual_seed(0)
    pairs = [
        tuple(
            torch.randn(size, generator=generator).to(device=device, dtype=getattr(torch, dtype))
            for size in ((TOKENS, n_in), (n_out, n_in))
        )
        for n_in, n_out in SHAPES
    ]

    def step() -> None:
        with torch.inference_mode():
            for values, weights in pairs:
                torch.nn.functional.linear(values, weights)
        if device != "cpu":
            torch.accelerator.synchronize()

    return step


def _machine(device: str) -> str:
    version = require("torch").__version__
    return f"{device} | {cpu_model()} | {' '.join(cpu_flags())} | torch {version}"


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _cpu_field(*names: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        field, _, value = line.partition(":")
        if field.strip() in names:
            return value.strip()
    return ""
