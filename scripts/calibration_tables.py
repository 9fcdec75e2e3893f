"""Tables of docs/own_network.md: known parameters that were found again, and fits to measured logs."""

from __future__ import annotations

from collections.abc import Callable

from records import Record, read, short, table

__all__ = ["TABLES"]

CLASSES = ("urllc", "embb")


def synthetic() -> str:
    """Each file's estimates with their intervals, and the share of intervals that hold the truth."""
    found = {record["name"].removeprefix("calibrate/synthetic/"): record for record in read("calibrate-synthetic")}
    names = [name.removeprefix("coverage/") for name in found if name.startswith("coverage/")]
    files = [name.split("/")[0] for name in found if name.endswith("held-out/error")]
    truth = ["truth", *(short(found[f"{files[0]}/{name}"]["reference"]) for name in names), "", ""]
    lines = [truth]
    for file in files:
        error = found[f"{file}/held-out/error"]
        estimates = [_estimate(found[f"{file}/{name}"]) for name in names]
        lines.append([file.replace("-", " "), *estimates, short(error["reference"]), short(error["value"])])
    held = [f"{found[f'coverage/{name}']['value'] * len(files):.0f} of {len(files)}" for name in names]
    lines.append(["intervals that hold the truth", *held, "", ""])
    units = [found[f"{files[0]}/{name}"]["unit"].removeprefix("1") for name in names]
    titles = ["file", *(f"{name} {unit}".strip() for name, unit in zip(names, units, strict=True))]
    return table("calibrate-synthetic", [*titles, "error before", "fitted"], lines, numbers=range(1, 7), note="")


def measured(name: str) -> str:
    """Parameters, error and KPMs of the fit to the logs of a class."""
    lines = []
    for record in read(f"calibrate-tractor-{name}"):
        what = record["name"].split("/", 2)[2]
        if "low" in record:
            lines.append([what, record["unit"], "", short(record["reference"]), _estimate(record)])
        elif what == "held-out/error":
            lines.append(["error, held-out periods", "", "", short(record["reference"]), short(record["value"])])
        elif what.startswith("held-out/"):
            numbers = [short(record[key]) for key in ("reference", "unfitted", "value")]
            lines.append([f"`{what.removeprefix('held-out/')}`", record["unit"], *numbers])
    titles = ["", "unit", "logs", "before", "fitted"]
    return table(f"calibrate-tractor-{name}", titles, lines, numbers=range(2, 5), note="")


def _estimate(record: Record) -> str:
    return f"{short(record['value'])} ({short(record['low'])} to {short(record['high'])})"


TABLES: dict[str, Callable[[], str]] = {
    "calibrate-synthetic": synthetic,
    **{f"calibrate-tractor-{name}": lambda name=name: measured(name) for name in CLASSES},
}
