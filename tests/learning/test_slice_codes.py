"""The table of codes: rows by text, one encoding each, made anew, kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ranpilot.errors import ConfigError  # noqa: E402
from ranpilot.learning.slice_codes import SliceCodes  # noqa: E402

from .toy_slices import ToySlices  # noqa: E402


class Encoder:
    def __init__(self) -> None:
        self.factor, self.asked = 1.0, []

    def __call__(self, texts) -> np.ndarray:
        self.asked.append(tuple(texts))
        return self.factor * np.array([[float(len(text))] for text in texts])


def test_a_text_is_encoded_once_whatever_its_id() -> None:
    encoder = Encoder()
    codes = SliceCodes(1, encoder)
    obs = ToySlices(2).observation
    first = codes.rows(obs)
    turned = replace(
        obs,
        texts=("new one", *obs.texts[::-1]),
        slice_text_ids=np.where(obs.slice_text_ids >= 0, 3 - obs.slice_text_ids, -1),
    )
    np.testing.assert_array_equal(codes.rows(turned), first)
    assert encoder.asked == [("low", "middle", "high"), ("new one",)]
    assert codes.table[:, 0].tolist() == [0.0, 3.0, 6.0, 4.0, 7.0]
    assert (first[obs.slice_text_ids < 0] == 0).all()


def test_made_anew_the_same_rows_hold_the_new_codes() -> None:
    encoder = Encoder()
    codes = SliceCodes(1, encoder)
    rows = codes.rows(ToySlices(2).observation)
    encoder.factor = 10.0
    codes.refresh()
    assert codes.table[:, 0].tolist() == [0.0, 30.0, 60.0, 40.0]
    np.testing.assert_array_equal(codes.rows(ToySlices(2).observation), rows)


def test_kept_codes_are_not_encoded_again() -> None:
    codes, encoder = SliceCodes(1, Encoder()), Encoder()
    rows = codes.rows(ToySlices(2).observation)
    other = SliceCodes(1, encoder)
    other.restore(codes.arrays())
    np.testing.assert_array_equal(other.rows(ToySlices(2).observation), rows)
    assert encoder.asked == []
    assert torch.equal(other.table, codes.table)


def test_codes_of_a_wrong_shape_are_refused() -> None:
    codes = SliceCodes(2, Encoder())
    with pytest.raises(ConfigError, match=r"encode\(texts\) = \(3, 1\), but must be numbers of shape \(3, 2\)"):
        codes.rows(ToySlices(1).observation)
