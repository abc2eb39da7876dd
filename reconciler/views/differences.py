"""What an action changes, as lines for people: `path: /tv1/Fargo → /tv2/Fargo`.

Used by every rendering of an action. deepdiff finds what differs inside nested settings; it decides nothing: what to
change was settled by the kind, by declared fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.action import Action, Json

NOTHING = "nothing"
_STEP = re.compile(r"\['((?:[^'\\]|\\.)*)'\]|\[\"([^\"]*)\"\]|\[(\d+)\]")


def differences(action: Action) -> list[str]:
    """One text per changed field. A path that moves needs no name before it: `/tv1/Fargo → /tv2/Fargo`."""
    before, after = action.before, action.after
    if before.keys() == after.keys() == {"path"}:
        return [f"{before['path']} → {after['path']}"] if before["path"] != after["path"] else []
    return [_line(field, old, new) for field, old, new in changed(before, after)]


def changed(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[tuple[str, Json, Json]]:
    """(field, old, new) of everything that differs, by field; None stands for "not there"."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if type(old) is type(new) and isinstance(old, (dict, list)):
            yield from _inside(key, old, new)
        elif old != new:
            yield key, old, new


def _inside(key: str, old: Json, new: Json) -> Iterator[tuple[str, Json, Json]]:
    from deepdiff import DeepDiff  # noqa: PLC0415  # costs start-up time, and most plans have no nested settings

    found = DeepDiff(old, new, ignore_numeric_type_changes=True, verbose_level=2)
    rows: list[tuple[str, Json, Json]] = []
    for sort, entries in found.items():
        for path, entry in entries.items():
            rows.append((key + _path(path), *_sides(sort, entry)))
    yield from sorted(rows, key=lambda row: row[0])


def _sides(sort: str, entry: Any) -> tuple[Json, Json]:
    if sort.endswith("_added"):
        return None, entry
    if sort.endswith("_removed"):
        return entry, None
    return entry["old_value"], entry["new_value"]


def _path(path: str) -> str:
    """`root['fields'][3]['value']` → `.fields[3].value`."""
    return "".join(f"[{m[3]}]" if m[3] is not None else f".{m[1] or m[2] or ''}" for m in _STEP.finditer(path))


def _line(field: str, old: Json, new: Json) -> str:
    if old is None:
        return f"{field}: {_value(new)}"
    return f"{field}: {_value(old)} → {NOTHING if new is None else _value(new)}"


def _value(value: Json) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
