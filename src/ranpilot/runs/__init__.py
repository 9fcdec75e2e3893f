"""The run folder: resolved config, metrics, checkpoints, exact resume, progress. Knows nothing of networks."""

from ranpilot.runs.cell import CellFolder, Checkpoint
from ranpilot.runs.files import read_json, write_atomic, write_json
from ranpilot.runs.folder import RunFolder
from ranpilot.runs.interrupt import Interrupted, StopRequest
from ranpilot.runs.progress import PlainProgress, Progress, RichProgress, SilentProgress, make_progress
from ranpilot.runs.provenance import provenance

__all__ = [
    "CellFolder",
    "Checkpoint",
    "Interrupted",
    "PlainProgress",
    "Progress",
    "RichProgress",
    "RunFolder",
    "SilentProgress",
    "StopRequest",
    "make_progress",
    "provenance",
    "read_json",
    "write_atomic",
    "write_json",
]
