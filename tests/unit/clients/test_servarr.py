"""Sonarr and Radarr as values: complete, from the right program, in the right types; writes change one field."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.clock import FakeClock
from reconciler.connection import Access, App
from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients.servarr import (
    RADARR,
    SONARR,
    CommandById,
    Commands,
    DiskSpaces,
    Entry,
    FileRows,
    Items,
    Listing,
    LogTail,
    OneItem,
    Queue,
    Roots,
    StatusOf,
    Tags,
    TagUsers,
    Tree,
    TreeFile,
)
from resources.clients.servarr.client import ServarrClient
from resources.clients.servarr.history import History
from tests.unit.clients.raw import Asked, Raw, Send, cut, reply

STATUS = {"appName": "Sonarr", "version": "4.0.19.2979", "instanceName": "tv", "osName": "debian", "urlBase": ""}
ALPHA = {
    "id": 1,
    "title": "Alpha Station",
    "path": "/tv1/Alpha Station/",
    "rootFolderPath": "/tv1/",
    "tvdbId": 70001,
    "monitored": True,
    "tags": [2, 1],
    "statistics": {"episodeFileCount": 3, "sizeOnDisk": 6291456},
    "ended": True,
    "somethingNew": {"kept": [1, None]},
}
MISSING = {"type": "x", "title": "Not Found", "status": 404}

Answers = dict[str, Any]


def server(answers: Answers, change: Callable[[Asked], bytes | Send] | None = None) -> Raw:
    """Answers `GET <path>` from `answers` by path below /api/v3: a value, bytes, or a function of the query."""

    def respond(asked: Asked) -> bytes | Send:
        if asked.method != "GET" and change:
            return change(asked)
        parts = urlsplit(asked.path)
        found = answers.get(parts.path.removeprefix("/api/v3"), reply(MISSING, 404))
        if callable(found):
            found = found({k: v[0] for k, v in parse_qs(parts.query).items()})
        return found if isinstance(found, bytes) else reply(found)

    return Raw(respond)


@contextmanager
def client(
    monkeypatch: pytest.MonkeyPatch, answers: Answers, *, app: App = SONARR, access: Access = "read", change: Any = None
) -> Iterator[tuple[ServarrClient, Raw]]:
    monkeypatch.setenv("TV_KEY", "0123456789abcdef")
    status = {**STATUS, "appName": app.name.title(), "version": "6.0.3.10276" if app is RADARR else "4.0.19.2979"}
    with server({"/system/status": status, **answers}, change) as raw:
        spec = app.Spec.model_validate({"app": app.name, "url": raw.url, "api_key": {"env": "TV_KEY"}})
        found = app.open("tv", spec, access=access, clock=FakeClock())
        assert isinstance(found, ServarrClient)
        try:
            yield found, raw
        finally:
            found.close()


def unknown(monkeypatch: pytest.MonkeyPatch, answers: Answers, query: Query[Any], **more: Any) -> ReadFailed:
    with client(monkeypatch, answers, **more) as (tv, _), pytest.raises(ReadFailed) as caught:
        tv.read(query)
    assert caught.value.remedy
    return caught.value


# who answers ----------------------------------------------------------------------------------------------------------


def test_the_wrong_program_never_yields_a_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"/system/status": {**STATUS, "appName": "Radarr", "version": "6.0.3"}, "/tag": []}
    with client(monkeypatch, answers) as (tv, raw):
        queries: tuple[Query[Any], ...] = (Tags("tv"), Items("tv"), StatusOf("tv"))
        for query in queries:
            with pytest.raises(ReadFailed) as caught:
                tv.read(query)
            assert caught.value.code == "wrong-app"
            assert "is a Radarr, not a Sonarr" in caught.value.reason
            assert "connections.tv" in caught.value.remedy
    assert {a.path for a in raw.asked} == {"/api/v3/system/status"}


def test_a_program_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = unknown(monkeypatch, {"/system/status": {**STATUS, "version": "3.0.10.1567"}}, Tags("tv"))
    assert found.code == "wrong-app"
    assert "too old" in found.reason


def test_who_answers_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with client(monkeypatch, {"/tag": [], "/rootfolder": []}) as (tv, raw):
        threads = [threading.Thread(target=tv.read, args=(q,)) for q in (Tags("tv"), Roots("tv"), Tags("tv"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(a.path.endswith("/status") for a in raw.asked) == 1


def test_those_who_waited_share_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers nothing costs one deadline, not one for each question."""
    released, codes = threading.Event(), []

    def status(_: Any) -> bytes:
        released.wait(5)
        return reply(b"", 401, kind="")

    def waiting() -> int:
        frames = sys._current_frames()
        return sum(t.ident in frames and frames[t.ident].f_code.co_name == "_meet" for t in threads)

    with client(monkeypatch, {"/system/status": status}) as (tv, raw):

        def read() -> None:
            with pytest.raises(ReadFailed) as caught:
                tv.read(Tags("tv"))
            codes.append(caught.value.code)

        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 5
        while waiting() < 5 and time.monotonic() < end:
            time.sleep(0.005)
        released.set()
        for thread in threads:
            thread.join()
    assert codes == ["unauthorised"] * 6
    assert len(raw.asked) == 1


