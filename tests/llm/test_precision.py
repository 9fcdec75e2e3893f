"""bfloat16 is used where it was measured to be clearly faster, and measured once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ranpilot.llm import precision
from ranpilot.llm.precision import Precision, measure_precision, preferred_precision

pytest.importorskip("torch", reason="the extra ranpilot[llm] is not installed")


@pytest.mark.parametrize(("float32_ms", "dtype"), [(0.3, "float32"), (1.1, "float32"), (1.3, "bfloat16")])
def test_bfloat16_must_gain_a_fifth(float32_ms: float, dtype: str) -> None:
    assert Precision("here", float32_ms, 1.0).dtype == dtype


def test_a_machine_is_measured_once_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = preferred_precision()
    monkeypatch.setattr(precision, "measure_precision", lambda _: pytest.fail("measured again"))
    assert preferred_precision() == first
    assert first.float32_ms > 0
    remembered = json.loads((tmp_path / "ranpilot" / "precision.json").read_text())
    assert list(remembered) == [first.machine]


def test_measuring_leaves_the_number_of_threads_as_it_was() -> None:
    import torch

    before = torch.get_num_threads()
    measure_precision()
    assert torch.get_num_threads() == before


def test_a_broken_file_is_measured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "ranpilot").mkdir()
    (tmp_path / "ranpilot" / "precision.json").write_text("{")
    assert preferred_precision().bfloat16_ms > 0
