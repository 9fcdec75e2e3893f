"""The network: no learning, no language model, no torch. Arrays, compiled kernels, and one public face, `Networks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ranpilot.twin.network import Networks
    from ranpilot.twin.scenario import Scenario
    from ranpilot.twin.scenario_file import load_scenario, read_scenario
    from ranpilot.twin.views import CellView, EventView, UserView

__all__ = ["CellView", "EventView", "Networks", "Scenario", "UserView", "load_scenario", "read_scenario"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing the package stays fast."""
    import importlib

    places = {
        "CellView": "views",
        "EventView": "views",
        "Networks": "network",
        "Scenario": "scenario",
        "UserView": "views",
        "load_scenario": "scenario_file",
        "read_scenario": "scenario_file",
    }
    if name not in places:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{places[name]}"), name)
