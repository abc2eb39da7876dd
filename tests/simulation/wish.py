"""The desired state of a simulation: a JSON value (which is YAML), and every edit that a person may make to it.

`edit` changes one declared field, in any way: what makes no sense the loader refuses, and then the person takes it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.values import Json
from tests.simulation import stage

MAXES = ("95%", "80%", "60%", "40%", "20%", None)
KEEPS = (None, "20 GB", "80 GB", "150 GB", "260 GB")
SETTLES = (None, "0%", "3%", "10%")
COOLDOWNS = (None, "1s", "6h", "7d")
COUNTS = (None, 1, 2, 4)
BYTES = (None, "30 GB", "90 GB", "300 GB")
LABELS = ("kids", "uhd", "old", "4k")
LIMITS = (None, 0, 1, 2)
SHARES = (None, "10%", "50%")


def first(told: Json, connections: Json) -> Json:
    """The wish that a simulation begins with: all disks are kept, and one tag is declared everywhere."""
    names = [f"d{n + 1}" for n in range(told["disks"])]
    disks = {
        d: {"roots": {c: stage.root(n, c) for c in connections}, "max": told.get("most", "80%")}
        for n, d in enumerate(names)
    }
    return {
        "connections": connections,
        "disks": disks,
        "disk_fill": {"media": {"disks": names, "moves": {"cooldown": told.get("cooldown", "90d")}}},
        "tag": {"kids": {"connections": sorted(connections)}},
    }


def put(into: Json, key: str, value: Any) -> None:
    """Declare a field, or, with None, do no longer."""
    if value is None:
        into.pop(key, None)
    else:
        into[key] = value


def nth(names: Any, number: int) -> Any:
    """One of them, whatever the number."""
    listed = list(names)
    return listed[number % len(listed)]


def toggle(into: Json, key: str, value: Any) -> None:
    """Put `value` into a list, or take it out; an empty list is not declared."""
    listed = [v for v in into.get(key, []) if v != value]
    put(into, key, listed if len(listed) < len(into.get(key, [])) else [*listed, value])
    if not into.get(key, True):
        del into[key]


def flip(into: Json, key: str) -> None:
    put(into, key, None if into.get(key) else True)


def _disk(wish: Json, a: int) -> Json:
    found: Json = wish["disks"][nth(wish["disks"], a)]
    return found


def _any(wish: Json, kind: str, a: int) -> Json:
    found = wish.get(kind) or {}
    return found[nth(found, a)] if found else {}


def _sub(into: Json, *keys: str) -> Json:
    for key in keys:
        into = into.setdefault(key, {})
    return into


def _drain(wish: Json, a: int) -> None:
    disk = _disk(wish, a)
    flip(disk, "drain")
    for limit in ("max", "keep_free") if "drain" in disk else ():
        disk.pop(limit, None)


def _rename(wish: Json, kind: str, a: int, b: int, names: tuple[str, ...]) -> None:
    found = wish.get(kind) or {}
    free = [n for n in names if n not in found]
    if found and free:
        old, new = nth(found, a), nth(free, b)
        wish[kind] = {new if k == old else k: v for k, v in found.items()}


def _split(wish: Json, a: int) -> None:
    """One resource over all disks becomes two, or two become one."""
    names, found = list(wish["disks"]), wish.get("disk_fill") or {}
    keep = dict(next(iter(found.values()), {}))
    if len(found) == 1 and len(names) > 3:
        wish["disk_fill"] = {"low": {**keep, "disks": names[:2]}, "high": {**keep, "disks": names[2:]}}
    else:
        wish["disk_fill"] = {nth(("media", "low"), a): {**keep, "disks": names}}


def _declare_tag(wish: Json, a: int, b: int) -> None:
    tags = wish.setdefault("tag", {})
    name = nth(LABELS, a)
    if name in tags:
        del tags[name]
    else:
        tags[name] = {"connections": [nth(wish["connections"], b)]}
    if not tags:
        del wish["tag"]


def _connections(wish: Json, a: int, b: int) -> None:
    tag = _any(wish, "tag", a)
    if tag:
        toggle(tag, "connections", nth(wish["connections"], b))


def _label(wish: Json, a: int, b: int) -> None:
    if wish.get("tag"):
        put(_any(wish, "tag", a), "label", nth((None, *LABELS), b))


def _access(wish: Json, a: int) -> None:
    connection = wish["connections"][nth(wish["connections"], a)]
    put(connection, "access", None if connection.get("access") else "read")


def _moves(wish: Json, a: int) -> Json:
    return _sub(_any(wish, "disk_fill", a), "moves")


EDITS: dict[str, Callable[[Json, int, int], None]] = {
    "max": lambda w, a, b: put(_disk(w, a), "max", nth(MAXES, b)),
    "keep_free": lambda w, a, b: put(_disk(w, a), "keep_free", nth(KEEPS, b)),
    "drain": lambda w, a, b: _drain(w, a),
    "size": lambda w, a, b: put(_disk(w, a), "size", nth((None, "300 GB", "700 GB"), b)),
    "distinct": lambda w, a, b: flip(_disk(w, a), "distinct"),
    "settle": lambda w, a, b: put(_any(w, "disk_fill", a), "settle", nth(SETTLES, b)),
    "per_run": lambda w, a, b: put(_moves(w, a), "per_run", nth(COUNTS, b)),
    "per_day_count": lambda w, a, b: put(_sub(_moves(w, a), "per_day"), "count", nth(COUNTS, b)),
    "per_day_bytes": lambda w, a, b: put(_sub(_moves(w, a), "per_day"), "bytes", nth(BYTES, b)),
    "cooldown": lambda w, a, b: put(_moves(w, a), "cooldown", nth(COOLDOWNS, b)),
    "exclude_tag": lambda w, a, b: toggle(_sub(_any(w, "disk_fill", a), "exclude"), "tags", nth(("pinned", "kids"), b)),
    "exclude_id": lambda w, a, b: toggle(_sub(_any(w, "disk_fill", a), "exclude"), "ids", _ident(w, b)),
    "balance": lambda w, a, b: flip(_any(w, "disk_fill", a), "balance"),
    "fill_disks": lambda w, a, b: toggle(_any(w, "disk_fill", a), "disks", nth(w["disks"], b)),
    "split": lambda w, a, b: _split(w, a),
    "rename_fill": lambda w, a, b: _rename(w, "disk_fill", a, b, ("media", "library", "disks")),
    "pause_fill": lambda w, a, b: flip(_any(w, "disk_fill", a), "paused"),
    "tag": _declare_tag,
    "tag_connections": _connections,
    "tag_label": _label,
    "tag_prune": lambda w, a, b: flip(_any(w, "tag", a), "prune"),
    "rename_tag": lambda w, a, b: _rename(w, "tag", a, b, LABELS),
    "pause_tag": lambda w, a, b: flip(_any(w, "tag", a), "paused"),
    "protect": lambda w, a, b: toggle(w, "protect", f"tag:{nth(LABELS, a)}"),
    "protect_own": lambda w, a, b: toggle(_any(w, "tag", a), "protect", f"tag:{nth(LABELS, b)}"),
    "guard_run": lambda w, a, b: put(_sub(w, "guards", "destroy"), "max", nth(LIMITS, b)),
    "guard_share": lambda w, a, b: put(_sub(w, "guards", "destroy"), "max_percent", nth(SHARES, b)),
    "guard_day": lambda w, a, b: put(_sub(w, "guards", "per_day"), "max", nth(LIMITS, b)),
    "guard_own": lambda w, a, b: put(_sub(_any(w, "tag", a), "guard"), "max", nth(LIMITS, b)),
    "access": lambda w, a, b: _access(w, a),
}


def _ident(wish: Json, number: int) -> str:
    """Of an item as the stage makes them."""
    apps = [c["app"] for c in wish["connections"].values()]
    return f"tvdb:{7001 + number % 12}" if nth(apps, number) == "sonarr" else f"tmdb:{501 + number % 12}"
