"""Commands about the installation: doctor, version."""

from __future__ import annotations

from ranpilot.cli.console import say
from ranpilot.cli.options import JsonFile

__all__ = ["doctor", "version"]


def doctor(json_file: JsonFile = None) -> int:
    """Say what this machine has, what is missing, and how to get it.

    Args:
        json_file: write it to this file too.
    """
    from ranpilot.doctor import doctor as diagnose

    return diagnose(json_file)


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    say(f"ranpilot {installed('ranpilot')}")
