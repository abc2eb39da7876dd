"""What `arr doctor` finds out about a Sonarr or Radarr: each line a check, and the remedy when it is not well. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from reconciler.clock import Clock
from reconciler.connection import Finding, Place
from reconciler.facts import ReadFailed
from reconciler.units import age_text, size_text
from resources.clients.http import Answer
from resources.clients.servarr.client import ServarrClient
from resources.clients.servarr.queries import DiskSpaces, Roots, StatusOf
from resources.clients.servarr.values import DiskSpace, Root, Status
from resources.clients.text import mended

SKEW = 120  # seconds


def examine(client: ServarrClient, url: str, clock: Clock) -> list[Finding]:
    """Everything in order; when it does not answer at all, that alone."""
    try:
        status = client.read(StatusOf(client.http.where.name))
        api = client.http.answer("/api")
    except ReadFailed as e:
        return [Finding("answers", ok=False, says=e.reason, remedy=e.remedy)]
    return [
        _version(client, status),
        Finding("key", ok=True, says="accepted"),
        _base(status, url),
        _api(client, api),
        _clock(client, api, clock),
        *_disks(client),
    ]


def places(client: ServarrClient, paths: Sequence[str]) -> dict[str, Place]:
    """Declared root folders as the app sees them. ReadFailed."""
    name = client.http.where.name
    roots = {root.path: root for root in client.read(Roots(name))}
    disks = client.read(DiskSpaces(name))
    out = {}
    for path in paths:
        root = roots.get(path)
        if root is None:
            out[path] = Place(known=False, others=tuple(sorted(roots)))
        else:
            size = root.total if root.total is not None else _size(root, disks)
            out[path] = Place(known=True, accessible=root.accessible, free=root.free, size=size)
    return out


def _version(client: ServarrClient, status: Status) -> Finding:
    versions, name = client.flavour.versions, client.flavour.name
    says = f"{name} {status.version} on {status.os or 'an unnamed system'}"
    major = status.version.partition(".")[0]
    if major.isdigit() and int(major) in versions:
        return Finding("answers", ok=True, says=says)
    tried = " and ".join(str(v) for v in versions)
    remedy = f"this program was tried with {name} {tried}; read plans with care"
    return Finding("answers", ok=None, says=says, remedy=remedy)


def _base(status: Status, url: str) -> Finding:
    path = urlsplit(url).path.rstrip("/")
    if path == status.url_base:
        return Finding("URL base", ok=True, says=path or "none")
    says = f"the app's is '{status.url_base or '/'}', url has '{path or '/'}'"
    return Finding("URL base", ok=None, says=says, remedy="well if a proxy rewrites it; else make them the same")


def _api(client: ServarrClient, api: Answer) -> Finding:
    told = api.data if isinstance(api.data, dict) else {}
    current, deprecated = mended(str(told.get("current") or "not told")), told.get("deprecated") or []
    if current == "v3":
        return Finding("API", ok=True, says="v3 is current")
    if "v3" in deprecated:
        return Finding("API", ok=True, says=f"v3 is still served; current is {current}")
    remedy = f"this program speaks v3: update it, or stay with the {client.flavour.name} you had"
    return Finding("API", ok=False, says=f"v3 is not served (current: {current})", remedy=remedy)


def _clock(client: ServarrClient, api: Answer, clock: Clock) -> Finding:
    try:
        theirs = parsedate_to_datetime(api.headers.get("date", ""))
    except (ValueError, OverflowError):
        return Finding("clock", ok=None, says="the server does not tell its time")
    if theirs.tzinfo is None:  # a date without a zone (or with "-0000") is no moment
        return Finding("clock", ok=None, says="the server does not tell its time")
    skew = (theirs - clock.now()).total_seconds()
    if abs(skew) <= SKEW:
        return Finding("clock", ok=True, says="agrees with this machine's")
    way = "ahead of" if skew > 0 else "behind"
    says = f"{client.flavour.name} is {age_text(abs(skew))} {way} this machine"
    return Finding("clock", ok=False, says=says, remedy="set both clocks by NTP: ages are counted from dates of both")


def _disks(client: ServarrClient) -> Iterator[Finding]:
    name = client.http.where.name
    try:
        roots, disks = client.read(Roots(name)), client.read(DiskSpaces(name))
    except ReadFailed as e:
        yield Finding("root folders", ok=False, says=e.reason, remedy=e.remedy)
        return
    if not roots:
        yield Finding("root folders", ok=False, says="it has none", remedy="add one: Settings → Media Management")
    for root in roots:
        yield _root(root, disks)


def _root(root: Root, disks: tuple[DiskSpace, ...]) -> Finding:
    what = f"root {root.path}"
    if not root.accessible:
        remedy = "is it mounted and readable where the app runs? A slow disk reads the same: look again"
        return Finding(what, ok=False, says="the app cannot reach it", remedy=remedy)
    if root.free is None:
        return Finding(what, ok=False, says="its free space is not told", remedy="the disk may be slow: look again")
    size = root.total if root.total is not None else _size(root, disks)
    if size is None:
        remedy = "percentages need it: give the disk `here` (a folder of it on this machine) or `size`"
        return Finding(what, ok=None, says=f"{size_text(root.free)} free; its size is not told", remedy=remedy)
    return Finding(what, ok=True, says=f"{size_text(root.free)} free of {size_text(size)}")


def _size(root: Root, disks: tuple[DiskSpace, ...]) -> int | None:
    """The size of the mount above the root, if it is the same space: in a container "/" is another disk's."""
    above = [d for d in disks if f"{root.path}/".startswith(f"{d.path.rstrip('/')}/")]
    nearest = max(above, key=lambda d: len(d.path), default=None)
    if nearest is None or root.free is None or abs(nearest.free - root.free) > nearest.total // 100:
        return None
    return nearest.total
