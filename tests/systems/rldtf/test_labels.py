"""Labels: common random numbers, exact repetition, resumption, and announcements shortly before their event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranpilot.envs.announcements import text_kind
from ranpilot.errors import CheckpointError, ConfigError, UnknownNameError
from ranpilot.systems.rldtf import labels as module
from ranpilot.systems.rldtf.choices import Ground
from ranpilot.systems.rldtf.config import FOCUS, label_config
from ranpilot.systems.rldtf.labels import label_chunk, make_labels

UP, DOWN, KEEP, MOVE = range(4)


def config(**changes: Any) -> Any:
    return label_config("aura-paper", load="high", **({"networks": 8, "picks": 2} | changes))


def test_actions_that_do_the_same_have_the_same_return_on_every_draw(paper: Ground) -> None:
    """At the least power `down` does what `keep` does; elsewhere it does not."""
    labels = paper.labels
    power = labels.local[np.arange(len(labels)), labels.agent, 0]
    lowest = power == 0
    assert 5 < lowest.sum() < len(labels)
    np.testing.assert_array_equal(labels.returns[lowest, DOWN], labels.returns[lowest, KEEP])
    assert (labels.returns[~lowest, DOWN] != labels.returns[~lowest, KEEP]).any(axis=1).mean() > 0.9


def test_draws_differ_and_no_label_has_an_event_called_off_where_nothing_is_announced(paper: Ground) -> None:
    labels = paper.labels
    assert (labels.returns.std(axis=2) > 0).mean() > 0.9
    assert np.isnan(labels.returns_calm).all()
    assert not labels.has_notice.any()
    np.testing.assert_array_equal(labels.mean, labels.mean_calm)


def test_a_chunk_depends_on_its_settings_and_number_alone() -> None:
    first = label_chunk(config(), 1)
    assert label_chunk(config(), 1).hash() == first.hash()
    others = [label_chunk(config(), 0), label_chunk(config(seed=1), 1), label_chunk(config(split="heldout"), 1)]
    assert len({first.hash(), *(other.hash() for other in others)}) == 4
    assert set(first.network) <= set(range(8, 16))


def test_more_draws_begin_with_the_same_draws() -> None:
    few, many = label_chunk(config(draws=2), 0), label_chunk(config(draws=6), 0)
    np.testing.assert_array_equal(few.returns, many.returns[:, :, :2])


def test_a_longer_hold_repeats_the_action() -> None:
    """Repeating `up` six times costs more power than once; the first step is the same state and futures."""
    once, held = label_chunk(config(), 0), label_chunk(config(hold_steps=6), 0)
    np.testing.assert_array_equal(once.local, held.local)
    assert (held.mean[:, UP] < once.mean[:, UP]).mean() > 0.7


def test_labels_are_read_again_and_an_interrupted_making_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_labels(config(), 40, tmp_path / "whole")

    def stop(so_far: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_labels(config(), 40, tmp_path / "cut", on_chunk=stop)
    assert make_labels(config(), 40, tmp_path / "cut").hash() == whole.hash()
    monkeypatch.setattr(module, "label_chunk", lambda *_: pytest.fail("it was made again"))
    assert make_labels(config(), 40, tmp_path / "cut").hash() == whole.hash()
    assert len(make_labels(config(), 20, tmp_path / "cut")) == 20


def test_chunks_of_other_settings_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    make_labels(config(), 10, tmp_path)
    with pytest.raises(CheckpointError):
        make_labels(config(seed=1), 10, tmp_path)
    (tmp_path / "chunk-0000.npz").write_bytes(b"no chunk")
    with pytest.raises(CheckpointError, match="is damaged"):
        make_labels(config(), 10, tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"draws": 1}, r"labels.draws = 1, but must be at least 2."),
        ({"hold_steps": 7}, r"labels.hold_steps = 7, but must be at most horizon_steps \(6\)."),
        ({"horizon": 3}, r"labels.horizon = 3, but must be left out"),
        ({"told": ()}, r"labels.told = \(\), but must be a list of at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        config(**changes)


def test_announced_states_are_taken_shortly_before_the_event_and_labelled_with_and_without_it() -> None:
    settings = {"networks": 6, "picks": 1, "draws": 2, "hold_steps": 2, "horizon_steps": 10}
    labels = label_chunk(label_config("two-cell", load="high", **settings), 0)
    told = labels.has_notice
    assert told.sum() >= 4
    assert (~told).sum() >= 2
    assert np.isfinite(labels.lead_s[told]).all()
    assert (labels.lead_s[told] > 0.5 - 0.2).all()
    assert (labels.lead_s[told] <= 1.5 + 1e-6).all()
    assert np.isfinite(labels.returns_calm[told]).all()
    assert np.isnan(labels.returns_calm[~told]).all()
    kinds = {text_kind(text) for text in labels.text[told]}
    assert len(kinds) > 1
    real = told & np.array([text_kind(text) != "chatter" if text else False for text in labels.text])
    assert (labels.returns[real] != labels.returns_calm[real]).any()


def test_a_focus_labels_nothing_but_its_announcements() -> None:
    settings = {"networks": 16, "picks": 0, "draws": 2, "hold_steps": 1, "horizon_steps": 1}
    labels = label_chunk(label_config("two-cell", load="high", told=FOCUS, **settings), 0)
    assert len(labels) >= 4
    assert {text_kind(text) for text in labels.text} == set(FOCUS)
    settings |= {"is_compared": False}
    again = label_chunk(label_config("two-cell", load="high", told=FOCUS, **settings), 0)
    assert np.array_equal(again.returns, labels.returns)
    assert np.isfinite(labels.returns_calm).all()
    assert np.isnan(again.returns_calm).all()
    with pytest.raises(UnknownNameError, match=r"No kind of announcement is called 'maintenances'; did you mean"):
        label_config("two-cell", told=("maintenances",))


def test_a_focus_on_what_is_never_told_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"labels.told = .*, but must be kinds that networks of 'aura-paper' are told"
    ):
        make_labels(label_config("aura-paper", load="high", networks=2, picks=0, told=FOCUS), 4, tmp_path)
