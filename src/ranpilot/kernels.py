"""Numba as ranpilot uses it: typed decorators and a compile cache that cannot go stale.

Numba keys its cache by the file of the compiled function alone, so that an edited function or constant of another file
would leave the caller's old binary in use. The cache folder is therefore keyed by a hash of every source file of the
rooms that hold kernels, and set before the first kernel is imported.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import prange
from numba.core import inline_closurecall

__all__ = [
    "inner_kernel",
    "kernel",
    "parallel_kernel",
    "prange",
    "shared_kernel",
    "source_hash",
    "unlocked_kernel",
    "woven_kernel",
]

Function = TypeVar("Function", bound=Callable[..., Any])


WITHOUT_KERNELS = (
    "envs/make.py",
    "envs/spaces.py",
    "envs/tasks/_promises.py",
    "envs/tasks/_slice_features.py",
    "envs/tasks/power_handover.py",
    "envs/tasks/slicing",
    "envs/twin_task.py",
    "envs/twin_what_if.py",
    "envs/views.py",
    "heuristics/_shares.py",
    "heuristics/backlog.py",
    "heuristics/deadline.py",
    "heuristics/equal.py",
    "heuristics/load_proportional.py",
    "heuristics/max_min.py",
    "heuristics/pf_shares.py",
    "heuristics/sla_oracle.py",
    "learning/dqn.py",
    "learning/features.py",
    "learning/flat_network.py",
    "learning/gae.py",
    "learning/gymnasium_adapter.py",
    "learning/learner.py",
    "learning/learners.py",
    "learning/load_logits.py",
    "learning/mappo.py",
    "learning/masac.py",
    "learning/ppo.py",
    "learning/rollout.py",
    "learning/running_moments.py",
    "learning/sac.py",
    "learning/set_network.py",
    "learning/slice_codes.py",
    "learning/squashed_normal.py",
    "learning/tensor_arrays.py",
    "learning/transitions.py",
    "twin/applying",
    "twin/bench/",
    "twin/calibrate",
    "twin/controls.py",
    "twin/feed.py",
    "twin/frames.py",
    "twin/inspect.py",
    "twin/kpm",
    "twin/network.py",
    "twin/recording.py",
    "twin/snapshots.py",
    "twin/stays.py",
    "twin/validate/",
)
"""Files of such rooms that no kernel depends on: editing them compiles nothing anew."""


def source_hash() -> str:
    """Hash over every source file of the rooms (folders of the package) in which a file defines kernels."""
    digest = hashlib.sha256(numba.__version__.encode())
    package = Path(__file__).parent
    sources = {path.relative_to(package): path.read_bytes() for path in sorted(package.rglob("*.py"))}
    rooms = {path.parts[0] for path, source in sources.items() if b"from ranpilot.kernels import" in source}
    for path, source in sources.items():
        if (path.parts[0] in rooms or path.name == "kernels.py") and not path.as_posix().startswith(WITHOUT_KERNELS):
            digest.update(str(path).encode() + source)
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "ranpilot" / "numba" / source_hash()


numba.config.CACHE_DIR = str(_cache_folder())


class _OneMemo:
    """The module `copy` as Numba's inliner sees it: while one call is inlined, all its copies share one memo."""

    def __init__(self) -> None:
        self._memo: dict[int, Any] | None = None

    def deepcopy(self, value: Any) -> Any:
        return copy.deepcopy(value, self._memo)

    def during(self, inline: Callable[..., Any]) -> Callable[..., Any]:
        def inline_with_memo(*given: Any, **named: Any) -> Any:
            outer, self._memo = self._memo, {}
            try:
                return inline(*given, **named)
            finally:
                self._memo = outer

        return inline_with_memo


def _inline_in_linear_time() -> None:
    """Numba copies what it inlines block by block, and with each block the scope of the whole function.

    With one memo the scope is copied once, as the code that follows expects anyway; compiling takes a third less time.
    """
    memo = _OneMemo()
    inline_closurecall.copy = memo
    inline_closurecall.InlineWorker.inline_ir = memo.during(inline_closurecall.InlineWorker.inline_ir)


_inline_in_linear_time()


def kernel(function: Function) -> Function:
    """Compile a scalar function, cached on disk; fastmath stays off so that results are bit-exact."""
    return cast(Function, numba.njit(cache=True)(function))


def parallel_kernel(function: Function) -> Function:
    """Compile a function whose `prange` loops run over networks in parallel."""
    return cast(Function, numba.njit(cache=True, parallel=True)(function))


def inner_kernel(function: Function) -> Function:
    """Compile a part of a larger kernel: always inlined into its callers, without memory management.

    A tuple of a hundred arrays costs a microsecond to hand over and to count references of; inlined it costs nothing.
    Such a function allocates nothing and is called from `unlocked_kernel` or other inner kernels only.
    """
    return cast(Function, numba.njit(_nrt=False, forceinline=True)(function))


def shared_kernel(function: Function) -> Function:
    """Compile a large part with several callers once instead of into each; a call of it costs a microsecond.

    So it is for what is rare in the slot loop. It allocates nothing and is called as inner kernels are.
    """
    return cast(Function, numba.njit(_nrt=False)(function))


def woven_kernel(function: Function) -> Function:
    """Compile a part with one caller: its code becomes the caller's before anything is compiled.

    Every function that is compiled on its own is optimised again, with all that it calls, inside each of its callers.
    """
    return cast(Function, numba.njit(_nrt=False, inline="always")(function))


def unlocked_kernel(function: Function) -> Function:
    """Compile an outermost kernel that allocates nothing and runs without Python's lock, so that threads can share."""
    return cast(Function, numba.njit(cache=True, nogil=True, _nrt=False)(function))
