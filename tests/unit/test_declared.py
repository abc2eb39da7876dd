"""The base of declared objects, with a kind that has fields: only what is declared is compared, sent and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import Field

from reconciler.action import Action, Json, Proposal
from reconciler.address import Address
from reconciler.clock import FakeClock
from reconciler.connection import ConnectionSpec
from reconciler.facts import Facts, Known, Query, ReadFailed, Unknown
from reconciler.kind import Ledger, Resource, WriteRefused
from reconciler.stack import Stack
from resources.declared import Declared, DeclaredSpec, Fields, agrees, merged

NOW = FakeClock().now()
Profile = dict[str, Json]


@dataclass(frozen=True)
class Profiles(Query[tuple[Profile, ...]]):
    """All profiles."""


class ProfileSpec(DeclaredSpec):
    fields: dict[str, Json] = Field(default_factory=dict)


class ProfileKind(Declared[ProfileSpec, Profile]):
    """Objects with an id, a name, settings that are declared and settings that are not; paths end in a slash there."""

    name = "profile"
    Spec = ProfileSpec
    apps = ("shelf",)

    def wishes(self, resource: Resource[ProfileSpec]) -> Mapping[str, Fields]:
        return {resource.address.name: dict(resource.spec.fields)}

    def listing(self, connection: str) -> Query[tuple[Profile, ...]]:
        return Profiles(connection)

    def key(self, found: Profile) -> str:
        return str(found["name"])

    def fields(self, found: Profile) -> Fields:
        return {k: v for k, v in found.items() if k not in ("id", "name")}

    def normal(self, fields: Fields) -> Fields:
        return {k: v.rstrip("/") if isinstance(v, str) else v for k, v in fields.items()}

    def save(self, client: Any, key: str, fields: Fields, found: Profile | None) -> None:
        client.put({**(found or {}), "name": key, **fields})

    def delete(self, client: Any, found: Profile) -> None:
        client.remove(found["id"])


@dataclass
class Shelf:
    """A server in a list; it is its own client and the whole world. What is put replaces what was there."""

    rows: list[Profile] = field(default_factory=list)
    down: bool = False

    def read(self, query: Query[Any]) -> Any:
        if self.down:
            raise ReadFailed("down", "the shelf fell", "hang it up")
        return tuple(dict(r) for r in self.rows)

    def put(self, row: Profile) -> None:
        if "id" not in row:
            row = {**row, "id": max([0, *(r["id"] for r in self.rows)]) + 1}
        self.rows = [*(r for r in self.rows if r["id"] != row["id"]), {**row, "path": f"{row.get('path', '')}/"}]

    def remove(self, number: int) -> None:
        if number == 99:
            raise WriteRefused("it is in use")
        self.rows = [r for r in self.rows if r["id"] != number]

    def client(self, connection: str) -> Any:
        return self

    def now(self) -> Any:
        return NOW

    def sleep(self, seconds: float) -> None: ...


KIND = ProfileKind()


def resource(name: str = "hd", *, prune: bool = False, **fields: Json) -> Resource[ProfileSpec]:
    stack = Stack(connections={"shelf": ConnectionSpec(app="shelf")})
    spec = ProfileSpec(connections=("shelf",), prune=prune, fields=fields)
    return Resource(Address("profile", name), spec, stack)


def plan(shelf: Shelf, wish: Resource[ProfileSpec], *owned: str) -> Proposal:
    answer: Any = Known(shelf.read(Profiles("shelf")), NOW)
    facts = Facts(dict.fromkeys(KIND.reads(wish, Facts(), Ledger(), NOW), answer))
    ledger = Ledger(owned={str(wish.address): frozenset(f"shelf:profile/{k}" for k in owned)})
    return KIND.plan(wish, facts, ledger, NOW)


def do(shelf: Shelf, action: Action) -> None:
    """What the executor does, without its care."""
    verb = KIND.verbs[action.verb]
    fact = verb.read(shelf, action)
    assert isinstance(fact, Known)
    assert fact.value == action.rests_on
    assert verb.verify(shelf, action, None).state == "not-done"
    verb.perform(shelf, action)
    assert verb.verify(shelf, action, None).state == "done"


def test_made_with_what_is_declared() -> None:
    shelf = Shelf()
    (action,) = plan(shelf, resource(path="/tv", size=3)).actions
    assert (action.verb, action.before) == ("create", {"name": None, "path": None, "size": None})
    assert action.after == {"name": "hd", "path": "/tv", "size": 3}
    do(shelf, action)
    assert shelf.rows == [{"id": 1, "name": "hd", "path": "/tv/", "size": 3}]
    assert plan(shelf, resource(path="/tv", size=3)).actions == ()


def test_only_declared_fields_are_changed_and_the_rest_survives() -> None:
    """Law 9."""
    shelf = Shelf([{"id": 7, "name": "hd", "path": "/tv/", "size": 3, "unknown": {"a": [1]}, "deep": {"x": 1, "y": 2}}])
    (action,) = plan(shelf, resource(size=4, deep={"y": 9})).actions
    assert (action.verb, action.before) == ("update", {"name": "hd", "size": 3, "deep": {"x": 1, "y": 2}})
    assert action.after == {"name": "hd", "size": 4, "deep": {"x": 1, "y": 9}}
    do(shelf, action)
    (row,) = shelf.rows
    assert row["unknown"] == {"a": [1]}
    assert row["deep"] == {"x": 1, "y": 9}
    assert plan(shelf, resource(size=4, deep={"y": 9})).actions == ()


def test_another_spelling_of_the_same_is_no_difference() -> None:
    shelf = Shelf([{"id": 1, "name": "hd", "path": "/tv/"}])
    assert plan(shelf, resource(path="/tv")).actions == ()
    assert plan(shelf, resource(path="/tv//")).actions == ()


def test_undo_goes_back_to_what_was_there() -> None:
    shelf = Shelf([{"id": 7, "name": "hd", "size": 3, "deep": {"x": 1, "y": 2}, "path": "/"}])
    (action,) = plan(shelf, resource(size=4, deep={"y": 9})).actions
    do(shelf, action)
    assert action.undo is not None
    back = action.model_copy(
        update={"verb": action.undo.verb, "data": action.undo.data, "rests_on": action.after, "after": action.before}
    )
    do(shelf, back)
    assert (shelf.rows[0]["size"], shelf.rows[0]["deep"]) == (3, {"x": 1, "y": 2})


def test_deleted_only_where_it_is_ours_and_with_prune() -> None:
    rows = [{"id": 1, "name": "old", "size": 1, "path": ""}, {"id": 2, "name": "hd", "path": ""}]
    assert plan(Shelf(rows), resource(prune=True)).actions == ()
    kept = plan(Shelf(rows), resource(), "old")
    assert (kept.actions, kept.held[0].subject.key) == ((), "old")
    shelf = Shelf(rows)
    (action,) = plan(shelf, resource(prune=True), "old").actions
    assert (action.verb, action.effects.destroys) == ("delete", 1)
    do(shelf, action)
    assert [r["name"] for r in shelf.rows] == ["hd"]
    assert action.undo is not None
    do(shelf, action.model_copy(update={"verb": "create", "data": action.undo.data, "rests_on": action.after}))
    assert shelf.rows[-1]["size"] == 1


def test_two_of_one_name_are_held_and_not_guessed_at() -> None:
    """Accident A15: exactly one subject, or none."""
    shelf = Shelf([{"id": 1, "name": "hd", "size": 1}, {"id": 2, "name": "hd", "size": 2}])
    found = plan(shelf, resource(size=4, prune=True), "hd")
    assert found.actions == ()
    assert "which one is meant" in found.held[0].reason
    (action,) = plan(Shelf(), resource(size=4)).actions
    with pytest.raises(ReadFailed, match="2 of the name"):
        KIND.verbs["create"].read(shelf, action)


def test_what_is_not_known_is_blocked() -> None:
    """Law 4."""
    wish = resource()
    unknown: Any = Unknown("down", "the shelf fell", "hang it up")
    found = KIND.plan(wish, Facts(dict.fromkeys(KIND.reads(wish, Facts(), Ledger(), NOW), unknown)), Ledger(), NOW)
    assert found.actions == ()
    assert (found.blocked[0].code, found.blocked[0].remedy) == ("down", "hang it up")
    assert found.population == {}


@pytest.mark.parametrize(
    ("wished", "found", "same"),
    [
        ({}, {"a": 1}, True),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": None}, {}, False),
        ({"a": {}}, {"a": []}, False),
    ],
)
def test_agreement_is_of_what_is_declared(wished: Json, found: Json, same: bool) -> None:
    assert agrees(wished, found) is same


def test_merging_keeps_what_is_not_declared() -> None:
    assert merged({"a": {"b": 1, "c": {"d": 1}}, "e": [1]}, {"a": {"c": {"f": 2}}, "e": [2]}) == {
        "a": {"b": 1, "c": {"d": 1, "f": 2}},
        "e": [2],
    }
