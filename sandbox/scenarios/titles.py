"""Invented titles that sound like a library: no two alike, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

_SHAPES = ("{a} {b}", "The {a} {b}", "{b} of {c}", "The {b} at {c} {d}", "{a} {b}")


def invented(seed: int) -> Iterator[str]:
    """Titles without end, of the words in `words.txt` (first words, things, places); a title comes once only."""
    groups = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split("\n\n")
    first, things, places = (group.split() for group in groups)
    chance = random.Random(seed)
    seen: set[str] = set()
    while True:
        made = chance.choice(_SHAPES).format(
            a=chance.choice(first), b=chance.choice(things), c=chance.choice(places), d=chance.choice(things)
        )
        if made.lower() not in seen:
            seen.add(made.lower())
            yield made
