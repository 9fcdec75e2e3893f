"""Imports of the optional packages, with one sentence where one is missing."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from ranpilot.errors import MissingExtraError

__all__ = ["COMMAND", "missing", "require"]

COMMAND = "pip install 'ranpilot[llm]'"
PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "gguf", "peft")


def missing() -> list[str]:
    """The packages of the extra `llm` that are not installed."""
    return [package for package in PACKAGES if importlib.util.find_spec(package) is None]


def require(package: str) -> ModuleType:
    """Import a package of the extra `llm`. Raises: MissingExtraError with the command that installs it."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != package.split(".")[0]:
            raise
        raise MissingExtraError(package, "The embedded language model", COMMAND) from None
