"""Did you mean: the nearest known word to one that is not known, within a budget, so that a broken file stays quick."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 12


class Guesser:
    """Hands out hints. `budget` is the number of words it may still compare with; after that it lists instead."""

    def __init__(self, budget: int = 50_000) -> None:
        self._budget = budget
        self._seen: dict[tuple[str, tuple[str, ...]], str | None] = {}  # the same slip is often made often

    def closest(self, word: str, known: Iterable[str]) -> str | None:
        """The known word nearest to `word`, or None."""
        words = tuple(dict.fromkeys(known))
        if (word, words) in self._seen:
            return self._seen[word, words]
        self._budget -= len(words)
        if self._budget < 0:
            return None
        by_lower = {w.lower(): w for w in reversed(words)}
        near = difflib.get_close_matches(word.lower()[:80], by_lower, n=1, cutoff=0.6)
        found = self._seen[word, words] = by_lower[near[0]] if near else None
        return found

    def hint(self, word: str, known: Iterable[str], none: str = "") -> str:
        """`did you mean 'max'?`, else the known words, else `none`."""
        words = list(dict.fromkeys(known))
        near = self.closest(word, words)
        if near is not None:
            return f"did you mean {near}?"
        if not words:
            return none
        more = f", … ({len(words)} in all)" if len(words) > _LISTED else ""
        return f"known: {', '.join(words[:_LISTED])}{more}"
