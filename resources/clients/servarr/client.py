"""The client of Sonarr and Radarr: typed answers to typed queries, and the few writes that kinds need. No decisions.

Opened by `app.py`. Before its first answer it asks once who is there, so that no fact ever comes from the wrong program.
Every answer is complete by its own proof (pages against the server's total, elements against their form) or is none.
Writes send back the whole resource as the server gave it, so fields that we do not know survive (law 9).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients.http import Http, Reads
from resources.clients.servarr import parse
from resources.clients.servarr import queries as q
from resources.clients.servarr.flavour import Flavour
from resources.clients.servarr.history import History, history
from resources.clients.servarr.values import (
    Command,
    DiskSpace,
    Entry,
    FileRow,
    Item,
    LogLine,
    QueueRecord,
    Root,
    Status,
    Tag,
    TreeFile,
)

T = TypeVar("T")

API = "/api/v3"
QUEUE_PAGE = 1000
QUEUE_PASSES = 3
TREE_DEPTH = 12
TREE_FOLDERS = 500


def reads(flavour: Flavour) -> Reads:
    """Everything that may be sent to look: what a connection with `access: read` lets pass."""
    lists = f"system/status|tag(/detail)?|rootfolder|diskspace|command|queue|history|log|filesystem|{flavour.file}"
    return (("GET", re.compile(rf"/api|{API}/({lists}|command/\d+|{flavour.item}(/\d+)?)")),)


class ServarrClient:
    """One open connection. Thread-safe."""

    def __init__(self, flavour: Flavour, http: Http) -> None:
        self.flavour = flavour
        self.http = http
        self._met: Status | None = None
        self._failures: list[ReadFailed] = []
        self._lock = threading.Lock()
        self._answers: dict[type[Query[Any]], Callable[[Any], Any]] = {
            q.StatusOf: lambda _: self._status(),
            q.Items: lambda _: self._items(),
            q.OneItem: lambda query: self._item(query.item_id),
            q.Roots: lambda _: self._roots(),
            q.DiskSpaces: lambda _: self._disk_spaces(),
            q.Commands: lambda _: self._commands(),
            q.CommandById: lambda query: self._command(query.command_id),
            q.Queue: lambda _: self._queue(),
            q.Tags: lambda _: self._tags(),
            q.TagUsers: lambda _: self._tag_users(),
            q.Listing: lambda query: self._listing(query.path),
            q.Tree: lambda query: self._tree(query.path),
            q.FileRows: lambda query: self._file_rows(query.item_id),
            q.LogTail: lambda _: self._log_tail(),
            History: lambda _: history(self.http, f"{API}/history", self.flavour.item_id, self.flavour.part_id),
        }

    def close(self) -> None:
        self.http.close()

    def read(self, query: Query[T]) -> T:
        """The complete answer, or ReadFailed, or NotThere."""
        if not isinstance(query, q.StatusOf):
            self._meet()
        return cast("T", self._answers[type(query)](query))

    # who is there ----------------------------------------------------------------------------------------------------

    def _meet(self) -> None:
        """Ask once who answers. Whoever waited while that failed shares the failure instead of asking again."""
        seen = len(self._failures)
        with self._lock:
            if self._met:
                return
            if len(self._failures) > seen:
                raise self._failures[-1]
            try:
                self._status()
            except ReadFailed as e:
                self._failures.append(e)
                raise

    def _status(self) -> Status:
        where, name = self.http.where, self.flavour.name
        found = parse.status(self.http.get(f"{API}/system/status"), f"the status of {where.url}")
        if found.app != name:
            remedy = f"correct {where.field}: either its url or its app"
            raise ReadFailed("wrong-app", f"{where.url} is a {found.app or 'nameless app'}, not a {name}", remedy)
        major = found.version.partition(".")[0]
        if major.isdigit() and int(major) < self.flavour.versions[0]:
            reason = f"{where.url} is {name} {found.version}, which is too old"
            raise ReadFailed("wrong-app", reason, f"update it to {name} {self.flavour.versions[0]} or newer")
        self._met = found
        return found

    # lists -----------------------------------------------------------------------------------------------------------

    def _tags(self) -> tuple[Tag, ...]:
        found = parse.once(self.http.each(f"{API}/tag", parse.tag), lambda t: t.id, "the tags")
        return tuple(sorted(found, key=lambda t: (t.label, t.id)))

    def _tag_users(self) -> dict[str, str]:
        found = parse.once(
            self.http.each(f"{API}/tag/detail", parse.tag_users), lambda pair: pair[0], "the tags' users"
        )
        return {label: users for label, users in sorted(found) if users}

    def _labelled(self, found: list[tuple[Item, tuple[int, ...]]]) -> tuple[Item, ...]:
        """With the labels of the tags, read after the items. An id that the list lacks stays, as `#5`: it is not no tag."""
        labels = {t.id: t.label for t in self._tags()} if any(ids for _, ids in found) else {}
        return tuple(
            replace(item, tags=tuple(sorted(labels.get(i, f"#{i}") for i in ids))) if ids else item
            for item, ids in found
        )

    def _items(self) -> tuple[Item, ...]:
        keep = partial(parse.item, flavour=self.flavour)
        found = self.http.each(f"{API}/{self.flavour.item}", keep, self.flavour.list_params)
        found.sort(key=lambda pair: pair[0].id)
        for what, names in (("id", [i.id for i, _ in found]), ("outside id", [i.ident for i, _ in found])):
            if len(set(names)) != len(names):
                raise parse.malformed(f"the list of {self.http.where.url}", f"two items have the same {what}")
        return self._labelled(found)

    def _roots(self) -> tuple[Root, ...]:
        found = parse.once(self.http.each(f"{API}/rootfolder", parse.root), lambda r: r.id, "the root folders")
        return tuple(sorted(found, key=lambda r: r.path))

    def _disk_spaces(self) -> tuple[DiskSpace, ...]:
        return tuple(sorted(self.http.each(f"{API}/diskspace", parse.disk_space), key=lambda d: d.path))

    def _commands(self) -> tuple[Command, ...]:
        found = parse.once(self.http.each(f"{API}/command", parse.command), lambda c: c.id, "the commands")
        return tuple(sorted(found, key=lambda c: c.id))

    def _log_tail(self) -> tuple[LogLine, ...]:
        params: dict[str, str | int | bool] = {
            "page": 1,
            "pageSize": 100,
            "sortKey": "time",
            "sortDirection": "descending",
        }
        _, records = self._page(f"{API}/log", params)
        return tuple(parse.log_line(r) for r in records)

    def _page(self, path: str, params: Mapping[str, str | int | bool]) -> tuple[int, list[dict[str, Any]]]:
        page = self.http.get(path, params)
        records = page.get("records") if isinstance(page, dict) else None
        total = page.get("totalRecords") if isinstance(page, dict) else None
        if not isinstance(total, int) or not isinstance(records, list) or any(not isinstance(r, dict) for r in records):
            raise parse.malformed(path, "no page with totalRecords and records")
        return total, records

    def _queue(self) -> tuple[QueueRecord, ...]:
        """A queue that changes while its pages are read is read again, a few times."""
        for _ in range(QUEUE_PASSES):
            found, totals = self._queue_pass()
            if totals == {len(found)}:
                return tuple(found[number] for number in sorted(found))
        raise ReadFailed(
            "incomplete",
            f"{self.http.where.url} counts {max(totals)} queue records and shows {len(found)}",
            "try again; the queue changes while it is read",
        )

    def _queue_pass(self) -> tuple[dict[int, QueueRecord], set[int]]:
        """Records by id, and every total that was told. A page past the end would repeat the one before: count, stop."""
        found: dict[int, QueueRecord] = {}
        totals: set[int] = set()
        page = 1
        while page == 1 or (page - 1) * QUEUE_PAGE < max(totals):
            params = {"page": page, "pageSize": QUEUE_PAGE, self.flavour.unknown_items: True}
            total, records = self._page(f"{API}/queue", params)
            totals.add(total)
            before = len(found)
            found |= {r.id: r for r in (parse.queue_record(raw, self.flavour) for raw in records)}
            if len(found) == before:  # it counts more than it has: the caller sees that some are missing
                break
            page += 1
        return found, totals

    # single things ---------------------------------------------------------------------------------------------------

    def _item(self, item_id: int) -> Item:
        raw = self._resource(item_id)
        return self._labelled([parse.item(raw, self.flavour)])[0]

    def _resource(self, item_id: int) -> dict[str, Any]:
        """The whole resource as the server has it. NotThere on 404."""
        raw = self.http.get(f"{API}/{self.flavour.item}/{item_id:d}", may_miss=True)
        if not isinstance(raw, dict) or raw.get("id") != item_id:
            raise parse.malformed(f"{self.flavour.item} {item_id}", "the answer is about something else")
        return raw

    def _command(self, command_id: int) -> Command:
        found = parse.command(self.http.get(f"{API}/command/{command_id:d}", may_miss=True))
        if found.id != command_id:
            raise parse.malformed(f"command {command_id}", "the answer is about something else")
        return found

    def _file_rows(self, item_id: int) -> tuple[FileRow, ...]:
        keep = partial(parse.file_row, flavour=self.flavour)
        params = {self.flavour.item_id: item_id}
        found = self.http.each(f"{API}/{self.flavour.file}", keep, params, may_miss=True)
        if any(row.item_id != item_id for row in found):
            raise parse.malformed(f"the files of {self.flavour.item} {item_id}", "some are of another")
        parse.once(found, lambda row: row.id, f"the files of {self.flavour.item} {item_id}")
        return tuple(sorted(found, key=lambda row: row.relative))

    # folders ---------------------------------------------------------------------------------------------------------

    def _listing(self, path: str) -> tuple[Entry, ...]:
        # Without the slash the server would list the folder above.
        params: dict[str, str | int | bool] = {"path": path.rstrip("/") + "/", "includeFiles": True}
        return parse.entries(self.http.get(f"{API}/filesystem", params), path)

    def _tree(self, path: str) -> tuple[TreeFile, ...]:
        found: list[TreeFile] = []
        waiting = [("", 1)]
        seen = 0
        while waiting:
            folder, depth = waiting.pop()
            seen += 1
            if depth > TREE_DEPTH or seen > TREE_FOLDERS:
                limit = f"{TREE_DEPTH} levels or {TREE_FOLDERS} folders"
                raise ReadFailed("incomplete", f"{path} has more than {limit}", "look at it yourself: a linked folder?")
            for entry in self._listing(f"{path.rstrip('/')}/{folder}"):
                name = f"{folder}{entry.name}"
                if entry.is_folder:
                    waiting.append((f"{name}/", depth + 1))
                else:
                    found.append(TreeFile(name, entry.bytes))
        return tuple(sorted(found, key=lambda f: f.relative))

    # writes ----------------------------------------------------------------------------------------------------------

    def move(self, item_id: int, to_path: str, *, move_files: bool, from_path: str | None = None) -> None:
        """Give an item another folder. With `move_files` the server queues a move and answers at once: nothing has moved.

        The whole resource goes back with only `path` changed; when it shows another path than `from_path`, somebody was
        faster and nothing is sent. WriteRefused: nothing happened. ReplyLost: look.
        """
        if not to_path.startswith("/") or not to_path.strip("/"):
            raise WriteRefused(f"'{to_path}' is no folder that an item can have")
        raw = self._before_write(lambda: self._resource(item_id), f"{self.flavour.item} {item_id}")
        lies = parse.plain(str(raw.get("path", "")))
        if from_path is not None and lies != parse.plain(from_path):
            raise WriteRefused(
                f"not sent: its folder is {lies} now, and no longer {from_path}", "make a new plan: arr plan"
            )
        answer = self.http.write(
            "PUT",
            f"{API}/{self.flavour.item}/{item_id:d}",
            params={"moveFiles": move_files},
            body={**raw, "path": parse.plain(to_path)},
        )
        self._is_about(answer, item_id, "the move")

    def rescan(self, item_id: int) -> int:
        """Have one item's folder read again; the command's id. The server forgets every file that is not there."""
        if item_id <= 0:
            raise WriteRefused(f"{item_id} is no id: a rescan without one would be of the whole library")
        self._before_write(self._meet, "the rescan")
        answer = self.http.write(
            "POST", f"{API}/command", body={"name": self.flavour.rescan, self.flavour.item_id: item_id}
        )
        body = answer.get("body") if isinstance(answer, dict) else None
        if not isinstance(body, dict) or not isinstance(answer.get("id"), int):
            raise ReplyLost("the rescan was answered with no command")
        if body.get(self.flavour.item_id) != item_id:
            raise WriteRefused("the server merged the rescan with that of another item", "try again when that is over")
        return cast("int", answer["id"])

    def create_tag(self, label: str) -> Tag:
        """Make a tag, or find the one that has the label. Labels are lower case: the server compares before it lowers."""
        self._before_write(self._meet, "the tag")
        return self._tag_of(self.http.write("POST", f"{API}/tag", body={"label": label.lower()}), label)

    def delete_tag(self, tag_id: int) -> None:
        """Delete a tag. WriteRefused, in the server's words, while anything carries it."""
        if tag_id <= 0:
            raise WriteRefused(f"{tag_id} is no id of a tag")
        self._before_write(self._meet, "the tag")
        self.http.write("DELETE", f"{API}/tag/{tag_id:d}")

    def _before_write(self, look: Callable[[], T], what: str) -> T:
        """What has to be read before a write. When it can't be, nothing has been sent."""
        try:
            self._meet()
            return look()
        except NotThere:
            raise WriteRefused(f"not sent: {what} is not there any more") from None
        except ReadFailed as e:
            raise WriteRefused(f"not sent: {e.reason}", e.remedy) from None

    def _is_about(self, answer: Any, number: int, what: str) -> None:
        if not isinstance(answer, dict) or answer.get("id") != number:
            raise ReplyLost(f"{what} was answered with something else")

    def _tag_of(self, answer: Any, label: str) -> Tag:
        if not isinstance(answer, dict) or answer.get("label") != label.lower():
            raise ReplyLost(f"the tag '{label}' was answered with something else")
        return parse.tag(answer)
