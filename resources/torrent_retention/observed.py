"""What only time tells: seeding time of a client that does not count it, how often a tracker has disowned a torrent, and
since when nobody claims what lies in a folder.

Each plan notes what it saw as a sighting; the next plan reads it from the ledger. The text of a sighting is a small record:
nothing but this module reads it, and one that does not read is as good as none (which keeps the torrent).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from reconciler.kind import Ledger
from resources.clients.torrents import COUNTS_SEEDING, Torrent
from resources.torrent_retention.spec import Unregistered

APART = timedelta(hours=1)  # sightings closer together count as one
BELIEVED = timedelta(minutes=15)  # how long a list has to stay short
SHRINK_FROM, SHRINK_TO = 10, 0.9  # a short list may shrink without anybody wondering, but not become empty
OURS = timedelta(days=1)  # how far back removals of ours explain a shorter list

_DISOWNED = (
    "unregistered", "not registered", "torrent not found", "unknown torrent", "torrent does not exist", "not exist",
    "infohash not found", "info hash not found", "torrent has been deleted", "trumped", "nuked", "dead torrent",
)  # fmt: skip
_TROUBLE = (
    "maintenance",
    "down",
    "offline",
    "try again",
    "temporar",
    "timed out",
    "timeout",
    "unavailable",
    "overload",
    # of a user, a program or the network, and not of a torrent
    "pass",
    "account",
    "user",
    "client",
    "host",
    "resolv",
)


class Observed:
    """The sightings of one resource: read from the ledger, and those that this plan adds."""

    def __init__(self, address: str, ledger: Ledger, connection: str, app: str) -> None:
        self._before: Mapping[str, tuple[str, datetime]] = ledger.sightings
        self._history = ledger.history
        self._address, self._connection, self._app = address, connection, app
        self.sightings: dict[str, str] = {}

    def _numbers(self, item: str, count: int) -> list[float] | None:
        text, _ = self._before.get(f"{self._address} {item}", ("", None))
        parts = text.split()
        try:
            return [float(p) for p in parts] if len(parts) == count else None
        except ValueError:
            return None

    def seeded(self, torrent: Torrent, now: datetime) -> int | None:
        """Seconds of seeding: as the client counts them, else the stretches of before, and the present one."""
        if torrent.seeded_s is None or self._app in COUNTS_SEEDING:
            return torrent.seeded_s
        item, at = f"seeded {self._connection} {torrent.hash}", int(now.timestamp())
        before = self._numbers(item, 3)
        base, stretch = 0.0, float(torrent.seeded_s)
        if before is not None and before[2] <= at:
            base, last, when = before
            if stretch < at - when:  # it began after that look: the stretch of then is over
                base += last
        self.sightings[item] = f"{base:.0f} {stretch:.0f} {at:.0f}"
        return int(base + stretch)

    def shrunk(self, client: str, count: int, now: datetime) -> str:
        """Why a list that another client told is not believed yet; "" when it is. The client of the resource has a guard.

        A client that was started just now tells an empty list, or a part of it: everything else would look unclaimed.
        What we have removed ourselves is not missing.
        """
        item, at = f"torrents of {client}", now.timestamp()
        before = self._numbers(item, 2)
        most, since = before if before is not None else (float(count), 0.0)
        if (
            client == self._connection
            or count + self._ours(client, now) >= most * SHRINK_TO
            or (count and most < SHRINK_FROM)
        ):
            self.sightings[item] = f"{count} 0"
            return ""
        since = since if 0 < since <= at else at
        if at - since >= BELIEVED.total_seconds():
            self.sightings[item] = f"{count} 0"
            return ""
        self.sightings[item] = f"{most:.0f} {since:.0f}"
        return f"{client} shows {count} torrents; at the last good look it was {most:.0f}"

    def _ours(self, client: str, now: datetime) -> int:
        """How many torrents of that client we have removed lately."""
        past = (p for p in self._history if p.action.verb == "remove" and now - p.at <= OURS)
        return sum(p.outcome == "done" and p.action.subject.connection == client for p in past)

    def unclaimed(self, path: str, state: str, older: float, now: datetime) -> bool:
        """Whether a plan at least `older` seconds ago (and never less than an hour) saw it unclaimed in this very state,
        and none since has seen it claimed. A list that a client told short once makes no orphans."""
        item = f"unclaimed {path}"
        seen, since = self._before.get(f"{self._address} {item}", ("", None))
        self.sightings[item] = state
        return seen == state and since is not None and now - since >= max(timedelta(seconds=older), APART)

    def claimed(self, path: str) -> None:
        """Somebody claims it: what was seen before begins anew."""
        item = f"unclaimed {path}"
        if self._before.get(f"{self._address} {item}", ("", None))[0]:
            self.sightings[item] = ""

    def disowned(self, torrent: Torrent, rule: Unregistered, now: datetime) -> str | None:
        """How it was disowned, once that was seen often and long enough; "" while it is not yet; None when it is not."""
        item, at = f"unregistered {self._connection} {torrent.hash}", int(now.timestamp())
        before = self._numbers(item, 3)
        if not disowned_now(torrent):
            if before is not None:
                self.sightings[item] = ""
            return None
        count, first, last = before if before is not None and before[2] <= at else (0.0, float(at), 0.0)
        if at - last >= APART.total_seconds():
            count, last = count + 1, at
        self.sightings[item] = f"{count:.0f} {first:.0f} {last:.0f}"
        if count < rule.seen or last - first < rule.over:
            return ""
        days = (last - first) / 86400
        return f"its tracker disowns it, seen {count:.0f} times over {days:.1f} days: {torrent.message}"


def disowned_now(torrent: Torrent) -> bool:
    """Whether every tracker that is not switched off says that it does not know this torrent.

    Trouble of the tracker's own (maintenance, time-outs) is none, and neither is an error without these words.
    """
    trackers = [t for t in torrent.trackers or () if t.enabled and t.host]
    words = [(t.message or torrent.message).lower() for t in trackers]
    return bool(trackers) and all(
        t.state == "error" and any(p in w for p in _DISOWNED) and not any(p in w for p in _TROUBLE)
        for t, w in zip(trackers, words, strict=True)
    )
