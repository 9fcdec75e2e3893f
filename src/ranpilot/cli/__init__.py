"""The command line. A command only translates: the work is done by the function of the same name in Python.

What went wrong is one sentence on stderr with exit status 2 (`--debug` adds the traceback); Ctrl-C ends with 130 after
everything is written. Heavy imports happen inside the commands, so that `ranpilot --help` answers at once.
"""

from ranpilot.cli.dispatch import COMMANDS, GROUPS, main

__all__ = ["COMMANDS", "GROUPS", "main"]
