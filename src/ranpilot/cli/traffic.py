"""Captures to traffic models: fit, replay."""

from __future__ import annotations

from pathlib import Path

from ranpilot.cli.console import say
from ranpilot.cli.options import Command, File, JsonFile

__all__ = ["COMMANDS"]


def fit(
    capture: File, /, out: Path | None = None, phone: str | None = None, cut_idle_s: float | None = None,
    json_file: JsonFile = None,
) -> None:  # fmt: skip
    """Fit a traffic model to a capture and print how well it reproduces it.

    Args:
        capture: a pcap, pcapng or CSV file of packets.
        out: write the model to this JSON file.
        phone: IP address whose packets are the downlink.
        cut_idle_s: shorten silences above this many seconds.
        json_file: write the comparison to this file.
    """
    from ranpilot.runs import write_json
    from ranpilot.twin.traffic.capture import PHONE
    from ranpilot.twin.traffic.fit import fit_capture

    report = fit_capture(capture, phone=phone or PHONE, cut_idle_s=cut_idle_s, out=out)
    say(report.table())
    if json_file:
        write_json(json_file, report.values())
    if report.path:
        say(f"model: {report.path}")


def replay(capture: File, /, out: Path, phone: str | None = None, cut_idle_s: float | None = None) -> None:
    """Check a capture and turn its downlink into the replay format.

    Args:
        capture: a pcap, pcapng or CSV file of packets.
        out: the .npz file to write.
        phone: IP address whose packets are the downlink.
        cut_idle_s: shorten silences above this many seconds.
    """
    from ranpilot.twin.traffic.capture import PHONE
    from ranpilot.twin.traffic.replay_file import replay_capture

    say(replay_capture(capture, out, phone=phone or PHONE, cut_idle_s=cut_idle_s).table())


COMMANDS: dict[str, Command] = {"fit": fit, "replay": replay}
