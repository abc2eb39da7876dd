"""What `arr doctor` looks at: every connection as its app examines it, and every disk with the roots declared on it.

Reads only, and decides nothing: a root that a server does not know is told with the place where it is declared. Called by
the session.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.connection import Finding, Place
from reconciler.facts import ReadFailed, Unknown
from reconciler.opener import HERE, Opener
from reconciler.stack import Disk, Stack
from reconciler.units import size_text

Found = list[tuple[str, list[Finding]]]

OTHERS_SHOWN = 6


def connections(opener: Opener, names: Sequence[str]) -> Found:
    """Each connection of `names`, examined. A root that stands at a disk is told there."""
    found: Found = []
    for name in sorted(names):
        spec = opener.stack.connections[name]
        declared = {f"root {path}" for disk in opener.stack.disks.values() for path in disk.roots_of(name)}
        try:
            findings = opener.app(name).examine(opener.client(name, "read"), spec, opener.clock)
        except ReadFailed as e:
            fact: Unknown = e.unknown()
            findings = [Finding("open", False, fact.reason, fact.remedy)]
        found.append((name, [f for f in findings if f.what not in declared]))
    return found


def disks(opener: Opener, names: Sequence[str]) -> Found:
    """Each declared disk with its roots, as far as they are of the connections `names`, and its folder here."""
    seen = {name: _places(opener, name, _paths(opener.stack, name)) for name in (*names, HERE)}
    found: Found = []
    for title, disk in opener.stack.disks.items():
        findings = list(_roots(opener.stack, title, disk, {n: p for n, p in seen.items() if n in names}))
        if disk.here is not None:
            findings.append(_here(title, disk.here, seen[HERE]))
        if findings:
            found.append((f"disk {title}", findings))
    return found


def _paths(stack: Stack, name: str) -> list[str]:
    if name == HERE:
        return [disk.here for disk in stack.disks.values() if disk.here is not None]
    return [path for disk in stack.disks.values() for path in disk.roots_of(name)]


def _places(opener: Opener, name: str, paths: Sequence[str]) -> dict[str, Place] | Unknown:
    if not paths:
        return {}
    try:
        return opener.app(name).places(opener.client(name, "read"), paths)
    except ReadFailed as e:
        return e.unknown()


def _roots(stack: Stack, title: str, disk: Disk, seen: dict[str, dict[str, Place] | Unknown]) -> Iterator[Finding]:
    for name in disk.roots:
        places = seen.get(name, {})
        for path in disk.roots_of(name):
            what = f"{name} {path}"
            if isinstance(places, Unknown):
                yield Finding(what, None, f"not known: {places.reason}", f"see {name} above")
            elif path in places:
                yield _root(stack, title, disk, name, what, places[path])


def _root(stack: Stack, title: str, disk: Disk, name: str, what: str, place: Place) -> Finding:
    field = f"disks.{title}.roots.{name}"
    if not place.known:
        mark = stack.marks.get(field) or stack.marks.get(f"disks.{title}")
        where = f"{field} ({mark.file}:{mark.line})" if mark else field
        more = f" and {len(place.others) - OTHERS_SHOWN} more" if len(place.others) > OTHERS_SHOWN else ""
        has = f"; it has {', '.join(place.others[:OTHERS_SHOWN])}{more}" if place.others else ""
        return Finding(what, False, f"{name} has no such root folder", f"correct {where}, or add it in {name}{has}")
    if not place.accessible:
        remedy = "is it mounted and readable where the app runs? A slow disk reads the same: look again"
        return Finding(what, False, f"{name} cannot reach it", remedy)
    if place.free is None:
        return Finding(what, False, "its free space is not told", "the disk may be slow: look again")
    if place.size is not None:
        return Finding(what, True, f"{size_text(place.free)} free of {size_text(place.size)}")
    says = f"{size_text(place.free)} free; {name} does not tell its size"
    if disk.max is None or disk.size is not None or disk.here is not None:
        return Finding(what, True, says)
    return Finding(what, None, says, f"max: needs it: give disks.{title} its size, or here (a folder of it here)")


def _here(title: str, path: str, seen: dict[str, Place] | Unknown) -> Finding:
    if isinstance(seen, Unknown):
        return Finding(f"here {path}", False, f"not known: {seen.reason}", seen.remedy)
    place = seen[path]
    if not place.accessible:
        return Finding(
            f"here {path}", False, "it cannot be looked at", f"is it mounted? Else correct disks.{title}.here"
        )
    return Finding(f"here {path}", True, f"{size_text(place.free or 0)} free of {size_text(place.size or 0)}")
