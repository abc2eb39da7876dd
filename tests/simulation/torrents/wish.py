"""What is wished of torrents: edits of it, and who may go by it, reckoned anew by the shortest rule that says it.

Nothing of arr's own judging is used here. Times and ratios are compared as the client tells them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from sandbox.torrents.model import Torrent
from sandbox.values import Json
from tests.simulation.torrents.yard import DAY, Yard
from tests.simulation.wish import nth

AGES = ("0d", "1d", "15d", "25d")
KEPT = ("0d", "1d", "7d")


def first(told: Json, yard: Yard) -> Json:
    """The desired state that a course begins with."""
    names = list(yard.clients)
    mapped = {"here": str(yard.downloads), **dict.fromkeys(names, str(yard.downloads))}
    wish: Json = {"connections": yard.connections(), "paths": [mapped], "torrent_retention": {}, "protect": []}
    wish["torrent_retention"]["first"] = {
        "connection": names[0],
        "may_go": {"ratio": ">= 1"},
        "trackers": {
            "good": {"match": ["*.good.example"], "keep_until": {"ratio": ">= 1"}},
            "strict": {"match": ["*.strict.example"], "keep_until": {"ratio": ">= 2"}},
            "unlisted": "hold",
        },
        "keep": [{"label": "keep"}],
        "delete": "data",
        "quarantine": {"keep": nth(KEPT, told["kept"])},
    }
    if told["orphans"]:
        _orphans(wish, 0, 0)
    return wish


# -- edits


def _of(wish: Json, number: int) -> Json:
    found: Json = nth(wish["torrent_retention"].values(), number)
    return found


def toggle(into: Json, key: str, value: Any) -> None:
    """Declare it, or no longer."""
    if into.get(key) == value:
        del into[key]
    else:
        into[key] = value


def _may_go(wish: Json, a: int, b: int) -> None:
    ratio, age = {"ratio": f">= {b % 4}"}, {"age": f">= {nth(AGES, b)}"}
    _of(wish, a)["may_go"] = nth((ratio, age, {**ratio, **age}, {"any": [ratio, age]}), a)


def _obligation(wish: Json, a: int, b: int) -> None:
    _of(wish, a)["trackers"]["strict"]["keep_until"] = {"ratio": f">= {b % 5}"}


def _unlisted(wish: Json, a: int, b: int) -> None:
    _of(wish, a)["trackers"]["unlisted"] = nth(("hold", "allow"), b)


def _delete(wish: Json, a: int, b: int) -> None:
    _of(wish, a)["delete"] = nth(("data", "data", "torrent", "pause"), b)


def _group(wish: Json, a: int, b: int) -> None:
    group: Json = {"match": {"label": "tv"}}
    group |= {"delete": nth(("data", "torrent", "pause"), b)} if b % 2 else {"may_go": {"ratio": f">= {b % 4}"}}
    toggle(_of(wish, a), "groups", [group])


def _quarantine(wish: Json, a: int, b: int) -> None:
    _of(wish, a)["quarantine"] = {"keep": nth(KEPT, b)}


def _orphans(wish: Json, a: int, b: int) -> None:
    told = _of(wish, a)
    toggle(told, "orphans", {"under": [wish["paths"][0]["here"]], "older": nth(("1d", "3d"), b)})


def _pressure(wish: Json, a: int, b: int) -> None:
    toggle(_of(wish, a), "pressure", {"disk": wish["paths"][0]["here"], "above": nth(("0%", "100%"), b)})


def _unregistered(wish: Json, a: int, b: int) -> None:
    toggle(_of(wish, a), "unregistered", {"seen": 2 + b % 2, "over": nth(("1d", "3d"), b)})


def _guard(wish: Json, a: int, b: int) -> None:
    toggle(_of(wish, a), "guard", {"max": 1 + b % 3})


def _keep(wish: Json, a: int, b: int) -> None:
    _of(wish, a)["keep"] = nth(([{"label": "keep"}], [{"label": "keep"}, {"label": "tv"}], [{"ratio": ">= 4"}]), b)


def _paused(wish: Json, a: int, b: int) -> None:
    _of(wish, a)["paused"] = not b % 3


def _access(wish: Json, a: int, b: int) -> None:
    nth(wish["connections"].values(), a)["access"] = nth(("write", "write", "read"), b)


def _second(wish: Json, a: int, b: int) -> None:
    """A resource of the other client, with the rules that the first has now."""
    names = list(wish["connections"])
    if len(names) > 1:
        made = {**wish["torrent_retention"]["first"], "connection": names[1]}
        if "second" in wish["torrent_retention"]:
            del wish["torrent_retention"]["second"]
        else:
            wish["torrent_retention"]["second"] = made


EDITS: dict[str, Callable[[Json, int, int], None]] = {
    "may_go": _may_go,
    "obligation": _obligation,
    "unlisted": _unlisted,
    "delete": _delete,
    "group": _group,
    "quarantine": _quarantine,
    "orphans": _orphans,
    "pressure": _pressure,
    "unregistered": _unregistered,
    "guard": _guard,
    "keep": _keep,
    "paused": _paused,
    "access": _access,
    "second": _second,
}


def protect(wish: Json, yard: Yard, a: int, b: int) -> None:
    """Protect a torrent by one of its names, or no longer."""
    there = yard.torrents()
    if not there:
        return
    torrent = nth(there, a)[1]
    path = f"{torrent.directory}/{torrent.files[0][0]}"
    item = nth((f"torrent:{torrent.hash}", "label:tv", torrent.content, path, torrent.folder), b)
    said: list[str] = wish["protect"]
    said.remove(item) if item in said else said.append(item)


# -- who may go


def days(text: str) -> float:
    return float(text.rstrip("d"))


def holds(rule: Json, torrent: Torrent, now: datetime) -> bool:
    """Whether a condition of this simulation holds."""
    told = []
    for field, wanted in rule.items():
        if field == "any":
            told.append(any(holds(inner, torrent, now) for inner in wanted))
        elif field == "label":
            told.append(torrent.label == wanted)
        elif field == "ratio":
            told.append(torrent.ratio / 1000 >= float(wanted.removeprefix(">= ")))
        else:
            assert field == "age", field
            told.append(now.timestamp() - torrent.finished >= days(wanted.removeprefix(">= ")) * DAY)
    return all(told)


def protected(wish: Json, torrent: Torrent) -> bool:
    if torrent.label == "arr-protect":
        return True
    for item in wish["protect"]:
        inside = item.startswith("/") and (
            f"{torrent.content}/".startswith(f"{item}/") or f"{item}/".startswith(f"{torrent.content}/")
        )
        if inside or item in (f"torrent:{torrent.hash}", f"label:{torrent.label}"):
            return True
    return False


def group_of(told: Json, torrent: Torrent, now: datetime) -> Json:
    return next((g for g in told.get("groups", ()) if holds(g["match"], torrent, now)), {})


def deletes(told: Json, torrent: Torrent, now: datetime) -> str:
    """What becomes of it when it goes: data, torrent or pause."""
    return str(group_of(told, torrent, now).get("delete", told["delete"]))


def whole(torrent: Torrent) -> bool:
    return torrent.complete and not torrent.hashing


def kept(told: Json, torrent: Torrent, now: datetime) -> bool:
    return any(holds(rule, torrent, now) for rule in told["keep"])


def may_go(told: Json, torrent: Torrent, now: datetime) -> bool:
    """Whether the rules of a resource let it go: whole, nothing owed, not kept, and allowed."""
    if not whole(torrent) or kept(told, torrent, now):
        return False
    named = {name: duty for name, duty in told["trackers"].items() if name != "unlisted"}
    for url in torrent.trackers:
        host = url.split("/")[2]
        duties = [d for d in named.values() if any(fnmatchcase(host, m) for m in d["match"])]
        if not duties and told["trackers"]["unlisted"] == "hold":
            return False
        if not all(holds(d["keep_until"], torrent, now) for d in duties):
            return False
    rule: Json = group_of(told, torrent, now).get("may_go") or told["may_go"]
    return holds(rule, torrent, now)
