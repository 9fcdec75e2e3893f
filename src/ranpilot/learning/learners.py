"""Learners with shared nets by name; PyTorch is imported with the first one that is made."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ranpilot.errors import MissingExtraError, UnknownNameError

if TYPE_CHECKING:
    from ranpilot.learning.learner import Learner
    from ranpilot.learning.slice_codes import SliceCodes

__all__ = ["LEARNERS", "make_learner"]

LEARNERS = ("ppo", "mappo", "sac", "masac")
"""Each a file of this folder with `make(settings, codes)`."""


def make_learner(name: str, settings: Mapping[str, object], codes: SliceCodes | None = None) -> Learner:
    """The learner of that name with some settings changed; codes: numbers for what slices say.

    Raises UnknownNameError, ConfigError for a bad setting, MissingExtraError without PyTorch.
    """
    if name not in LEARNERS:
        raise UnknownNameError("learner", name, LEARNERS)
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("torch", f"The controller {name}", "pip install 'ranpilot[learn]'")
    learner: Learner = importlib.import_module(f"ranpilot.learning.{name}").make(settings, codes)
    return learner
