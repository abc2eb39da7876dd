"""Plain declared objects (a tag, a quality profile, an application): the base that turns "list, save, delete" into a kind.

A kind says what it wishes, how it lists, and how one object is saved and deleted; planning, preconditions, verification,
undo and ownership are derived here. What it keeps: objects are found by their natural key and never by an id (a lost reply
is looked up, nothing is made twice); only declared fields are compared; only what this resource created itself is ever
deleted, and that only with `prune: true` (law 9).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from reconciler.action import Action, Blocked, Compensation, Effects, Held, Json, Proposal
from reconciler.address import Subject
from reconciler.errors import Diagnostic
from reconciler.facts import Absent, Fact, Facts, Known, Query, ReadFailed, Unknown
from reconciler.kind import Kind, Ledger, Resource, Spec, Verb, Verdict, World

Fields = dict[str, Json]


class DeclaredSpec(Spec):
    """What every declared object says."""

    connections: tuple[str, ...] = Field(min_length=1, description="The connections that shall have it.")
    prune: bool = Field(
        default=False, description="True: what this resource created and no longer declares is deleted there."
    )


S = TypeVar("S", bound=DeclaredSpec)
O = TypeVar("O")  # noqa: E741  # the object


class Declared(Kind[S], Generic[S, O]):
    """Base of such kinds. `key_field` names the natural key for people; `apps` the apps that have such objects."""

    apps: ClassVar[tuple[str, ...]]
    key_field: ClassVar[str] = "name"
    key_form: ClassVar[tuple[str, str]] = ("", "")  # a pattern that keys match, and the same in words

    def __init__(self) -> None:
        # The verbs need the kind's own listing; one instance serves all resources.
        self.verbs = {"create": _Save(self), "update": _Save(self), "delete": _Delete(self)}  # type: ignore[misc]

    # what a kind says ------------------------------------------------------------------------------------------------

    @abstractmethod
    def listing(self, connection: str) -> Query[tuple[O, ...]]:
        """The query for all objects of a connection."""

    @abstractmethod
    def save(self, client: Any, key: str, fields: Fields, found: O | None) -> None:
        """Create it (`found` is None), or send `found` back with `fields` changed and everything else as it was.

        Nested objects in `fields` are whole: what is not declared in them is as it was found.
        """

    @abstractmethod
    def delete(self, client: Any, found: O) -> None:
        """Delete it."""

    def users(self, connection: str) -> Query[Mapping[str, str]] | None:
        """The query for what a server will not delete: key → by what it is used. None: it deletes whatever it is told to."""
        return None

    def wishes(self, resource: Resource[S]) -> Mapping[str, Fields]:
        """Natural key → declared fields, of everything that each connection shall have.

        Where a kind does not say: one object without fields, whose key is the resource's name or the spec's `key_field`.
        """
        key = getattr(resource.spec, self.key_field, None)
        return {resource.address.name if key is None else key: {}}

    def key(self, found: O) -> str:
        """The natural key of an object."""
        return str(getattr(found, self.key_field))

    def fields(self, found: O) -> Fields:
        """Its fields, as far as they can be declared."""
        return {}

    def normal_key(self, key: str) -> str:
        """The spelling in which the server keeps a key: the same meaning in another spelling is no difference."""
        return key

    def normal(self, fields: Fields) -> Fields:
        """Declared or found fields in the spelling in which they are compared."""
        return fields

    # what follows from it --------------------------------------------------------------------------------------------

    def check(self, resource: Resource[S]) -> Iterable[Diagnostic]:
        stack = resource.stack
        fitting = sorted(name for name, spec in stack.connections.items() if spec.app in self.apps)
        for n, name in enumerate(resource.spec.connections):
            where = f"connections.{n}"
            mark = resource.marks.get(where) or resource.marks.get("connections")
            hint = f"connections that have such objects: {', '.join(fitting) or 'none'}"
            if name not in stack.connections:
                yield Diagnostic(f"no connection is called '{name}'", mark, where, hint=hint)
            elif name not in fitting:
                yield Diagnostic(
                    f"{name} is a {stack.connections[name].app}: it has no {self.name}", mark, where, hint=hint
                )
            if name in resource.spec.connections[:n]:
                yield Diagnostic(f"'{name}' stands here twice", mark, where, hint="remove one")
        yield from self._misspelt(resource)

    def _misspelt(self, resource: Resource[S]) -> Iterable[Diagnostic]:
        pattern, words = self.key_form
        for key in self.wishes(resource) if pattern else ():
            if not re.fullmatch(pattern, key):
                mark = resource.marks.get(self.key_field) or resource.marks.get("")
                like = "-".join(re.findall("[a-z0-9]+", key.lower()))
                hint = f"{self.key_field}: {like}" if re.fullmatch(pattern, like) else ""
                yield Diagnostic(f"'{key}' is no {self.key_field}: {words}", mark, self.key_field, hint=hint)

    def claims(self, resource: Resource[S]) -> Iterable[str]:
        return [
            f"{self.name} {self.normal_key(k)} of {c}" for c in resource.spec.connections for k in self.wishes(resource)
        ]

    def reads(self, resource: Resource[S], facts: Facts, ledger: Ledger, now: datetime) -> Iterable[Query[Any]]:
        for connection in self._concerned(resource, ledger):
            yield self.listing(connection)
            users = self.users(connection) if resource.spec.prune and self._left(resource, connection, ledger) else None
            if users is not None:
                yield users

    def plan(self, resource: Resource[S], facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
        actions: list[Action] = []
        held: list[Held] = []
        blocked: list[Blocked] = []
        population: dict[str, int] = {}
        for connection in self._concerned(resource, ledger):
            fact = facts.get(self.listing(connection))
            if isinstance(fact, Known):
                population[connection] = len(fact.value)
                for step in self._steps(resource, connection, fact.value, facts, ledger):
                    if isinstance(step, Held):
                        held.append(step)
                    elif isinstance(step, Blocked):
                        blocked.append(step)
                    else:
                        actions.append(step.model_copy(update={"id": f"{resource.address}/{len(actions) + 1}"}))
            else:
                blocked.append(self._blocked(connection, fact))
        return Proposal(actions=tuple(actions), held=tuple(held), blocked=tuple(blocked), population=population)

    def why(self, resource: Resource[S], facts: Facts, ledger: Ledger, now: datetime, item: str) -> list[str]:
        if item not in (str(resource.address), *map(self.normal_key, self.wishes(resource))):
            return []
        lines = []
        for connection in self._concerned(resource, ledger):
            fact = facts.get(self.listing(connection))
            if not isinstance(fact, Known):
                lines.append(f"{connection}: not known: {getattr(fact, 'reason', 'no answer')}")
                continue
            steps = list(self._steps(resource, connection, fact.value, facts, ledger))
            lines += [f"{connection}: {step.reason}" for step in steps] or [f"{connection}: as declared"]
        return lines

    # planning --------------------------------------------------------------------------------------------------------

    def _owned(self, resource: Resource[S], ledger: Ledger) -> dict[str, set[str]]:
        """Connection → keys of what this resource created there."""
        found: dict[str, set[str]] = {}
        for ident in ledger.owned.get(str(resource.address), frozenset()):
            connection, _, rest = ident.partition(":")
            found.setdefault(connection, set()).add(rest.removeprefix(f"{self.name}/"))
        return found

    def _concerned(self, resource: Resource[S], ledger: Ledger) -> list[str]:
        """The declared connections, and with `prune` those that were and where something of ours is left."""
        left = self._owned(resource, ledger) if resource.spec.prune else {}
        return sorted({*resource.spec.connections, *(c for c in left if c in resource.stack.connections)})

    def _wanted(self, resource: Resource[S], connection: str) -> dict[str, Fields]:
        declared = self.wishes(resource) if connection in resource.spec.connections else {}
        return {self.normal_key(key): self.normal(dict(fields)) for key, fields in sorted(declared.items())}

    def _left(self, resource: Resource[S], connection: str, ledger: Ledger) -> set[str]:
        """Keys of what this resource created there and does not declare any more."""
        return self._owned(resource, ledger).get(connection, set()) - self._wanted(resource, connection).keys()

    def _steps(
        self, resource: Resource[S], connection: str, found: tuple[O, ...], facts: Facts, ledger: Ledger
    ) -> Iterator[Action | Held | Blocked]:
        there: dict[str, list[O]] = {}
        for one in found:
            there.setdefault(self.normal_key(self.key(one)), []).append(one)
        wanted = self._wanted(resource, connection)
        left = self._left(resource, connection, ledger) & there.keys()
        for key in (*wanted, *sorted(left)):
            subject, same = self._subject(connection, key), there.get(key, [])
            if len(same) > 1:
                reason = f"{connection} has {len(same)} of that name: which one is meant?"
                yield Held(subject=subject, reason=reason, way_forward="delete or rename all but one there")
            elif key in left and not resource.spec.prune:
                reason = f"{resource.address} made it and no longer declares it"
                yield Held(subject=subject, reason=reason, way_forward="prune: true deletes it")
            elif key in left:
                yield self._deletion(resource, subject, same[0], facts)
            elif not same:
                yield self._action(resource, "create", subject, wanted[key], None)
            elif not agrees(wanted[key], self.normal(self.fields(same[0]))):
                yield self._action(resource, "update", subject, wanted[key], same[0])

    def _deletion(self, resource: Resource[S], subject: Subject, found: O, facts: Facts) -> Action | Held | Blocked:
        query = self.users(subject.connection)
        if query is not None:
            fact = facts.get(query)
            if not isinstance(fact, Known):
                return self._blocked(subject.connection, fact)
            users = {self.normal_key(key): told for key, told in fact.value.items()}.get(subject.key)
            if users:
                reason = f"no longer declared, but in use there, and {subject.connection} deletes none that is: {users}"
                return Held(subject=subject, reason=reason, way_forward=f"take it off them in {subject.connection}")
        return self._action(resource, "delete", subject, {}, found)

    def _subject(self, connection: str, key: str) -> Subject:
        return Subject(connection=connection, type=self.name, key=key, title=key)

    def _action(self, resource: Resource[S], verb: str, subject: Subject, fields: Fields, found: O | None) -> Action:
        known = self.normal(self.fields(found)) if found is not None else {}
        before = self.state(subject.key, found, known if verb == "delete" else fields)
        after = dict.fromkeys(before) if verb == "delete" else {self.key_field: subject.key, **merged(known, fields)}
        names = [name for name in before if name != self.key_field]
        noun, where = f"{self.name} {subject.key}", subject.connection
        reason, back, says = {
            "create": (f"declared, and {where} has none", "delete", f"delete {noun} again"),
            "update": (f"{where} has it otherwise", "update", f"give {noun} its earlier settings back"),
            "delete": (f"made by {resource.address}, and no longer declared", "create", f"make {noun} again"),
        }[verb]
        return Action(
            id=str(resource.address),
            address=str(resource.address),
            verb=verb,
            subject=subject,
            reason=reason,
            before=before,
            after=after,
            rests_on=before,
            effects=Effects(destroys=1) if verb == "delete" else Effects(),
            data={"fields": fields, "names": names},
            undo=Compensation(verb=back, says=says, data={"fields": {n: before[n] for n in names}, "names": names}),
        )

    def _blocked(self, connection: str, fact: Absent | Unknown) -> Blocked:
        what = f"{self.name} in {connection}"
        if isinstance(fact, Absent):
            return Blocked(what=what, reason=f"{connection} says that it has no such list", code="malformed")
        return Blocked(what=what, reason=fact.reason, remedy=fact.remedy, code=fact.code)

    # the world -------------------------------------------------------------------------------------------------------

    def state(self, key: str, found: O | None, names: Iterable[str]) -> Fields:
        """Key and the named fields as they are; None everywhere when it is not there."""
        fields = self.normal(self.fields(found)) if found is not None else {}
        return {self.key_field: key if found is not None else None, **{name: fields.get(name) for name in names}}

    def find(self, client: Any, action: Action) -> O | None:
        """The object that an action is about, by its natural key. Two of them are none: which one is not for us to say."""
        listed = client.read(self.listing(action.subject.connection))
        found = [o for o in listed if self.normal_key(self.key(o)) == action.subject.key]
        if len(found) > 1:
            reason = f"{action.subject.connection} has {len(found)} of the name {action.subject.key}"
            raise ReadFailed("malformed", reason, "delete or rename all but one there")
        return found[0] if found else None


def merged(found: Mapping[str, Json], wished: Fields) -> Fields:
    """The declared fields with the undeclared members of nested objects as they were found."""
    return {
        name: {**old, **merged(old, value)}
        if isinstance(value, dict) and isinstance(old := found.get(name), dict)
        else value
        for name, value in wished.items()
    }


def agrees(wished: Json, found: Json) -> bool:
    """Whether everything declared is so. Objects are compared by their declared members, everything else as a whole."""
    if isinstance(wished, dict) and isinstance(found, dict):
        return all(name in found and agrees(value, found[name]) for name, value in wished.items())
    return bool(wished == found)


class _Change(Verb):
    def __init__(self, kind: Declared[Any, Any]) -> None:
        self.kind = kind

    def read(self, world: World, action: Action) -> Fact[Fields]:
        found = self.kind.find(world.client(action.subject.connection), action)
        return Known(self.kind.state(action.subject.key, found, action.data["names"]), world.now())


class _Save(_Change):
    noun = "change"

    def perform(self, world: World, action: Action) -> None:
        client = world.client(action.subject.connection)
        found = self.kind.find(client, action)
        known = self.kind.fields(found) if found is not None else {}
        self.kind.save(client, action.subject.key, merged(known, action.data["fields"]), found)

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        found = self.kind.find(world.client(action.subject.connection), action)
        if found is None:
            return Verdict("not-done", f"{action.subject.connection} has no {action.subject.type} {action.subject.key}")
        if agrees(action.data["fields"], self.kind.normal(self.kind.fields(found))):
            return Verdict("done", f"{action.subject.connection} has it as declared")
        return Verdict("not-done", f"{action.subject.connection} still has it otherwise")


class _Delete(_Change):
    noun = "deletion"

    def perform(self, world: World, action: Action) -> None:
        client = world.client(action.subject.connection)
        found = self.kind.find(client, action)
        if found is not None:
            self.kind.delete(client, found)

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        if self.kind.find(world.client(action.subject.connection), action) is None:
            return Verdict("done", f"{action.subject.connection} has it no more")
        return Verdict("not-done", f"{action.subject.connection} still has it")
