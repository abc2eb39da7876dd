"""What `arr explain` says about a section, a kind, an app or any field below: from docstrings and field descriptions.

Data only: `views` renders it. A path is dotted, as `disk_fill.moves.per_run`, `disks.max`, `connections.sonarr.api_key`;
names that the user gives (of a resource, a disk) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.action import Json
from reconciler.connection import App
from reconciler.desired.document import HERE
from reconciler.desired.guess import Guesser
from reconciler.desired.scaffold import flow
from reconciler.desired.schema import SECTIONS, summary
from reconciler.desired.shape import Shape, shape_of
from reconciler.errors import UsageError
from reconciler.kind import Kind
from reconciler.stack import Disk, Guards


@dataclass(frozen=True)
class Explained:
    """One thing that can be written.

    `path`         as asked for, dotted; "" is the whole document.
    `name`         its last part.
    `type`         in words, as `size, as 500 GB`.
    `default`      as it would be written, or None when there is none.
    `description`  one or more sentences.
    `children`     what may stand below it, one level, without children of their own: what is required comes first.
    """

    path: str
    name: str
    type: str
    required: bool
    default: str | None
    description: str
    children: tuple[Explained, ...] = ()


def explain(path: str, kinds: Mapping[str, Kind[Any]], apps: Mapping[str, App]) -> Explained:
    """Explain a dotted path. UsageError, with a did-you-mean, when there is no such thing."""
    roots = _roots(kinds, apps)
    head, *rest = path.split(".") if path else [""]
    if not head:
        children = tuple(_bare(name, name, made) for name, made in roots.items())
        return Explained(
            "", "", "mapping", True, None, "The desired state: sections, in any number of files.", children
        )
    here = roots.get(head)
    if here is None:
        raise UsageError(f"there is nothing called {head} to explain", Guesser().hint(head, roots))
    at = head
    for part in rest:
        known = _below(here)
        if part not in known:
            raise UsageError(f"{at} has no field {part}", Guesser().hint(part, known, f"{at} has no fields"))
        here, at = known[part], f"{at}.{part}"
    return _explained(at, here)


class _Section(Shape):
    """A section as a place whose fields are given, not read off a schema."""

    @property
    def fields(self) -> dict[str, Shape]:
        return dict(self.defs)

    def words(self) -> str:
        return str(self.own["words"])


def _roots(kinds: Mapping[str, Kind[Any]], apps: Mapping[str, App]) -> dict[str, Shape]:
    usable = {name: app for name, app in sorted(apps.items()) if name != HERE}
    connections = {name: shape_of(app.Spec) for name, app in usable.items()}
    roots: dict[str, Shape] = {
        "connections": _section("connections", "mapping of name to connection; its fields by app", connections),
        "disks": _section("disks", "mapping of name to disk", shape_of(Disk).fields),
        "paths": _section("paths", "list of mappings of connection (or here) to folder", {}),
        "protect": _section("protect", "list of text", {}),
        "guards": _section("guards", "mapping", shape_of(Guards).fields),
    }
    for name in sorted(kinds):
        own = {"description": summary(kinds[name]), "words": "mapping of name to what is wanted"}
        roots[name] = _Section(own, shape_of(kinds[name].Spec).fields)
    return roots


def _section(name: str, words: str, fields: Mapping[str, Shape]) -> Shape:
    return _Section({"description": SECTIONS[name], "words": words}, fields)


def _explained(path: str, shape: Shape) -> Explained:
    below = (_bare(f"{path}.{name}", name, field) for name, field in _below(shape).items())
    children = tuple(sorted(below, key=lambda child: not child.required))
    bare = _bare(path, path.rpartition(".")[2], shape)
    return Explained(path, bare.name, bare.type, bare.required, bare.default, bare.description, children)


def _below(shape: Shape) -> dict[str, Shape]:
    """The fields of a place; of a mapping of names or a list, those of what stands in it."""
    return shape.fields or (shape.values.fields if shape.values else {})


def _bare(path: str, name: str, shape: Shape) -> Explained:
    default = _said(shape.own.get("default"))
    written = None if default is None else flow(default)
    return Explained(path, name, shape.words(), shape.required, written, shape.description)


def _said(default: Json) -> Json:
    """A default without its parts that say nothing."""
    if not isinstance(default, dict):
        return default
    parts = {name: _said(value) for name, value in default.items()}
    return {name: value for name, value in parts.items() if value is not None} or (None if default else {})
