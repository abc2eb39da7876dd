"""YAML files → typed, checked resources, or all that is wrong with them. No network, no secret is read, nothing is run.

`load` is what the session and `arr validate` call. An empty section or a folder without resources is valid and wishes
for nothing (it never means "delete everything"); what is missing or cannot be read is an error.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.action import Json
from reconciler.address import Address
from reconciler.connection import App
from reconciler.desired.check import check_claims, check_resource, check_shared
from reconciler.desired.document import Document, Problems, canonical, entries, merge
from reconciler.desired.files import read_sources
from reconciler.desired.graph import compose
from reconciler.desired.nodes import Entry, Marks, Node, Source
from reconciler.desired.shared import Shared, hide_secrets, protection, shared_sections, validate
from reconciler.errors import UsageError
from reconciler.kind import Kind, Resource
from reconciler.stack import Stack


@dataclass(frozen=True)
class Desired:
    """What is wished for.

    `resources` sorted by address; `digest` is the SHA-256 (hex) of every spec and shared section, the same for every
    order of keys, files and declarations, and made of references to secrets only; `files` are the names of what was read.
    """

    stack: Stack
    resources: tuple[Resource[Any], ...]
    digest: str
    files: tuple[str, ...]


def load(paths: Sequence[Path], *, kinds: Mapping[str, Kind[Any]], apps: Mapping[str, App]) -> Desired:
    """Load files and folders. UsageError with a diagnostic for everything that is wrong, by place."""
    if not paths:
        raise UsageError("no desired state was named", "name a file or folder: --desired desired")
    with _collector_at_rest():
        return _load(paths, kinds, apps)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Tens of thousands of nodes are made and all of them stay: looking for garbage among them is a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _load(paths: Sequence[Path], kinds: Mapping[str, Kind[Any]], apps: Mapping[str, App]) -> Desired:
    problems = Problems()
    sources, unread = read_sources(paths)
    problems.extend(unread)
    roots = _compose(sources, problems)
    complete = not unread and len(roots) == len(sources)
    problems.seal()
    document = merge(roots, kinds, problems)
    shared = shared_sections(document, apps, problems)
    problems.seal()
    loaded = _resources(document, shared, kinds, problems)
    if complete:
        check_shared(document, problems)
        problems.seal()
        _check(loaded, shared, problems)
    if len(problems):
        hide_secrets(document, apps)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise UsageError(f"the desired state has {count}", "", problems.sorted(sources))
    resources = tuple(resource for _, resource, _ in loaded)
    return Desired(shared.stack, resources, _digest(shared.stack, resources), tuple(s.name for s in sources))


def _compose(sources: Sequence[Source], problems: Problems) -> list[tuple[Source, Node]]:
    """The root of every file that can be read at all; an empty file is an empty mapping."""
    roots: list[tuple[Source, Node]] = []
    for source in sources:
        parsed = compose(source)
        source.parsed = parsed.root is not None
        problems.extend(parsed.problems)
        if parsed.root is not None:
            roots.append((source, parsed.root))
    return roots


_Loaded = list[tuple[Kind[Any], Resource[Any], Entry]]


def _resources(document: Document, shared: Shared, kinds: Mapping[str, Kind[Any]], problems: Problems) -> _Loaded:
    loaded: _Loaded = []
    for name, own, entry in entries(document, kinds):
        spec = validate(kinds[name].Spec, entry, problems)
        if spec is not None:
            resource = Resource(Address(name, own), spec, shared.stack, Marks.of(entry))
            loaded.append((kinds[name], resource, entry))
    return loaded


def _check(loaded: _Loaded, shared: Shared, problems: Problems) -> None:
    for kind, resource, entry in loaded:
        own = entry.child("protect")
        for _, item in own.children() if own else ():
            protection(item, problems)
        check_resource(kind, resource, entry, shared, problems)
    check_claims(loaded, problems)


def _digest(stack: Stack, resources: Iterable[Resource[Any]]) -> str:
    everything: dict[str, Json] = {
        "connections": {n: c.model_dump(mode="json") for n, c in stack.connections.items()},
        "disks": {n: d.model_dump(mode="json") for n, d in stack.disks.items()},
        "paths": [dict(p) for p in stack.paths],
        "protect": list(stack.protect),
        "guards": stack.guards.model_dump(mode="json"),
        "resources": {str(r.address): r.spec.model_dump(mode="json") for r in resources},
    }
    return hashlib.sha256(canonical(everything).encode()).hexdigest()
