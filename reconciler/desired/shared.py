"""The shared sections of a document as values: connections by their app, disks, paths, protections, guards.

What is invalid is left out of the stack and named in `broken`, so that what refers to it is not blamed as well.
Called by `load`; how the sections refer to each other is `check`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError, field_validator

from reconciler.connection import App, ConnectionSpec, SecretRef
from reconciler.desired.document import HERE, Document, Problems, canonical, wish
from reconciler.desired.nodes import Entry, Map, Marks, Scalar, to_json
from reconciler.desired.secrets import is_secret
from reconciler.desired.shape import Shape, shape_of
from reconciler.desired.words import translate
from reconciler.stack import Disk, Guards, Stack

M = TypeVar("M", bound=BaseModel)

PROTECT = (
    r"^(tvdb:[1-9][0-9]*|tmdb:[1-9][0-9]*|imdb:tt[0-9]+|tag:.*\S|label:.*\S|torrent:[0-9a-f]{40}([0-9a-f]{24})?"
    r"|/.*|[A-Za-z]:[\\/].*)$"
)
_PROTECT = re.compile(PROTECT, re.DOTALL)
_SHORTEST = 4  # a shorter word is no secret worth hiding: it would garble every line
_ABSOLUTE = re.compile(r"^(/|[A-Za-z]:[\\/]|\\\\)")


def is_absolute(path: str) -> bool:
    """A full path, of Unix or of Windows (a server may run there)."""
    return _ABSOLUTE.match(path) is not None


class Place(RootModel[dict[str, str]]):
    """One folder under all its names: as each connection sees it, and as this machine does (`here`)."""

    @field_validator("root")
    @classmethod
    def _complete(cls, value: dict[str, str]) -> dict[str, str]:
        if len(value) < 2:
            raise ValueError(
                f"one name of a folder says nothing: give two or more, as {{{HERE}: /mnt/tv, sonarr: /tv}}"
            )
        wrong = next((f"{k}: {v}" for k, v in value.items() if not is_absolute(v)), None)
        if wrong:
            raise ValueError(f"{wrong} is not a full path: begin it with /")
        return value


@dataclass(frozen=True)
class Shared:
    """The stack as far as it is valid, and the names of connections and disks that are not."""

    stack: Stack
    broken: frozenset[str]


@cache
def shape_maker(model: type[BaseModel]) -> Callable[[], Shape]:
    """Builds the shape of a model when an error asks for it, once."""
    return cache(lambda: shape_of(model))


def validate(model: type[M], entry: Entry, problems: Problems, text: str | None = None) -> M | None:
    """The value of an entry, or None and its errors. Read as JSON, where a list is good for a tuple or a set alike."""
    try:
        return model.model_validate_json(wish(entry) if text is None else text, strict=True)
    except ValidationError as e:
        translate(e, entry, shape_maker(model), problems)
        return None


def shared_sections(document: Document, apps: Mapping[str, App], problems: Problems) -> Shared:
    """Validate every entry of the shared sections."""
    connections = {n: _connection(e, apps, problems) for n, e in sorted(document.names("connections").items())}
    disks = {n: validate(Disk, e, problems) for n, e in sorted(document.names("disks").items())}
    protected = [protection(e, problems) for e in document.listed.get("protect", ())]
    places = [validate(Place, e, problems) for e in document.listed.get("paths", ())]
    broken = {n for n, c in connections.items() if c is None} | {n for n, d in disks.items() if d is None}
    stack = Stack(
        connections={n: c for n, c in connections.items() if c is not None},
        disks={n: d for n, d in disks.items() if d is not None},
        paths=tuple(p.root for p in places if p is not None),
        protect=tuple(dict.fromkeys(item for item in protected if item is not None)),
        guards=_guards(document, problems),
        marks=Marks(document.shared()),
    )
    return Shared(stack, frozenset(broken))


def _connection(entry: Entry, apps: Mapping[str, App], problems: Problems) -> ConnectionSpec | None:
    known = sorted(name for name in apps if name != HERE)
    said = entry.child("app")
    app = apps.get(said.node.text) if said and isinstance(said.node, Scalar) and said.node.text in known else None
    if app is not None:
        return validate(app.Spec, entry, problems)
    if not isinstance(entry.node, Map):
        validate(ConnectionSpec, entry, problems)
    elif said is None:
        hint = f"app: one of {', '.join(known)}" if known else "no app is installed"
        problems.add(Entry(entry.source, entry.key, entry.node, f"{entry.path}.app"), "app is missing", hint, key=True)
    else:
        text = said.node.text if isinstance(said.node, Scalar) else "this"
        problems.add(said, f"{text or 'nothing'} is no app that is known", problems.guesser.hint(text, known))
    return None


def protection(entry: Entry, problems: Problems) -> str | None:
    """What an item of a `protect` list says, or None and its error."""
    value = entry.node.value if isinstance(entry.node, Scalar) else None
    if isinstance(value, str) and _PROTECT.match(value):
        return value
    shown = entry.node.text if isinstance(entry.node, Scalar) and entry.node.text else "this"
    problems.add(
        entry, f"{shown} does not say what to protect",
        "write tvdb:280619, tmdb:603, imdb:tt0903747, tag:arr-protect, label:keep, torrent:<its hash>, or a full path",
    )  # fmt: skip
    return None


def _guards(document: Document, problems: Problems) -> Guards:
    """Each limit is validated where it stands: they may come from several files."""
    parts: dict[str, Any] = {}
    for name, entry in sorted(document.names("guards").items()):
        key = entry.key or Scalar(0, 0, name, name)
        whole = Entry(entry.source, None, Map(key.line, key.column, {name: (key, entry.node)}), "guards")
        one = validate(Guards, whole, problems, canonical({name: to_json(entry.node)}))
        if one is not None:
            parts[name] = getattr(one, name)
    return Guards(**parts)


def hide_secrets(document: Document, apps: Mapping[str, App]) -> None:
    """Make the sources hide what may be a secret: below fields called like one, and below those that no app has.

    The second sort is a field with a slip in its name, as `api_kye`; the line of another error may hold it as well.
    """
    specs: list[type[ConnectionSpec]] = [ConnectionSpec, *(a.Spec for a in apps.values())]
    known = {name for spec in specs for name in spec.model_fields}
    for connection in document.names("connections").values():
        for name, entry in connection.children():
            if name not in known or is_secret(name):
                entry.source.hidden.update(_texts(entry))


def _texts(entry: Entry) -> Iterator[str]:
    if isinstance(entry.node, Scalar):
        yield from (word for word in entry.node.text.split() if len(word) >= _SHORTEST)
    for name, below in entry.children():
        if name not in SecretRef.model_fields:
            yield from _texts(below)
