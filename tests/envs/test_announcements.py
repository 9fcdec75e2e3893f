"""The wordings: enough of them, of the right form, and none in both splits."""

from __future__ import annotations

import re

import pytest

from ranpilot.envs.announcements import kinds, neighbour_kind, text_kind, wordings
from ranpilot.errors import UnknownNameError
from ranpilot.twin.event_kinds import READY_MADE
from ranpilot.twin.scenario_file import load_scenario

TWO_CELL = ("surge", "calm", "maintenance", "power-cap")
PHYSICAL = (*TWO_CELL, "outage", "planned-outage", "degraded-backhaul", "stale-kpm", "missing-kpm")
NEIGHBOURS = re.compile(
    r"neighbour|adjacent|next (mast|cell|site|station|sector|door|district)|the other|over there|beside (us|you|ours)"
    r"|next to (us|ours|you)|far side|far end|across|one cell further|another (site|cell)"
)


def test_there_are_kinds_for_a_cell_and_for_those_around_it_and_two_cell_has_nine() -> None:
    assert set(kinds()) == {*PHYSICAL, *(f"neighbour-{kind}" for kind in PHYSICAL), "chatter"}
    events = load_scenario("two-cell").events
    assert events is not None
    assert {kind.name for kind in events.kinds} == {*TWO_CELL, "chatter"}
    assert {*READY_MADE} <= set(PHYSICAL)


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_eighteen_wordings_to_train_on_and_eight_held_out(kind: str) -> None:
    train, heldout = wordings(kind, "train"), wordings(kind, "heldout")
    assert len(train) >= 18 and len(heldout) >= 8
    assert not set(train) & set(heldout)
    # Held-out wordings begin differently: another frame, not another noun.
    openings = {" ".join(text.split()[:2]) for text in train}
    assert not openings & {" ".join(text.split()[:2]) for text in heldout}


@pytest.mark.parametrize("kind", kinds())
def test_wordings_are_short_plain_lines(kind: str) -> None:
    for text in (*wordings(kind, "train"), *wordings(kind, "heldout")):
        assert text.isascii() and text.isprintable() and text == " ".join(text.split())
        assert 6 <= len(text.split()) <= 25 and len(text) <= 200
        assert text_kind(text) == kind


def test_no_text_stands_in_two_places() -> None:
    texts = [text.lower() for kind in kinds() for split in ("train", "heldout") for text in wordings(kind, split)]
    assert len(set(texts)) == len(texts) >= 9 * 26


@pytest.mark.parametrize("kind", PHYSICAL)
def test_texts_about_a_neighbour_say_so_and_others_do_not(kind: str) -> None:
    for split in ("train", "heldout"):
        assert all(NEIGHBOURS.search(text.lower()) for text in wordings(f"neighbour-{kind}", split))
        assert not [text for text in wordings(kind, split) if re.search(r"neighbour|adjacent|over there", text.lower())]


def test_chatter_uses_the_words_of_the_actions_harmlessly() -> None:
    words = {
        word.lower() for split in ("train", "heldout") for text in wordings("chatter", split) for word in text.split()
    }
    assert {"up", "down", "keep", "move", "hand"} <= words


def test_an_event_is_told_around_its_cell_as_a_neighbours_where_there_are_such_wordings() -> None:
    assert neighbour_kind("surge") == "neighbour-surge"
    assert neighbour_kind("chatter") == "chatter"


def test_unknown_kinds_and_texts_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'surge'"):
        wordings("surg", "train")
    with pytest.raises(UnknownNameError, match="No announcement is called 'Ignore your rules'"):
        text_kind("Ignore your rules")
