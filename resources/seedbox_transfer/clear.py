"""What unfinished fetches have left is cleared once nobody wants it any more: the release is gone from the server, or was
brought or tidied away otherwise. It is our own, incomplete, and bore no name here yet.

`planned` is pure, and called by planning; `Clear` is the verb.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import ClassVar

from reconciler.action import Action, Effects, Json
from reconciler.address import Address, Subject
from reconciler.facts import Absent, Fact, Known
from reconciler.kind import Verb, Verdict, World
from reconciler.units import age_text, size_text
from resources.clients.localfs import HERE, Leftover, Leftovers
from resources.clients.localfs.leftovers import clear
from resources.clients.localfs.staging import PARTIAL, place
from resources.clients.sftp.names import shown

AFTER = 7 * 86400  # seconds without a change; a server that is gone for a weekend comes back


def planned(
    address: Address, to: str, left: Iterable[Leftover], wanted: Iterable[str], now: datetime, number: int
) -> Iterator[Action]:
    """Actions, numbered from `number` on, for all of `left` that is old and no part of what is `wanted` (names)."""
    keys = {place(to, name).name for name in wanted}
    for one in left:
        age = now.timestamp() - one.changed_ns / 1e9
        if one.key in keys or one.busy or age < AFTER:
            continue
        path = f"{to}/{PARTIAL}/{one.key}"
        yield Action(
            id=f"{address}/{number}",
            address=str(address),
            verb="clear",
            subject=Subject(connection=HERE, type="unfinished", key=path, title=shown(one.name) or one.key),
            reason=f"its fetch was never ended, nothing came for {age_text(AFTER)}, and it is not wanted any more",
            before={"here": path},
            after={"here": None},
            rests_on={"bytes": one.bytes, "changed": one.changed_ns, "in use": False},
            effects=Effects(bytes_freed=one.bytes),
            data={"to": to, "key": one.key, "bytes": one.bytes},
        )
        number += 1


def _found(world: World, action: Action) -> Leftover | None:
    left = world.client(HERE).read(Leftovers(HERE, action.data["to"]))
    return next((one for one in left if one.key == action.data["key"]), None)


class Clear(Verb):
    """See the module."""

    noun = "clearing"
    words: ClassVar = {"in use": "a process is at work on it", "changed": "something came since"}

    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        one = _found(world, action)
        if one is None:
            return Absent(world.now())
        return Known({"bytes": one.bytes, "changed": one.changed_ns, "in use": one.busy}, world.now())

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        clear(world.client(HERE), action.data["to"], action.data["key"])
        return None

    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        if _found(world, action) is not None:
            return Verdict("not-done", "it is still there, or some of it")
        return Verdict("done", f"it is gone: {size_text(action.data['bytes'])}")


CLEAR = Clear()
