"""Networks that run for a while uncontrolled, written down as they go."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ranpilot.errors import ConfigError
from ranpilot.experiments.kpm_files import open_period_file
from ranpilot.experiments.picture_files import check_picture_path, save_picture
from ranpilot.experiments.recording_views import draw_recording
from ranpilot.runs import Progress, SilentProgress, StopRequest
from ranpilot.twin.recording import Period, Recording, check_times, record

if TYPE_CHECKING:
    from ranpilot.twin.scenario import Scenario

__all__ = ["run_networks"]


def run_networks(  # noqa: PLR0913  # one option each, the same as on the command line
    scenario: Scenario, *, seconds: float = 10.0, num_networks: int = 8, seed: int = 0, period_s: float = 1.0,
    warm_up_s: float = 1.0, picture: Path | None = None, kpms: Sequence[Path] = (), histograms: bool = False,
    progress: Progress | None = None,
) -> Recording:  # fmt: skip
    """Run and record networks; every period goes to the files `kpms` as it ends, with `histograms` where wanted.

    The picture is drawn at the end. Ctrl-C is a request to end at the next period; the recording then holds what was
    simulated until there. Raises ConfigError for a time that does not fit or a file whose ending says nothing,
    MissingExtraError for a Parquet file without pyarrow.
    """
    if picture is not None:
        check_picture_path(picture)
    if histograms and not kpms:
        raise ConfigError("histograms", histograms, "given together with a file for KPMs")
    progress = progress or SilentProgress()
    _, _, periods = check_times(scenario, seconds, period_s, warm_up_s)
    progress.expect(periods, 0)
    with ExitStack() as opened:
        stop = opened.enter_context(StopRequest())
        names = [cell.name for cell in scenario.cells]
        about = {
            "scenario": scenario.name, "scenario_hash": scenario.hash(), "load": scenario.load, "seed": seed,
            "networks": num_networks, "warm_up_s": warm_up_s, "period_s": period_s,
        }  # fmt: skip
        files = [opened.enter_context(open_period_file(path, names, about)) for path in kpms]

        def keep(period: Period) -> bool:
            for file in files:
                file.write(period)
            progress.advance(1, f"{period.end_s:g} s simulated")
            return not stop.requested

        found = record(
            scenario, seconds=seconds, num_networks=num_networks, seed=seed, period_s=period_s, warm_up_s=warm_up_s,
            histograms=histograms, each=keep,
        )  # fmt: skip
    if picture is not None:
        save_picture(draw_recording(found), f"KPMs of {found.scenario} over time", picture)
    return found
