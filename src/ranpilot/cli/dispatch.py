"""Which words on the command line mean which function, and how a command ends."""

from __future__ import annotations

import os
import shlex
import sys
from types import ModuleType

import tyro

from ranpilot.cli import llm, traffic, twin
from ranpilot.cli.about import doctor, version
from ranpilot.cli.console import fail
from ranpilot.cli.experiments import compare, demo, run
from ranpilot.cli.options import Command
from ranpilot.errors import RanpilotError

__all__ = ["COMMANDS", "GROUPS", "main"]


def _describe(group: ModuleType) -> Command:
    """A stand-in for a group of commands in the list of commands; it only carries the group's description."""

    def stand_in() -> None: ...

    stand_in.__doc__ = group.__doc__
    return stand_in


COMMANDS: dict[str, Command] = {
    "run": run,
    "compare": compare,
    "demo": demo,
    "twin": _describe(twin),
    "traffic": _describe(traffic),
    "llm": _describe(llm),
    "doctor": doctor,
    "version": version,
}
GROUPS: dict[str, dict[str, Command]] = {
    "twin": twin.COMMANDS,
    "traffic": traffic.COMMANDS,
    "llm": llm.COMMANDS,
}
"""Commands of two words."""


def main() -> int:
    """Entry point of `ranpilot`; the exit status."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        return _dispatch(arguments)
    except RanpilotError as error:
        if debug:
            raise
        return fail(f"error: {error}", 2)
    except KeyboardInterrupt:
        command = shlex.join(["ranpilot", *(argument for argument in arguments if argument != "--new")])
        return fail(f"Stopped; what was played is kept. To go on: {command}", 130)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _dispatch(arguments: list[str]) -> int:
    commands, prog = COMMANDS, "ranpilot"
    description = "Language models and reinforcement learning run a radio access network, on a digital twin."
    if arguments and arguments[0] in GROUPS:
        group, *arguments = arguments
        commands, prog, description = GROUPS[group], f"ranpilot {group}", COMMANDS[group].__doc__ or ""
    status = tyro.extras.subcommand_cli_from_dict(
        commands, prog=prog, description=description, args=arguments or ["--help"]
    )
    return status or 0
