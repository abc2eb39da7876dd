"""The whole document as JSON Schema (draft 2020-12), from the models that `load` validates with. For `arr schema`.

Editors complete and check with it; what only a loader sees (references, overlaps, twice the same name) stays `load`'s.
`with_header` puts the line into a file by which the YAML language server finds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from reconciler.action import Json
from reconciler.address import NAME
from reconciler.connection import App
from reconciler.desired.document import HERE
from reconciler.desired.shape import shapes_of
from reconciler.desired.shared import PROTECT, Place
from reconciler.kind import Kind
from reconciler.stack import Disk, Guards

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_HEADER = re.compile(r"^#\s*yaml-language-server:\s*\$schema=.*$", re.M)

SECTIONS = {
    "connections": "The servers of the stack, by name. `app` says which program answers there.",
    "disks": "The disks that the apps fill, by name, and which root folders lie on each.",
    "paths": "Which folders are the same place: as each connection sees it, and as this machine (`here`) does.",
    "protect": "What nothing may destroy: `tvdb:280619`, `tmdb:603`, `imdb:tt0903747`, `tag:arr-protect`, `label:keep`, "
    "`torrent:<its hash>`, or a full path.",
    "guards": "Limits that a plan must pass before it may be applied.",
}


def summary(kind: Kind[Any]) -> str:
    """What a kind is for: the first paragraph of its docstring, else of its spec's."""
    text = (type(kind).__doc__ or kind.Spec.__doc__ or "").strip()
    return " ".join(text.split("\n\n")[0].split())


def schema(kinds: Mapping[str, Kind[Any]], apps: Mapping[str, App]) -> dict[str, Json]:
    """The schema of one file of the desired state; every section may be left out."""
    usable = {name: app for name, app in sorted(apps.items()) if name != HERE}
    models: list[type[BaseModel]] = [Disk, Guards, Place]
    models += [*(a.Spec for a in usable.values()), *(kinds[k].Spec for k in sorted(kinds))]
    refs, defs = shapes_of(models)
    sections: dict[str, Json] = {
        "connections": _named(_connection({name: refs[app.Spec] for name, app in usable.items()})),
        "disks": _named(refs[Disk]),
        "paths": {"type": ["array", "null"], "items": refs[Place]},
        "protect": {"type": ["array", "null"], "items": {"type": "string", "pattern": PROTECT}},
        "guards": {"anyOf": [refs[Guards], {"type": "null"}]},
    }
    for name, text in SECTIONS.items():
        sections[name]["description"] = text
    for name in sorted(kinds):
        sections[name] = _named({"anyOf": [refs[kinds[name].Spec], {"type": "null"}]}) | {
            "description": summary(kinds[name])
        }
    return {
        "$schema": _DRAFT,
        "title": "Desired state of a media stack",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": sections,
        "$defs": defs,
    }


def _named(value: Json) -> dict[str, Json]:
    names = {"pattern": NAME.pattern}
    return {"type": ["object", "null"], "propertyNames": names, "additionalProperties": value}


def _connection(specs: Mapping[str, Json]) -> dict[str, Json]:
    """`app` selects the fields. A condition per app, not a choice of all: an error then speaks of one app only."""
    app = {"enum": list(specs), "description": "Which program answers there."}
    return {
        "type": "object",
        "required": ["app"],
        "properties": {"app": app},
        "allOf": [
            {"if": {"properties": {"app": {"const": name}}, "required": ["app"]}, "then": ref}
            for name, ref in specs.items()
        ],
    }


def with_header(text: str, relative_path: str) -> str:
    """`text` with the line that names its schema, at the top; a line that stands there already is brought up to date."""
    line = f"# yaml-language-server: $schema={relative_path}"
    if _HEADER.search(text):
        return _HEADER.sub(lambda _: line, text, count=1)
    return f"{line}\n{text}"
