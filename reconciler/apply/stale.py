"""Why an action was not begun: what the plan expected of its subject and what was found, as sentences for people.

A verb has words of its own for the fields that it reads (`Verb.words`); what it has none for is told by its name. Called
by the executor when a precondition does not hold (law 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.action import Json
from reconciler.units import size_text

SHOWN = 4
NAMED = 3  # members of a list that are named; of a longer one the number


def stale(
    words: Mapping[str, str], expected: Mapping[str, Json], found: Mapping[str, Json] | None, since: str = "the plan"
) -> str:
    """`it changed since the plan: …`; "" when nothing did. `found` None: the subject is not there any more."""
    if found is None:
        return f"it changed since {since}: it is not there any more" if expected else ""
    told: dict[str, None] = {}  # in order, each once
    for field in sorted(expected.keys() | found.keys()):
        if expected.get(field) != found.get(field):
            told |= dict.fromkeys(_sentences(words, field, expected.get(field), found.get(field)))
    more = f"; and {len(told) - SHOWN} more differences" if len(told) > SHOWN else ""
    return f"it changed since {since}: {'; '.join(list(told)[:SHOWN])}{more}" if told else ""


def _sentences(words: Mapping[str, str], field: str, was: Json, now: Json) -> Iterator[str]:
    if field in words:
        yield words[field].format(was=_text(field, was), now=_text(field, now))
        return
    for path, one, other in _leaves(field, was, now):
        yield f"expected {path} {_text(path, one)}, found {_text(path, other)}"


def _leaves(path: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost members that differ."""
    if not (isinstance(was, dict) and isinstance(now, dict)):
        yield path.replace("_", " "), was, now
        return
    for key in sorted(was.keys() | now.keys()):
        if was.get(key) != now.get(key):
            yield from _leaves(f"{path}.{key}", was.get(key), now.get(key))


def _text(field: str, value: Json) -> str:
    """A value as people say it. What has no end in sight is counted."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and field.rpartition(".")[2].endswith(("bytes", "size")):
        return size_text(value)
    if isinstance(value, list):
        plain = all(isinstance(one, str | int) for one in value)
        return ", ".join(map(str, value)) if plain and len(value) <= NAMED else f"a list of {len(value)}"
    if isinstance(value, dict):
        return "something"
    return str(value)
