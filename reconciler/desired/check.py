"""How the parts of a document fit each other: what pydantic, which sees one value at a time, cannot know.

References to connections exist, no root folder is claimed by two disks or lies in another disk's, protections can be
understood, and no two resources are in charge of one thing. Called by `load` once every file could be read: a file that
is missing would make every reference to it look wrong.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from reconciler.desired.document import HERE, Document, Problems
from reconciler.desired.nodes import Entry, Scalar, Seq
from reconciler.desired.shared import Shared, is_absolute
from reconciler.errors import Diagnostic
from reconciler.kind import Kind, Resource


def check_shared(document: Document, problems: Problems) -> None:
    """Connections that disks and paths name; root folders that are claimed twice."""
    names = document.names("connections")
    claims: list[tuple[str, str, str, Entry]] = []
    for disk, entry in sorted(document.names("disks").items()):
        for connection, roots in _below(entry, "roots"):
            if connection not in names:
                _no_connection(connection, roots, document, problems)
            claims += ((connection, root, disk, at) for root, at in _roots(roots, problems))
    for row in document.listed.get("paths", ()):
        for name, place in row.children():
            if name != HERE and name not in names:
                _no_connection(name, place, document, problems)
    _overlaps(claims, problems)


def _below(entry: Entry, part: str) -> Iterator[tuple[str, Entry]]:
    below = entry.child(part)
    if below is not None:
        yield from below.children()


def _no_connection(name: str, at: Entry, document: Document, problems: Problems) -> None:
    hint = problems.guesser.hint(name, document.names("connections"), "declare it under connections:")
    problems.add(at, f"no connection is called {name}", hint)


def _roots(entry: Entry, problems: Problems) -> Iterator[tuple[str, Entry]]:
    places = [below for _, below in entry.children()] if isinstance(entry.node, Seq) else [entry]
    for at in places:
        if not isinstance(at.node, Scalar) or not isinstance(at.node.value, str):
            continue
        if is_absolute(at.node.value):
            yield _normal(at.node.value), at
        else:
            problems.add(
                at, f"{at.node.value} is not a full path", f"write it as the app shows it, as /{at.node.value}"
            )


def _normal(path: str) -> str:
    """One spelling for one folder: no trailing or double slash, no `..`; Windows paths regardless of case."""
    if path.startswith("/"):
        return "/" + posixpath.normpath(path).lstrip("/")
    return path.replace("\\", "/").rstrip("/").lower()


def _overlaps(claims: list[tuple[str, str, str, Entry]], problems: Problems) -> None:
    """Sorted by folder, whatever lies in a folder follows it; one pass with the folders that are still open."""
    within: list[tuple[str, str, str, Entry]] = []
    for claim in sorted(claims, key=lambda c: (c[0], c[1].rstrip("/").split("/"), c[2])):
        connection, root, disk, at = claim
        while within and not (within[-1][0] == connection and _contains(within[-1][1], root)):
            within.pop()
        if within:
            _, outer, other, first = within[-1]
            where = f"{connection}: {outer} of disk {other} ({first.mark()})"
            if outer == root:
                problems.add(
                    at, f"{root} is claimed twice: {where}", "a root folder lies on one disk: remove one of them"
                )
            elif other != disk:
                problems.add(at, f"{root} lies in {where}", "roots of two disks may not be nested: name the inner ones")
        within.append(claim)


def _contains(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")


def check_resource(kind: Kind[Any], resource: Resource[Any], entry: Entry, shared: Shared, problems: Problems) -> None:
    """What the kind itself says, but for what follows from a shared entry that is known to be wrong."""
    for found in kind.check(resource):
        if any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", found.message) for name in shared.broken):
            continue
        if not _is_shared(found, resource):
            problems.extend([_placed(found, resource, entry, problems)])
        elif not problems.concern(found.field):
            problems.extend([found])


def _is_shared(found: Diagnostic, resource: Resource[Any]) -> bool:
    """True when it speaks of a field of the stack (`disks.d1.roots`), not of the resource: only the mark can tell."""
    name = found.field if found.mark else ""
    while name:
        if resource.stack.marks.get(name) == found.mark:
            return True
        name = name.rpartition(".")[0]
    return False


def _placed(found: Diagnostic, resource: Resource[Any], entry: Entry, problems: Problems) -> Diagnostic:
    """With its place and whole path, and a did-you-mean where a name of the stack was meant."""
    inside = found.field.removeprefix(entry.path).removeprefix(".")
    at = entry.find(inside) or entry
    hint = found.hint
    text = at.node.text if isinstance(at.node, Scalar) else ""
    if text and text in found.message:
        known = [*(resource.stack.connections if "connection" in found.message else ())]
        known += resource.stack.disks if "disk" in found.message else ()
        near = problems.guesser.closest(text, known) if text not in known else None
        hint = f"did you mean {near}? {hint}".rstrip() if near else hint
    path = f"{entry.path}.{inside}" if inside else entry.path
    return replace(found, mark=found.mark or at.mark(), field=path, hint=hint)


def check_claims(
    resources: Iterable[tuple[Kind[Any], Resource[Any], Entry]], problems: Problems
) -> None:  # fmt: skip
    """No two resources in charge of one thing."""
    owners: dict[str, Entry] = {}
    for kind, resource, entry in resources:
        for claim in kind.claims(resource):
            first = owners.setdefault(claim, entry)
            if first is not entry:
                message = f"{claim} is in the charge of {first.path} already ({first.key_mark()})"
                problems.add(entry, message, "one resource of the stack may look after it: merge the two", key=True)
