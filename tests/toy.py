"""A kind small enough to see through: notes in a folder. The engine's own tests use it, over real files.

`notes` declares which files a folder holds and what is in them; what it created and is no longer declared goes when
`prune` is on. `Folder` is its app; faults are switched on by name in `Folder.faults`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from reconciler.action import Action, Blocked, Compensation, Effects, Json, Proposal
from reconciler.address import Address, Subject
from reconciler.clock import FakeClock
from reconciler.connection import Access, App, ConnectionSpec, Finding
from reconciler.errors import Mark
from reconciler.facts import Absent, Fact, Facts, Known, NotThere, Query, ReadFailed, Unknown
from reconciler.kind import Kind, Ledger, ReplyLost, Resource, Spec, Verb, Verdict, World, WriteRefused
from reconciler.stack import Stack

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class FolderSpec(ConnectionSpec):
    path: str = Field(description="The folder.")


@dataclass(frozen=True)
class Notes(Query[dict[str, str]]):
    """Every note and its text."""


@dataclass(frozen=True)
class Note(Query[str]):
    name: str = ""


class FolderClient:
    def __init__(self, app: Folder, path: Path, access: Access) -> None:
        self.app, self.path, self.access = app, path, access

    def read(self, query: Query[Any]) -> Any:
        self.app.reads.append(query)
        if "down" in self.app.faults:
            raise ReadFailed("down", f"{query.connection} does not answer", "start it")
        if "bug" in self.app.faults:
            raise ZeroDivisionError
        if isinstance(query, Note):
            file = self.path / query.name
            if not file.exists():
                raise NotThere(query.name)
            return file.read_text()
        return {p.name: p.read_text() for p in sorted(self.path.iterdir())}

    def write(self, name: str, text: str | None) -> None:
        if self.access == "read":
            raise WriteRefused("this connection is read only")
        if "refuse" in self.app.faults:
            raise WriteRefused("the disk is write-protected", "remove the tab")
        if "lose-before" in self.app.faults:
            raise ReplyLost("cut off")
        if text is None:
            (self.path / name).unlink()
        else:
            (self.path / name).write_text(text)
        if "lose-after" in self.app.faults:
            raise ReplyLost("cut off")

    def close(self) -> None: ...


class Folder(App):
    name: ClassVar[str] = "folder"
    Spec: ClassVar[type[ConnectionSpec]] = FolderSpec

    def __init__(self) -> None:
        self.faults: set[str] = set()
        self.reads: list[Query[Any]] = []

    def open(self, name: str, spec: Any, *, access: Access, clock: Any) -> FolderClient:
        return FolderClient(self, Path(spec.path), "read" if spec.access == "read" else access)

    def examine(self, client: Any, spec: Any, clock: Any) -> list[Finding]:
        return [Finding("folder", client.path.is_dir(), str(client.path))]


class _Write(Verb):
    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        try:
            text = world.client(action.subject.connection).read(Note(action.subject.connection, action.subject.key))
        except NotThere:
            return Known({"text": None}, world.now())
        return Known({"text": text}, world.now())

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        world.client(action.subject.connection).write(action.subject.key, action.after["text"])
        return None

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        fact = self.read(world, action)
        assert isinstance(fact, Known)
        now = fact.value["text"]
        if now == action.after["text"]:
            return Verdict("done", "written")
        return Verdict("not-done", "nothing happened") if now == action.before["text"] else Verdict("broken", "mixed")


class NotesSpec(Spec):
    connection: str
    notes: dict[str, str] = Field(default_factory=dict)
    prune: bool = False


class NotesKind(Kind[NotesSpec]):
    name: ClassVar[str] = "notes"
    Spec: ClassVar[type[Spec]] = NotesSpec
    verbs: ClassVar[dict[str, Verb]] = {"create": _Write(), "update": _Write(), "delete": _Write()}

    def reads(self, resource: Resource[NotesSpec], facts: Facts, ledger: Ledger, now: datetime) -> Iterable[Query[Any]]:
        return [Notes(resource.spec.connection)]

    def plan(self, resource: Resource[NotesSpec], facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
        spec, fact = resource.spec, facts.get(Notes(resource.spec.connection))
        if isinstance(fact, Unknown):
            return Proposal(blocked=(Blocked(what="notes", reason=fact.reason, remedy=fact.remedy, code=fact.code),))
        assert not isinstance(fact, Absent)
        owned = ledger.owned.get(str(resource.address), frozenset())
        actions: list[Action] = []
        wanted: dict[str, str | None] = dict(spec.notes)
        for name in fact.value:
            if name not in wanted and spec.prune and f"{spec.connection}:note/{name}" in owned:
                wanted[name] = None
        for name, text in sorted(wanted.items()):
            before = fact.value.get(name)
            if before != text:
                verb = "create" if before is None else "delete" if text is None else "update"
                actions.append(self._action(resource, len(actions) + 1, verb, name, before, text))
        return Proposal(actions=tuple(actions), population={spec.connection: len(fact.value)})

    def _action(
        self, resource: Resource[NotesSpec], number: int, verb: str, name: str, before: str | None, after: str | None
    ) -> Action:
        size = len(before or "")
        gone = Effects(destroys=1, bytes_destroyed=size, bytes_freed=size) if verb == "delete" else Effects()
        back = "delete" if before is None else "create" if after is None else "update"
        return Action(
            id=f"{resource.address}/{number}",
            address=str(resource.address),
            verb=verb,
            subject=Subject(connection=resource.spec.connection, type="note", key=name, title=name),
            reason=f"{name} should read {after!r}",
            before={"text": before},
            after={"text": after},
            rests_on={"text": before},
            effects=gone,
            undo=Compensation(verb=back, says=f"put {name} back"),
        )


@dataclass
class ToyWorld:
    """A folder, its app, and the shared sections that declare it."""

    path: Path
    app: Folder
    stack: Stack
    clock: FakeClock

    @property
    def kinds(self) -> dict[str, Kind[Any]]:
        return {"notes": NotesKind()}

    def notes(self) -> dict[str, str]:
        return {p.name: p.read_text() for p in sorted(self.path.iterdir())}


def toy_world(path: Path, *, access: Access = "write", **shared: Any) -> ToyWorld:
    path.mkdir(exist_ok=True)
    spec = FolderSpec(app="folder", path=str(path), access=access)
    return ToyWorld(path, Folder(), Stack(connections={"desk": spec}, **shared), FakeClock(NOW))


def notes(world: ToyWorld, name: str = "mine", **spec: Any) -> Resource[NotesSpec]:
    return Resource(
        Address("notes", name),
        NotesSpec.model_validate({"connection": "desk", **spec}),
        world.stack,
        {"": Mark("notes.yaml", 3, 5), "notes": Mark("notes.yaml", 4, 7)},
    )
