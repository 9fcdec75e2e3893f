"""Whether the parts of a scenario fit each other: users and radio, slices and traffic."""

from __future__ import annotations

from collections.abc import Sequence

from ranpilot.errors import ConfigError
from ranpilot.twin.description.site import Site
from ranpilot.twin.description.slices import Slices
from ranpilot.twin.description.traffic import Traffic
from ranpilot.twin.description.users import Indoor, Static, Users, floor_height_m
from ranpilot.twin.traffic.protocol import BLOCK_SLOTS

__all__ = ["check_radio_fits", "check_slices_fit"]

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


def check_slices_fit(slices: Slices, traffic: Traffic, users: Users, size: tuple[int, float]) -> None:
    """Raise ConfigError for traffic that is not in the mix, or for times and members that cannot be.

    size: places for users, and the duration of a slot.
    """
    num_places, slot_s = size
    known = [entry.label for entry in traffic.mix]
    for label in known:
        if known.count(label) > 1:
            raise ConfigError("traffic.mix.name", label, "different for every kind of traffic where there are slices")
    if slices.comes_and_goes and not isinstance(users.population, Static):
        raise ConfigError("users.population.kind", users.population.kind, "static where slices come and go")
    total = sum(tenant.share for tenant in slices.tenants)
    if not isinstance(users.population, Static) and abs(total - 1.0) > 1e-6:
        shares = [tenant.share for tenant in slices.tenants]
        allowed = f"shares that sum to 1 where users come and go by themselves (not {total:g})"
        raise ConfigError("slices.tenants.share", shares, allowed)
    block_s = BLOCK_SLOTS * slot_s
    for tenant in slices.tenants:
        where = f"slices.tenants[{tenant.name}]"
        if isinstance(users.population, Static) and tenant.share * num_places < 1.0 - 1e-9:
            allowed = f"at least {1.0 / num_places:.4g}: one of the {num_places} places for users"
            raise ConfigError(f"{where}.share", tenant.share, allowed)
        for label in tenant.traffic:
            if label not in known:
                raise ConfigError(f"{where}.traffic", label, f"one of the traffic mix ({', '.join(known)})")
        if tenant.deadline_ms is not None and tenant.deadline_ms < slot_s * 1e3:
            raise ConfigError(f"{where}.deadline_ms", tenant.deadline_ms, f"at least a slot ({slot_s * 1e3:g} ms)")
        for field, moment_s in (("from_s", tenant.from_s), ("until_s", tenant.until_s or 0.0)):
            if abs(moment_s / block_s - round(moment_s / block_s)) > 1e-9:
                raise ConfigError(f"{where}.{field}", moment_s, f"a multiple of {block_s:g} s (a block of traffic)")
