"""Numba as ranpilot uses it: typed decorators and a compile cache that cannot go stale.

Numba keys its cache by the file of the compiled function alone, so that an edited function which a kernel in another
file calls would leave the caller's old binary in use. The cache folder is therefore keyed by a hash of the sources of
all kernels, and set before the first kernel is imported.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import prange

__all__ = ["kernel", "parallel_kernel", "prange", "source_hash"]

Function = TypeVar("Function", bound=Callable[..., Any])


def source_hash() -> str:
    """Hash over every source file of the package that defines kernels."""
    digest = hashlib.sha256(numba.__version__.encode())
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        if b"ranpilot.kernels" in source or b"STREAM_" in source:
            digest.update(str(path.relative_to(package)).encode() + source)
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "ranpilot" / "numba" / source_hash()


numba.config.CACHE_DIR = str(_cache_folder())


def kernel(function: Function) -> Function:
    """Compile a scalar function, cached on disk; fastmath stays off so that results are bit-exact."""
    return cast(Function, numba.njit(cache=True)(function))


def parallel_kernel(function: Function) -> Function:
    """Compile a function whose `prange` loops run over networks in parallel."""
    return cast(Function, numba.njit(cache=True, parallel=True)(function))
