"""Releases: what lies at the top of the remote folder, a file or a folder each; and what of it is to come home.

Pure; used by planning and by the transfer itself, so that both mean the same files. A release is brought whole or not at all:
one name that may not become a local one, one link, one thing that is no file, and all of it is held.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise

from resources.clients.localfs.quarantine import FOLDER
from resources.clients.localfs.staging import PARTIAL
from resources.clients.sftp import RemoteFile
from resources.clients.sftp.names import collision, path_refusal, shown

NAME_REFUSED = "its name is refused"
OURS = (FOLDER, PARTIAL)  # what waits there to be deleted, and what is on its way to another one of us


@dataclass(frozen=True)
class Release:
    """One release. `files` are those that are to come, with paths in the release ("" when it is a single file).

    `problem`      why it cannot come; "" when it can.
    `fingerprint`  of paths, sizes and times: another one is another state of it.
    `shape`        of paths and sizes: what a copy on this machine must have.
    `whole`        as `fingerprint`, of all files that are there: it does not change with what is excluded.
    """

    name: str
    single: bool
    files: tuple[RemoteFile, ...]
    problem: str
    fingerprint: str
    shape: str
    whole: str

    @property
    def bytes(self) -> int:
        return sum(f.size for f in self.files)

    @property
    def title(self) -> str:
        return shown(self.name)


def digest(rows: Iterable[object]) -> str:
    """Of JSON values, in their order; in pieces, because a release may have very many files."""
    found = hashlib.sha256()
    for row in rows:
        found.update(json.dumps(row).encode("ascii") + b"\n")
    return found.hexdigest()[:16]


def shape(files: Iterable[tuple[str, int]]) -> str:
    """Of paths and sizes, sorted by path."""
    return digest(files)


def fingerprint(files: Iterable[RemoteFile]) -> str:
    """Of what is to come, sorted by path."""
    return digest([f.path, f.size, f.mtime_ns] for f in files)


def wanted(name: str, entries: Sequence[RemoteFile], patterns: Sequence[str]) -> Iterator[RemoteFile]:
    """The files that are to come, in the order of `entries`."""
    return (e for e in entries if e.kind == "file" and not excluded(e.path or name, patterns))


def excluded(path: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern names the file, or (with a slash at its end) a folder above it. Letter case does not count.

    A pattern with a slash inside is about the whole path in the release.
    """
    *folders, name = path.lower().split("/")
    for pattern in (p.lower() for p in patterns):
        if pattern.endswith("/"):
            if any(fnmatchcase(folder, pattern[:-1]) for folder in folders):
                return True
        elif fnmatchcase(path.lower() if "/" in pattern else name, pattern):
            return True
    return False


def make(name: str, entries: Sequence[RemoteFile], patterns: Sequence[str]) -> Release:
    """The release `name` of its entries (paths in the release; one entry with the path "" for what is no folder)."""
    single = len(entries) == 1 and entries[0].path == "" and entries[0].kind != "folder"
    kept = [e for e in entries if e.kind != "folder" and not excluded(e.path or name, patterns)]
    files = tuple(sorted(wanted(name, kept, ()), key=lambda f: f.path))
    told = fingerprint(files)
    every = sorted((e for e in entries if e.kind == "file"), key=lambda f: f.path) if patterns else ()
    return Release(
        name=name,
        single=single,
        files=files,
        problem=_problem(name, kept),
        fingerprint=told,
        shape=shape((f.path, f.size) for f in files),
        whole=fingerprint(every) if patterns else told,
    )


def _problem(name: str, kept: Sequence[RemoteFile]) -> str:
    said = path_refusal(name)
    if said:
        return f"{NAME_REFUSED}: {said}"
    for entry in kept:
        if entry.path and (said := path_refusal(entry.path)):
            return f"{shown(entry.path)} is refused: {said}"
        if entry.kind == "link":
            return f"{shown(entry.path) or 'it'} is a symbolic link, and links are never followed"
        if entry.kind == "other":
            return f"{shown(entry.path) or 'it'} is no file"
    paths = [e.path for e in kept]
    if any(one == other for one, other in pairwise(sorted(paths))):
        return "the server lists a name twice"
    if pair := collision(paths):
        return f"{shown(pair[0])} and {shown(pair[1])} differ in letter case only"
    return ""


def releases(tree: Sequence[RemoteFile], patterns: Sequence[str]) -> Iterator[Release]:
    """The releases of a remote folder's tree, by name. What holds no file is none, and no folder of our own."""
    groups: dict[str, list[RemoteFile]] = {}
    for entry in tree:
        top, slash, rest = entry.path.partition("/")
        if top in OURS:
            continue
        within = groups.setdefault(top, [])
        if slash or entry.kind != "folder":
            within.append(RemoteFile(rest, entry.size, entry.mtime_ns, entry.kind))
    for name, entries in sorted(groups.items()):
        found = make(name, entries, patterns)
        if found.files or found.problem:
            yield found
