"""Announcements on their way into a prompt: one clean line in front of the state words, nothing where there is none.

A notice is written by people outside. It is data: cleaned of everything that a model or the prompt itself could take
for structure, it stands on a line of its own, which it cannot leave, and the state words follow on the next.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["MOST_CHARACTERS", "SPECIAL", "clean_notice", "notice_part"]

MOST_CHARACTERS = 200

SPECIAL = re.compile(r"[<>|\[\]{}\\`]")
"""Characters without which no special token (`<|im_start|>`, `</s>`, `[INST]`) and no arrow `->` can be written."""

MARK = "Event:"
"""What the line of a notice begins with."""


def clean_notice(text: str) -> str:
    """The text as one line of at most 200 characters, without control and special tokens; empty where nothing is left.

    Look-alikes count as what they look like (compatibility form NFKC). Characters outside the alphabets (control,
    format, private use, surrogates) become blanks, and runs of blanks become one.
    """
    plain = unicodedata.normalize("NFKC", text)
    printable = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in plain)
    words = SPECIAL.sub(" ", printable).split()
    return " ".join(words)[:MOST_CHARACTERS].rstrip()


def notice_part(text: str) -> str:
    """What fills the field `{notice}` of a prompt: a line with the clean notice, or nothing at all."""
    clean = clean_notice(text)
    return f"{MARK} {clean}\n" if clean else ""
