"""Whether the parts of a scenario lie within the ranges of the propagation models that they use."""

from __future__ import annotations

from collections.abc import Sequence

from ranpilot.errors import ConfigError
from ranpilot.twin.description.site import Site
from ranpilot.twin.description.users import Indoor, Users, floor_height_m

__all__ = ["check_radio_fits"]

UT_HEIGHT_M = {"RMa": (1.0, 10.0), "UMa": (1.5, 22.5), "UMi": (1.5, 22.5), "InH": (0.5, 10.0), "InH-open": (0.5, 10.0)}
"""Source: TR 38.901 Table 7.4.1-1; InH, where the table has no range, as `path_loss_db` takes it."""
RURAL_DEPTH_M = 10.0


def check_radio_fits(sites: Sequence[Site], users: Users, frequency_ghz: float) -> None:
    """Raise ConfigError for users' heights, buildings or a frequency that a site's propagation model does not know."""
    for site in sites:
        model = site.propagation
        low_m, high_m = UT_HEIGHT_M[model]
        if not low_m <= users.height_m <= high_m:
            raise ConfigError("users.height_m", users.height_m, f"{low_m:g} to {high_m:g} m for {model}")
        if model == "RMa" and frequency_ghz > 30.0:
            raise ConfigError("carrier.frequency_ghz", frequency_ghz, "at most 30 GHz for RMa")
        if users.indoor is not None:
            _check_buildings(site, users.indoor)


def _check_buildings(site: Site, indoor: Indoor) -> None:
    model = site.propagation
    if model.startswith("InH"):
        raise ConfigError("users.indoor", indoor.model_dump(), f"left out for {model}, whose sites are indoors too")
    most_floors = max(floor for floor in range(1, 9) if floor_height_m(floor) <= UT_HEIGHT_M[model][1])
    if indoor.max_floors > most_floors:
        raise ConfigError("users.indoor.max_floors", indoor.max_floors, f"at most {most_floors} for {model}")
    if model == "RMa" and indoor.high_loss_share > 0.0:
        raise ConfigError("users.indoor.high_loss_share", indoor.high_loss_share, "0 for RMa")
    if model == "RMa" and indoor.max_depth_m > RURAL_DEPTH_M:
        raise ConfigError("users.indoor.max_depth_m", indoor.max_depth_m, f"at most {RURAL_DEPTH_M:g} m for RMa")
    # The effective environment height of a link is at most 1.5 m below the user.
    highest_m = floor_height_m(indoor.max_floors) - 1.5
    if model == "UMa" and highest_m >= 12.0 and site.height_m <= highest_m:
        raise ConfigError("layout.sites.height_m", site.height_m, f"above {highest_m:g} m where UMa users are so high")
