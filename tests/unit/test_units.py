"""Sizes, ages and percents: what no disk and no calendar holds is refused in words, and what is told reads back exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.units import age_exact, parse_age, parse_percent, parse_size, size_exact

ABSURD = "9" * 250
ENDLESS = "9" * 10_000_000  # a pattern that tried it would take seconds


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (parse_size, f"{ABSURD} TB", "more than 1000 PB"),
        (parse_size, "1001 PB", "more than 1000 PB"),
        (parse_age, f"{ABSURD}d", "more than a hundred years"),
        (parse_age, "6000w", "more than a hundred years"),
        (parse_percent, f"{ABSURD}%", "more than 100%"),
        (parse_size, ABSURD, "is not a size"),
        (parse_size, f"{ENDLESS} TB", "is not a size"),
        (parse_age, f"{ENDLESS}d", "is not an age"),
        (parse_percent, f"{ENDLESS}%", "is not a percentage"),
    ],
    ids=lambda value: value.__name__ if callable(value) else value[:12],
)
def test_an_absurd_number_is_refused_in_a_few_words(parse: Callable[[str], Any], text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse(text)
    assert len(str(caught.value)) < 150


def test_what_is_large_and_real_reads_back() -> None:
    for size in (0, 8_001_563_222_017, 10**18):
        assert parse_size(size_exact(size)) == size
    assert parse_age(age_exact(100 * 365 * 86400)) == 100 * 365 * 86400
