"""A scenario fitted to measurements of the user's own network."""

from ranpilot.twin.calibrate.calibration import Calibration, Level, calibrate
from ranpilot.twin.calibrate.fit import Estimate
from ranpilot.twin.calibrate.kpm_file import KpmFile, read_kpm_file
from ranpilot.twin.calibrate.objective import Effort
from ranpilot.twin.calibrate.parameters import DEFAULT_FIT, PARAMETERS, Parameter
from ranpilot.twin.calibrate.search import most_evaluations
from ranpilot.twin.calibrate.series import Series

__all__ = [
    "DEFAULT_FIT",
    "PARAMETERS",
    "Calibration",
    "Effort",
    "Estimate",
    "KpmFile",
    "Level",
    "Parameter",
    "Series",
    "calibrate",
    "most_evaluations",
    "read_kpm_file",
]
