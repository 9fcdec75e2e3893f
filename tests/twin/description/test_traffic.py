"""The mix of traffic: a common scale for every kind that has a rate, and room in the queue for what comes at once."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ranpilot.errors import ConfigError
from ranpilot.twin.description.traffic import Traffic
from ranpilot.twin.traffic import make_model
from ranpilot.validation import as_config_error

SCALED = (
    {"kind": "ftp-3"},
    {"kind": "mmtc-bursts", "burst_s": 2.0},
    {"kind": "periodic"},
    {"kind": "poisson"},
    {"kind": "urllc"},
    {"kind": "video", "peak_rate_bps": 1e8},
    {"kind": "xr-frames"},
    {"kind": "fitted", "profile": "urllc"},
)


def refused(values: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        Traffic.model_validate(values)
    error = as_config_error(caught.value, Traffic)
    assert isinstance(error, ConfigError)
    return str(error)


@pytest.mark.parametrize("model", SCALED, ids=[str(model["kind"]) for model in SCALED])
def test_the_rate_of_every_kind_with_a_rate_is_multiplied(model: dict[str, Any]) -> None:
    mix = [{"share": 1.0, **model}]
    plain = Traffic(mix=mix, buffer_packets=4096)
    doubled = Traffic(mix=mix, buffer_packets=4096, rate_scale=2.0)
    rates = [make_model(traffic.models()[0], 1e-3).mean_rate_bps for traffic in (plain, doubled)]
    assert rates[1] == pytest.approx(2.0 * rates[0])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            {"kind": "video", "mean_rate_bps": 10e6},
            "rate_scale = 2.0, but must be such that mean_rate_bps (1e+07) times it can be used for traffic 'video'.",
        ),
        (
            {"kind": "mmtc-bursts"},
            "rate_scale = 2.0, but must be such that period_s (10) divided by it can be used for traffic"
            " 'mmtc-bursts'.",
        ),
        ({"kind": "full-buffer"}, "rate_scale = 2.0, but must be 1 where a kind of traffic is 'full-buffer'."),
    ],
)
def test_a_scale_that_a_kind_cannot_follow_is_refused(model: dict[str, Any], message: str) -> None:
    assert refused({"mix": [model], "rate_scale": 2.0, "buffer_packets": 8192}) == message


@pytest.mark.parametrize(("kind", "packets"), [("ftp-3", 334), ("video", 1334), ("xr-frames", 63)])
def test_a_queue_must_have_room_for_a_file_a_frame_or_a_segment(kind: str, packets: int) -> None:
    assert Traffic(mix=[{"kind": kind}], buffer_packets=packets).buffer_packets == packets
    assert refused({"mix": [{"kind": kind}], "buffer_packets": packets - 1}) == (
        f"buffer_packets = {packets - 1}, but must be at least {packets}, which traffic '{kind}' sends in one burst."
    )
