"""The wish: what a resource asks for, as JSON, and how it differs from the wish last acted on.

Drift is told apart from a changed wish by comparing these two. Only what was written counts (defaults that a later
version changes are not an edit), plus the parts of shared sections that the kind says belong to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.action import Json
from reconciler.kind import Kind, Resource
from reconciler.plan.model import Change


def wish_of(kind: Kind[Any], resource: Resource[Any]) -> dict[str, Json]:
    """`{"spec": …, "shared": …}`: sizes, ages and percents as exact text; no secret can be in it (specs hold none)."""
    written = resource.spec.model_dump(mode="json", exclude_unset=True)
    written.pop("paused", None)  # a pause is no change of what is wanted
    return {"spec": written, "shared": kind.refers_to(resource)}


def changes(resource: Resource[Any], before: dict[str, Json], after: dict[str, Json]) -> tuple[Change, ...]:
    """Every edited field: where it stands now, its dotted name, old and new text. Sorted by name."""
    return tuple(sorted(_changes(resource, before, after), key=lambda c: c.field))


def _changes(resource: Resource[Any], before: dict[str, Json], after: dict[str, Json]) -> Iterator[Change]:
    from deepdiff import DeepDiff  # noqa: PLC0415  # a tenth of the start-up of every command, and few wishes were edited

    diff = DeepDiff(before, after, view="tree", ignore_type_in_groups=[(list, tuple)])
    for group in diff.values():
        for item in group:
            section, *path = [str(p) for p in item.path(output_format="list")]
            name = ".".join(path) or section
            marks = resource.stack.marks if section == "shared" else resource.marks
            yield Change(where=_where(marks, path), field=name, before=_text(item.t1), after=_text(item.t2))


def _where(marks: Any, path: list[str]) -> str:
    """The nearest place that is still written: a field that was removed has only its parent's."""
    for end in range(len(path), -1, -1):
        mark = marks.get(".".join(path[:end]))
        if mark is not None:
            return f"{mark.file}:{mark.line}"
    return ""


def _text(value: Any) -> str:
    if repr(value) == "not present":
        return "(nothing)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_text(v)}" for k, v in value.items()) + "}"
    return str(value)
