"""What every torrent client answers, whichever program it is: the vocabulary that kinds plan with.

Clients of rtorrent, qBittorrent and Transmission answer `Torrents` and `OneTorrent`, and have the write methods
`remove(hash, *, data)` and `pause(hash)`. Two rules stand here because all of them need them: an info-hash is a typed,
non-empty thing (a blank one, or qBittorrent's `all`, would widen one deletion to everything), and a tracker's URL loses
its passkey before anything else sees it (law 10).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from reconciler.facts import Query, ReadFailed
from reconciler.kind import WriteRefused
from resources.clients.text import is_whole, mended

APPS = ("rtorrent", "qbittorrent", "transmission")  # the apps that answer these queries
COUNTS_SEEDING = frozenset(
    {"qbittorrent", "transmission"}
)  # whose `seeded_s` is of all time; of others the present stretch
DELETES_DATA = frozenset({"qbittorrent", "transmission"})  # those that delete a torrent's files themselves

MOST_RATIO = 1e9
MOST_SIZE = 1 << 63
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_KEY = re.compile(r"(?=[A-Za-z_-]*[0-9])[0-9A-Za-z_-]{16,}")  # long, with a figure in it: no word that people write
_WORD = re.compile(r"[A-Za-z]{1,12}(\.php)?")  # what an announce URL may show of its path: everything else may be a key


@lru_cache(maxsize=4096)
def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower().rstrip(".")


@dataclass(frozen=True, slots=True)
class Tracker:
    """A tracker of a torrent.

    `url`      scheme, host and the first part of the path where that is no passkey: never the whole announce URL. "" where
               it cannot be understood, and `** [DHT] **` or its like for what is no tracker.
    `state`    working, not-contacted, updating, error or disabled. `message`: the tracker's own words, without secrets.
    """

    url: str
    tier: int
    enabled: bool
    message: str
    state: str

    @property
    def host(self) -> str:
        """The host name in lower case, without a port or a dot at its end; "" for what is none (DHT, PEX)."""
        return _host(self.url)


@dataclass(frozen=True, slots=True)
class TorrentFile:
    """A file of a torrent. `path` relative to the torrent's `save_path`, with "/" between names; sizes in bytes."""

    path: str
    size: int
    done: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Torrent:
    """A torrent as its client tells of it. None is "the client does not know", never 0 in its place.

    `hash`       40 lower-case hex digits, or 64 of a version 2 torrent.
    `save_path`  the folder that the payload lies in, as the client sees it; `content` the payload itself: a file or folder.
                 Both "" where the client cannot tell.
    `state`      seeding, downloading, paused, halted, checking, queued, error, moving or unknown. Queued to seed is queued;
                 a complete one of rtorrent that is started and not active (its files closed, say) is halted.
    `ratio`      None while it is checked, and where nothing was downloaded.
    `seeded_s`   seconds of seeding as the client counts them; of rtorrent, which does not count, the present stretch.
    `finished`   when the client saw it complete. Data that was there when it was added counts from its check.
    `label`      label or category; `tags` where the client has both.
    `message`    what is wrong, in the client's or tracker's words.
    `trackers`, `files`   None: the client does not tell these in a list of all torrents; ask `OneTorrent`.
    """

    hash: str
    name: str
    save_path: str
    content: str
    size: int
    done: int
    complete: bool
    state: str
    ratio: float | None
    uploaded: int | None
    seeded_s: int | None
    added: datetime | None
    finished: datetime | None
    label: str
    tags: tuple[str, ...]
    private: bool | None
    seeders: int | None
    message: str
    trackers: tuple[Tracker, ...] | None
    files: tuple[TorrentFile, ...] | None


@dataclass(frozen=True)
class Torrents(Query[tuple[Torrent, ...]]):
    """Every torrent, sorted by hash. One request, or a fixed small number of them; never one per torrent."""


@dataclass(frozen=True)
class OneTorrent(Query[Torrent]):
    """One torrent with its trackers and files. Absent when the client has no such torrent."""

    hash: str


def as_hash(text: str) -> str:
    """The info-hash in lower case. ReadFailed when it is none: what has no name of its own must not be spoken of."""
    lower = text.lower()
    if not _HASH.fullmatch(lower):
        raise ReadFailed("malformed", f"'{mended(text[:80])}' is no info-hash", "see the client's own list")
    return lower


def exactly_one(text: str) -> str:
    """An info-hash that may stand in a write. WriteRefused for everything else: empty, `all`, lists, wildcards."""
    if not _HASH.fullmatch(text):
        raise WriteRefused(f"'{text[:80]}' is not one info-hash: nothing was sent")
    return text


def public_url(url: str) -> str:
    """An announce URL without what identifies the user: no query, no user, no part that looks like a passkey."""
    if not is_whole(url):
        return ""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme == "dht":
        return "** [DHT] **"
    if not host:
        return url if re.fullmatch(r"\*\* \[[A-Za-z]{2,6}\] \*\*", url) else ""
    names = [part for part in parts.path.split("/") if part]
    first = names[0] if names and _WORD.fullmatch(names[0]) else ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}/{first}".rstrip("/")


def as_size(value: object) -> int | None:
    """Bytes, seconds or a count that a client tells; None for what is none: below zero, or more than can be kept."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_SIZE:
        return None
    return value


def as_ratio(value: object) -> float | None:
    """A ratio that a client tells; None for what is none: below zero, endless, or absurd."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_RATIO:
        return None
    return float(value)


def phrase_of(text: str, limit: int = 200) -> str:
    """A client's or tracker's words: one line, bounded, its URLs shortened to their public parts, long keys left out."""
    line = " ".join(mended(text).split())
    line = re.sub(r"[a-z]+://[^\s'\"<>]+", lambda match: public_url(match[0]) or "(address)", line, flags=re.IGNORECASE)
    line = _KEY.sub("(key)", line)
    return line if len(line) <= limit else line[:limit] + "…"
