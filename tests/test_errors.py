"""Every error says in one sentence where, what and what is allowed."""

from __future__ import annotations

import pytest

from ranpilot import errors
from ranpilot.errors import (
    ActionError,
    CheckpointError,
    ConfigError,
    IdentificationError,
    MissingExtraError,
    ModelOutputError,
    RanpilotError,
    TraceError,
    UnknownNameError,
)

GOLDEN: list[tuple[RanpilotError, str]] = [
    (
        ConfigError("carrier.subcarrier_spacing_khz", 20, "one of 15, 30, 60, 120", source="cells.yaml:14"),
        "cells.yaml:14: carrier.subcarrier_spacing_khz = 20, but must be one of 15, 30, 60, 120.",
    ),
    (
        TraceError("capture.csv", 7, "Time = 'x'", "a number of seconds"),
        "capture.csv:7: Time = 'x', but must be a number of seconds.",
    ),
    (CheckpointError("run/a.npz", "is cut short", "delete it"), "run/a.npz: is cut short; delete it."),
    (ActionError("shape", (2, 3), "(2, 2)"), "action: shape = (2, 3), but must be (2, 2)."),
    (
        IdentificationError("speed", "kpm.csv", "it holds no KPM that does", "it would have to hold SINR"),
        "kpm.csv cannot tell speed: it holds no KPM that does; it would have to hold SINR.",
    ),
    (
        UnknownNameError("traffic model", "xr-frame", ["poisson", "xr-frames"]),
        "No traffic model is called 'xr-frame'; did you mean 'xr-frames' (known: poisson, xr-frames).",
    ),
    (UnknownNameError("task", "zzz", ["slicing"]), "No task is called 'zzz' (known: slicing)."),
    (
        MissingExtraError("torch", "The embedded model", "pip install 'ranpilot[llm]'"),
        "The embedded model needs torch, which is not installed; get it with: pip install 'ranpilot[llm]'",
    ),
    (ModelOutputError("{", "no JSON"), "model answer '{': no JSON."),
]


@pytest.mark.parametrize(("error", "sentence"), GOLDEN, ids=lambda value: type(value).__name__)
def test_error_is_one_golden_sentence(error: RanpilotError, sentence: str) -> None:
    assert str(error) == sentence


def test_every_error_is_a_ranpilot_error() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(classes) == 14
    assert all(issubclass(cls, RanpilotError) for cls in classes)