# values ---------------------------------------------------------------------------------------------------------------


def test_a_series(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = [{"id": 1, "label": "pinned"}, {"id": 2, "label": "kids"}]
    with client(monkeypatch, {"/series": [ALPHA], "/tag": tags, "/series/1": ALPHA}) as (tv, raw):
        (item,) = tv.read(Items("tv"))
        assert tv.read(OneItem("tv", 1)) == item
    assert (item.ident, item.title, item.path, item.root) == (
        "tvdb:70001",
        "Alpha Station",
        "/tv1/Alpha Station",
        "/tv1",
    )
    assert (item.bytes, item.files, item.tags, item.monitored) == (6291456, 3, ("kids", "pinned"), True)
    assert len(raw.asked) == 5


def test_a_movie(monkeypatch: pytest.MonkeyPatch) -> None:
    movie = {
        "id": 4,
        "title": "Northern Harbour",
        "path": "/movies/Northern Harbour (2019)",
        "tmdbId": 501,
        "monitored": False,
        "statistics": {"movieFileCount": 1, "sizeOnDisk": 3000000},
    }
    with client(monkeypatch, {"/movie": [movie]}, app=RADARR) as (films, raw):
        (item,) = films.read(Items("films"))
    assert (item.ident, item.root, item.files, item.tags) == ("tmdb:501", "/movies", 1, ())
    assert raw.asked[-1].path == "/api/v3/movie?excludeLocalCovers=true"


def test_what_is_not_told_is_none_and_not_nought(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {k: v for k, v in ALPHA.items() if k not in ("statistics", "tags")}
    roots = [
        {"id": 1, "path": "/tv1", "accessible": False},
        {"id": 2, "path": "/tv2", "accessible": True},
        {"id": 3, "path": "/tv3", "accessible": True, "freeSpace": 0, "unmappedFolders": []},
        {
            "id": 4,
            "path": "/tv4",
            "accessible": True,
            "freeSpace": 7,
            "totalSpace": 9,
            "unmappedFolders": [{"name": "x"}],
        },
    ]
    with client(monkeypatch, {"/series": [bare], "/rootfolder": roots}) as (tv, _):
        (item,) = tv.read(Items("tv"))
        found = [(r.free, r.total, r.unmapped) for r in tv.read(Roots("tv"))]
    assert (item.bytes, item.files) == (None, None)
    assert found == [(None, None, None), (None, None, None), (0, None, ()), (7, 9, ("x",))]


def test_a_series_that_lost_its_outside_id_is_named_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = [{**ALPHA, "tvdbId": 0, "tags": []}, {**ALPHA, "id": 2, "path": "/tv1/Beta", "tvdbId": 0, "tags": []}]
    with client(monkeypatch, {"/series": lost}) as (tv, _):
        assert [i.ident for i in tv.read(Items("tv"))] == ["path:/tv1/Alpha Station", "path:/tv1/Beta"]


@pytest.mark.parametrize(
    "broken",
    [
        {"path": None},
        {"path": ""},
        {"path": "/"},
        {"path": "tv/Alpha"},
        {"path": "/tv1/Alpha \ud800"},
        {"rootFolderPath": "/tv1\udfff/"},
        {"path": "C:\\tv\\Alpha"},
        {"id": "1"},
        {"id": True},
        {"title": 5},
        {"monitored": "yes"},
        {"tags": ["kids"]},
        {"tags": {"a": 1}},
        {"statistics": {"sizeOnDisk": -1, "episodeFileCount": 1}},
        {"statistics": {"sizeOnDisk": "big", "episodeFileCount": 1}},
        {"statistics": {"sizeOnDisk": 1e30, "episodeFileCount": 1}},
    ],
)
def test_one_malformed_series_makes_the_list_unknown(monkeypatch: pytest.MonkeyPatch, broken: dict[str, Any]) -> None:
    found = unknown(monkeypatch, {"/series": [{**ALPHA, **broken}], "/tag": []}, Items("tv"))
    assert found.code == "malformed"


def test_half_a_character_is_mended_where_it_is_shown_and_named_where_it_is_a_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = {
        "/series": [{**ALPHA, "title": "Bad \ud800 title"}],
        "/tag": [{"id": i, "label": "\udc00"} for i in (1, 2)],
    }
    with client(monkeypatch, shown) as (tv, _):
        (item,) = tv.read(Items("tv"))
    assert (item.title, item.tags) == ("Bad \ufffd title", ("\ufffd", "\ufffd"))
    found = unknown(monkeypatch, {"/series": [{**ALPHA, "path": "/tv1/Alpha \ud800"}], "/tag": []}, Items("tv"))
    assert found.reason.startswith("series 1: 'path' holds half a character")
    failing = {"/series": reply({"message": "Bad \ud800"}, 500)}
    assert "Bad \ufffd" in unknown(monkeypatch, failing, Items("tv")).reason


def test_two_items_of_one_name_are_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accident A15: an id means one subject."""
    twice = [{**ALPHA, "tags": []}, {**ALPHA, "id": 2, "tags": []}]
    assert "the same outside id" in unknown(monkeypatch, {"/series": twice}, Items("tv")).reason


def test_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {
        "/tv1/Alpha/": (["Season 1", "extras"], [("a.nfo", 3)]),
        "/tv1/Alpha/Season 1/": ([], [("é & ü?.mkv", 2097152)]),
        "/tv1/Alpha/extras/": ([], []),
    }

    def listing(query: dict[str, str]) -> Any:
        folders, files = tree.get(query["path"], ([], []))
        assert query["includeFiles"] == "true"
        return {
            "parent": query["path"].rstrip("/").rpartition("/")[0] + "/",
            "directories": [{"type": "folder", "name": n, "path": f"{query['path']}{n}/"} for n in folders],
            "files": [{"type": "file", "name": n, "size": s} for n, s in files],
        }

    with client(monkeypatch, {"/filesystem": listing}) as (tv, _):
        assert tv.read(Listing("tv", "/tv1/Alpha")) == (
            Entry("Season 1", is_folder=True, bytes=0),
            Entry("a.nfo", is_folder=False, bytes=3),
            Entry("extras", is_folder=True, bytes=0),
        )
        assert tv.read(Tree("tv", "/tv1/Alpha")) == (TreeFile("Season 1/é & ü?.mkv", 2097152), TreeFile("a.nfo", 3))
        assert tv.read(Tree("tv", "/tv1/Nothing")) == ()


def test_a_folder_that_contains_itself_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = {"directories": [{"name": "again"}], "files": []}
    found = unknown(monkeypatch, {"/filesystem": endless}, Tree("tv", "/tv1/Alpha"))
    assert found.code == "incomplete"


def test_what_is_not_there_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    with client(monkeypatch, {}) as (tv, _):
        queries: tuple[Query[Any], ...] = (OneItem("tv", 9), CommandById("tv", 9), FileRows("tv", 9))
        for query in queries:
            with pytest.raises(NotThere):
                tv.read(query)


def test_files_of_another_item_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"id": 1, "seriesId": 2, "relativePath": "a.mkv", "path": "/tv/a.mkv", "size": 1}
    assert unknown(monkeypatch, {"/episodefile": [row]}, FileRows("tv", 1)).code == "malformed"


@pytest.mark.parametrize(
    "answer",
    [
        {"parent": "/", "directories": [], "files": []},
        {"parent": "/tv1/", "directories": [{"name": "x", "path": "/tv2/x/"}], "files": []},
        {"parent": "/tv1/", "directories": [], "files": [{"name": "x", "size": 1, "path": "/tv1/x"}]},
        {"parent": "/tv1/", "directories": [{"name": "x"}, {"name": "x"}], "files": []},
    ],
)
def test_the_listing_of_another_folder_is_no_answer(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """An empty folder and a missing one look alike: only the path tells that it is the wrong one."""
    assert unknown(monkeypatch, {"/filesystem": answer}, Listing("tv", "/tv1/Alpha")).code == "malformed"


@pytest.mark.parametrize(
    ("path", "row", "query"),
    [
        ("/tag", {"id": 1, "label": "kids"}, Tags("tv")),
        ("/tag/detail", {"id": 1, "label": "kids", "seriesIds": []}, TagUsers("tv")),
        ("/rootfolder", {"id": 1, "path": "/tv1", "accessible": True}, Roots("tv")),
        ("/command", {"id": 1, "name": "RescanSeries", "status": "queued"}, Commands("tv")),
        ("/episodefile", {"id": 1, "seriesId": 1, "relativePath": "a", "path": "/a", "size": 1}, FileRows("tv", 1)),
    ],
)
def test_a_list_that_tells_something_twice_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, path: str, row: dict[str, Any], query: Query[Any]
) -> None:
    assert unknown(monkeypatch, {path: [row, row]}, query).code == "malformed"


def test_another_command_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"id": 8, "name": "RescanSeries", "status": "queued"}
    assert unknown(monkeypatch, {"/command/7": other}, CommandById("tv", 7)).code == "malformed"


def test_an_item_under_another_id_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unknown(monkeypatch, {"/series/2": ALPHA}, OneItem("tv", 2)).code == "malformed"


# the queue ------------------------------------------------------------------------------------------------------------


def queue_of(count: int, *, start: int = 1, show: int | None = None) -> Callable[[dict[str, str]], Any]:
    """A queue as the servers page it: a page past the end repeats the last one."""
    records = [
        {"id": n, "seriesId": 1, "title": f"t{n}", "status": "downloading", "size": 10.0, "sizeleft": 2.5}
        for n in range(start, count + 1)
    ][:show]

    def page(query: dict[str, str]) -> Any:
        assert query["includeUnknownSeriesItems"] == "true"
        number, size = int(query["page"]), int(query["pageSize"])
        last = max(1, -(-len(records) // size))
        begin = (min(number, last) - 1) * size
        return {
            "page": number,
            "totalRecords": count + 1 - start,
            "records": records[begin : begin + size],
        }

    return page


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (3, 1), (1000, 1), (1001, 2), (2500, 3)])
def test_every_page_of_the_queue_is_read(monkeypatch: pytest.MonkeyPatch, count: int, pages: int) -> None:
    with client(monkeypatch, {"/queue": queue_of(count)}) as (tv, raw):
        found = tv.read(Queue("tv"))
    assert len(found) == count
    assert len(raw.asked) == pages + 1
    if found:
        assert (found[0].size, found[0].left, found[0].item_id) == (10, 2, 1)


def test_a_queue_shorter_than_its_own_count_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accident A01."""
    found = unknown(monkeypatch, {"/queue": queue_of(1500, show=1200)}, Queue("tv"))
    assert found.code == "incomplete"
    assert "counts 1500 queue records and shows 1200" in found.reason


def test_a_queue_that_changes_while_it_is_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One record left page 1 after it was read: all that follow move up, and the first of page 2 is on no page read."""
    before, after = queue_of(1500), queue_of(1500, start=2)
    shown = iter([before])

    def shifting(query: dict[str, str]) -> Any:
        return next(shown, after)(query)

    with client(monkeypatch, {"/queue": shifting}) as (tv, raw):
        found = tv.read(Queue("tv"))
    assert [r.id for r in found] == list(range(2, 1501))
    assert len(raw.asked) == 5


@pytest.mark.parametrize("page", [[], {"records": []}, {"totalRecords": 1}, {"totalRecords": 1, "records": [1]}])
def test_a_page_without_its_total_is_malformed(monkeypatch: pytest.MonkeyPatch, page: Any) -> None:
    assert unknown(monkeypatch, {"/queue": page}, Queue("tv")).code == "malformed"


# writes ---------------------------------------------------------------------------------------------------------------


class Series:
    """One series as a server keeps it: a PUT replaces the whole row, and the body's id decides which."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = dict(ALPHA)
        self.moves: list[str] = []

    def put(self, asked: Asked) -> bytes:
        self.moves.append(urlsplit(asked.path).query)
        self.row = asked.json
        return reply(self.row, 202)


def test_a_move_changes_the_path_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 9: fields that we do not know survive."""
    kept = Series()
    kept.row = {**kept.row, "overview": "half a character: \ud800"}
    answers = {"/series/1": lambda _: kept.row}
    with client(monkeypatch, answers, access="write", change=kept.put) as (tv, _):
        tv.move(1, "/tv2/Alpha Station/", move_files=True)
        tv.move(1, "/tv3/Alpha Station", move_files=False)
    assert kept.row == {**ALPHA, "path": "/tv3/Alpha Station", "overview": "half a character: \ud800"}
    assert kept.moves == ["moveFiles=true", "moveFiles=false"]


@pytest.mark.parametrize("path", ["", "/", "tv2/Alpha", "///"])
def test_a_move_to_nowhere_is_not_sent(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    with client(monkeypatch, {"/series/1": ALPHA}, access="write") as (tv, raw), pytest.raises(WriteRefused):
        tv.move(1, path, move_files=True)
    assert not [a for a in raw.asked if a.method != "GET"]


def test_a_move_of_what_is_gone_or_unreadable_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for answers in ({}, {"/series/1": reply(b"", 401, kind="")}, {"/series/1": {**ALPHA, "id": 2}}):
        with client(monkeypatch, answers, access="write") as (tv, raw), pytest.raises(WriteRefused, match="not sent"):
            tv.move(1, "/tv2/Alpha", move_files=True)
        assert not [a for a in raw.asked if a.method != "GET"]


def test_a_move_answered_with_another_series_may_have_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    other = reply({**ALPHA, "id": 2}, 202)
    for answer in (other, cut(b"")):
        respond = partial(lambda found, _: found, answer)
        with (
            client(monkeypatch, {"/series/1": ALPHA}, access="write", change=respond) as (tv, _),
            pytest.raises(ReplyLost),
        ):
            tv.move(1, "/tv2/Alpha", move_files=True)


def test_a_rescan_is_of_one_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accident A15: without an id the server would rescan everything."""

    def start(asked: Asked) -> bytes:
        return reply({"id": 5, "name": "RescanSeries", "status": "queued", "body": asked.json}, 201)

    with client(monkeypatch, {}, access="write", change=start) as (tv, raw):
        assert tv.rescan(12) == 5
        for nothing in (0, -1):
            with pytest.raises(WriteRefused):
                tv.rescan(nothing)
    assert [a.json for a in raw.asked if a.method == "POST"] == [{"name": "RescanSeries", "seriesId": 12}]


def test_a_rescan_merged_with_anothers_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    other = reply({"id": 5, "body": {"seriesId": 13}}, 201)
    opened = client(monkeypatch, {}, access="write", change=lambda _: other)
    with opened as (tv, _), pytest.raises(WriteRefused, match="merged"):
        tv.rescan(12)


def test_a_connection_for_reading_sends_no_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 3: by the engine's wish, or by `access: read` in the desired state."""
    with client(monkeypatch, {"/series/1": ALPHA}, access="read") as (tv, raw):
        for write in (
            lambda: tv.move(1, "/tv2/Alpha", move_files=True),
            lambda: tv.rescan(1),
            lambda: tv.create_tag("kids"),
            lambda: tv.delete_tag(1),
        ):
            with pytest.raises(WriteRefused, match="for reading only"):
                write()
    assert {a.method for a in raw.asked} == {"GET"}
    monkeypatch.setenv("TV_KEY", "0123456789abcdef")
    with server({"/system/status": STATUS}) as raw:
        wish = {"app": "sonarr", "url": raw.url, "api_key": {"env": "TV_KEY"}, "access": "read"}
        opened: Any = SONARR.open("tv", SONARR.Spec.model_validate(wish), access="write", clock=FakeClock())
        with pytest.raises(WriteRefused) as caught:
            opened.create_tag("kids")
        opened.close()
    assert {a.method for a in raw.asked} <= {"GET"}
    assert caught.value.remedy == "remove `access: read` from connections.tv if it may be changed"


@pytest.mark.parametrize("date", ["Sat, 01 Jan 2028 10:00:00", "Sat, 01 Jan 2028 10:00:00 -0000", "soon", ""])
def test_doctor_on_a_server_that_tells_no_moment(monkeypatch: pytest.MonkeyPatch, date: str) -> None:
    answers = {
        "/system/status": STATUS,
        "/api": reply({"current": "v3"}, date=date),
        "/rootfolder": [],
        "/diskspace": [],
    }
    with client(monkeypatch, answers) as (tv, _):
        spec = SONARR.Spec.model_validate({"app": "sonarr", "url": tv.http.where.url, "api_key": {"env": "TV_KEY"}})
        found = {f.what: f for f in SONARR.examine(tv, spec, FakeClock())}["clock"]
    assert (found.ok, found.says) == (None, "the server does not tell its time")


def test_a_history_that_counts_more_than_it_shows_is_unknown_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with client(monkeypatch, {"/history": {"totalRecords": 10**9, "records": []}}) as (tv, raw):
        with pytest.raises(ReadFailed) as caught:
            tv.read(History("tv"))
        assert caught.value.code == "incomplete" and "counts 1000000000 events and shows 0" in caught.value.reason
        assert len(raw.asked) < 10


def test_a_queue_that_counts_more_than_it_shows_is_unknown_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with client(monkeypatch, {"/queue": {"totalRecords": 10**9, "records": []}}) as (tv, raw):
        with pytest.raises(ReadFailed) as caught:
            tv.read(Queue("tv"))
        assert caught.value.code == "incomplete" and len(raw.asked) < 10


def test_every_query_has_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """And passes the list of reads."""
    answers: Answers = {
        "/series": [],
        "/series/1": {**ALPHA, "tags": []},
        "/tag": [],
        "/tag/detail": [{"label": "kids", "seriesIds": [1, 2], "autoTagIds": [], "delayProfileIds": [3], "id": 1}],
        "/rootfolder": [],
        "/diskspace": [{"path": "/", "freeSpace": 1, "totalSpace": 2}],
        "/command": [{"id": 3, "name": "RssSync", "status": "queued", "queued": "2026-11-21T06:28:53Z"}],
        "/command/3": {"id": 3, "name": "RssSync", "status": "completed", "result": "successful"},
        "/queue": queue_of(1),
        "/episodefile": [],
        "/history": {"totalRecords": 0, "records": []},
        "/filesystem": {"directories": [], "files": []},
        "/log": {"totalRecords": 1, "records": [{"id": 1, "message": "hello", "logger": "x", "level": "info"}]},
    }
    queries: list[Query[Any]] = [
        *(q("tv") for q in (StatusOf, Items, Roots, DiskSpaces, Commands, Queue, Tags, TagUsers, LogTail)),
        *(q("tv", 1) for q in (OneItem, FileRows)),
        *(q("tv", "/tv1") for q in (Listing, Tree)),
        CommandById("tv", 3),
        History("tv"),
    ]
    with client(monkeypatch, answers) as (tv, _):
        found = [tv.read(q) for q in queries]
        assert set(tv._answers) == {type(q) for q in queries}
    assert len(found) == 15
    assert found[7] == {"kids": "1 delay profile, 2 series"}
    assert found[13].over
    assert found[4][0].queued is not None
    assert not found[4][0].over
