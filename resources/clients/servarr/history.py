"""The history of a Sonarr or Radarr: which download became which file. Complete, or none.

Kinds that delete what was downloaded need the whole of it: a page that is missing would make an import look as if it had
never been. Events are known by their name; their numbers mean other things in another app. Rows of an item that was
removed are gone from it, and a file that a scan adopted has no import in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from reconciler.facts import Query, ReadFailed
from resources.clients.servarr import parse

if TYPE_CHECKING:
    from resources.clients.failures import Where

PAGE = 1000
PASSES = 3

GRABBED = "grabbed"
IMPORTED = frozenset({"downloadFolderImported", "downloadImported"})  # Sonarr and Radarr; Lidarr
IGNORED = "downloadIgnored"


@dataclass(frozen=True, slots=True)
class Event:
    """One row.

    `download`  the id of the download in lower case (of a torrent its info-hash); "" for none.
    `item_id`, `part_id`  the series and the episode, or the movie twice: what an import fills.
    `file_id`   the row of the file that an import made; None where the server does not say.
    `path`      where an import put its file, as the app sees it; "" otherwise.
    `dropped`   which file of the download an import took, as the app saw it; "" otherwise.
    """

    id: int
    event: str
    at: datetime
    download: str
    item_id: int
    part_id: int
    file_id: int | None
    path: str
    dropped: str = ""


@dataclass(frozen=True)
class History(Query[tuple[Event, ...]]):
    """Every event, oldest first: as many as the server counts, or unknown. One request per 1,000 events."""


class Reader(Protocol):
    """What of an HTTP connection is needed."""

    where: Where

    def get(
        self, path: str, params: Mapping[str, str | int | bool] | None = None, *, may_miss: bool = False
    ) -> Any: ...


def history(http: Reader, path: str, item: str, part: str) -> tuple[Event, ...]:
    """All rows. `item` and `part`: the fields of an item and of its part. Read again, a few times, while it changes."""
    found: dict[int, Event] = {}
    totals: set[int] = set()
    for _ in range(PASSES):
        found, totals = _pass(http, path, item, part)
        if totals == {len(found)}:
            return tuple(sorted(found.values(), key=lambda e: (e.at, e.id)))
    raise ReadFailed(
        "incomplete",
        f"the history of {http.where.url} counts {max(totals)} events and shows {len(found)}",
        "try again; it changes while it is read",
    )


def _pass(http: Reader, path: str, item: str, part: str) -> tuple[dict[int, Event], set[int]]:
    """One reading from the oldest event on: what is added meanwhile comes at the end and moves nothing."""
    found: dict[int, Event] = {}
    totals: set[int] = set()
    page = 1
    while page == 1 or (page - 1) * PAGE < max(totals):
        params: dict[str, str | int | bool] = {
            "page": page, "pageSize": PAGE, "sortKey": "date", "sortDirection": "ascending"
        }  # fmt: skip
        answer = http.get(path, params)
        records = answer.get("records") if isinstance(answer, dict) else None
        total = answer.get("totalRecords") if isinstance(answer, dict) else None
        if not isinstance(total, int) or isinstance(total, bool) or not isinstance(records, list):
            raise parse.malformed("the history", "no page with totalRecords and records")
        totals.add(total)
        before = len(found)
        for raw in records:
            event = _event(raw, item, part)
            found[event.id] = event
        if len(found) == before:  # it counts more than it has: the caller sees that some are missing
            break
        page += 1
    return found, totals


def _event(raw: Any, item: str, part: str) -> Event:
    if not isinstance(raw, dict):
        raise parse.malformed("the history", "an event is no object")
    number, name, date = raw.get("id"), raw.get("eventType"), raw.get("date")
    if not isinstance(number, int) or not isinstance(name, str) or not isinstance(date, str):
        raise parse.malformed("the history", "an event has no id, eventType or date")
    item_id, part_id, data = raw.get(item), raw.get(part), raw.get("data")
    if not isinstance(item_id, int) or not isinstance(part_id, int):
        raise parse.malformed("the history", f"event {number} is about nothing")
    try:
        at = datetime.fromisoformat(date)
    except ValueError:
        raise parse.malformed("the history", f"the date of event {number} is none") from None
    if at.tzinfo is None:
        raise parse.malformed("the history", f"the date of event {number} has no zone")
    data = data if isinstance(data, dict) else {}
    file_id = str(data.get("fileId") or "")
    return Event(
        id=number,
        event=name,
        at=at,
        download=str(raw.get("downloadId") or "").lower(),
        item_id=item_id,
        part_id=part_id,
        file_id=int(file_id) if file_id.isascii() and file_id.isdigit() and len(file_id) < 16 else None,
        path=str(data.get("importedPath") or "") if name in IMPORTED else "",
        dropped=str(data.get("droppedPath") or "") if name in IMPORTED else "",
    )
