"""The twin held against numbers from outside: tables of the standard, closed forms, published curves."""

from ranpilot.twin.validate.line import Effort, Line
from ranpilot.twin.validate.running import check_names, check_title, check_unique, run_check, validate

__all__ = ["Effort", "Line", "check_names", "check_title", "check_unique", "run_check", "validate"]
