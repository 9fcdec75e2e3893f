"""What agents are told of events: texts by kind, from the recipient's point of view.

A folder of texts is the registry: the file `surge.txt` holds the wordings of kind `surge`, one a line, under the
headings `# train` and `# heldout`. An event of kind `x` is told as `x` in its own cell and as `neighbour-x` around it;
where there is no `neighbour-x`, it is told as `x` to everybody (`chatter` is nobody's in particular).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from ranpilot.errors import UnknownNameError
from ranpilot.twin.scenario import Split

__all__ = ["kinds", "neighbour_kind", "text_kind", "wordings"]

NEIGHBOUR = "neighbour-"
SUFFIX = ".txt"


@cache
def kinds() -> tuple[str, ...]:
    """Every kind that has wordings, sorted."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)))


def wordings(kind: str, split: Split) -> tuple[str, ...]:
    """The wordings of a kind that a split uses; no text is in both. Raises UnknownNameError for an unknown kind."""
    return _read(kind)[split]


def neighbour_kind(kind: str) -> str:
    """The kind under which cells around an event of that kind are told of it."""
    return NEIGHBOUR + kind if NEIGHBOUR + kind in kinds() else kind


def text_kind(text: str) -> str:
    """The kind that a wording of either split belongs to. Raises UnknownNameError for a text that is none."""
    found = _kind_of_text().get(text)
    if found is None:
        raise UnknownNameError("announcement", text, kinds())
    return found


@cache
def _read(kind: str) -> Mapping[Split, tuple[str, ...]]:
    if kind not in kinds():
        raise UnknownNameError("kind of announcement", kind, kinds())
    text = (files(__name__) / f"{kind}{SUFFIX}").read_text(encoding="utf-8")
    _, train, heldout = text.replace("# heldout\n", "# train\n").split("# train\n")
    return {"train": tuple(train.splitlines()), "heldout": tuple(heldout.splitlines())}


@cache
def _kind_of_text() -> Mapping[str, str]:
    return {text: kind for kind in kinds() for texts in _read(kind).values() for text in texts}
