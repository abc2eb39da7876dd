"""The simulated Sonarr: what moves, scans and writes leave behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import mounts
from sandbox.process import Stack
from sandbox.servarr.app import Timing
from tests.sandbox.play import MIB, Client, library, until

Play = Callable[..., Stack]
ALPHA = "/data/a/tv/Alpha Station"


def counted(client: Client, ident: int = 1) -> int:
    return int(client.get(f"/series/{ident}")["statistics"]["episodeFileCount"])


def test_seeded_library_is_scanned(play: Play) -> None:
    client = Client(play(library("Alpha Station", "Borrowed Time"))["sonarr"])
    assert [s["statistics"]["sizeOnDisk"] for s in client.get("/series")] == [2 * MIB, 2 * MIB]
    assert client.get("/rootfolder")[0]["unmappedFolders"] == []


def test_a_name_that_is_not_utf_8_is_told_and_moved(play: Play) -> None:
    stack = play(library("Alpha Station"))
    client = Client(stack["sonarr"])
    name = b"bad\xff\xfe.mkv"
    (stack.home / ALPHA[1:] / os.fsdecode(name)).write_bytes(b"x")
    told = client.get("/filesystem?path=/data/a/tv/Alpha%20Station/&includeFiles=true")
    assert [f["name"] for f in told["files"]] == ["bad\ufffd\ufffd.mkv"]
    assert client.move(1, "/data/b/tv/Alpha Station")["status"] == "completed"
    assert (stack.home / "data/b/tv/Alpha Station" / os.fsdecode(name)).exists()


def test_move_ends_where_it_says(play: Play) -> None:
    stack = play(library("Alpha Station"))
    client = Client(stack["sonarr"])
    ended = client.move(1, "/data/b/tv/Alpha Station")
    assert (ended["status"], ended["result"]) == ("completed", "successful")
    assert ended["message"] == "Alpha Station moved successfully to /data/b/tv/Alpha Station"
    assert {f["size"] for f in stack.tree(["/data/b"])} == {MIB}
    assert [f["path"] for f in stack.tree(["/data/a/tv"])] == []


def test_full_disk_reports_success_and_puts_the_path_back(play: Play) -> None:
    stack = play(library("Alpha Station", small=MIB + MIB // 2))
    client = Client(stack["sonarr"])
    ended = client.move(1, "/data/b/tv/Alpha Station")
    assert (ended["status"], ended["result"]) == ("completed", "successful")
    assert client.get("/series/1")["path"] == ALPHA
    assert sorted(f["path"].split("/")[2] for f in stack.tree(["/data/a/tv", "/data/b/tv"])) == ["a", "b"]
    client.command(name="RescanSeries", seriesId=1)
    assert counted(client) == 1


def test_denied_move_fails_and_leaves_the_path(play: Play) -> None:
    stack = play(library("Alpha Station"))
    stack.event({"chmod": {"path": "/data/b/tv", "mode": "0555"}})
    client = Client(stack["sonarr"])
    ended = client.move(1, "/data/b/tv/Alpha Station")
    assert ended["status"] == "failed"
    assert ended["exception"].startswith("System.UnauthorizedAccessException")
    assert client.get("/series/1")["path"] == "/data/b/tv/Alpha Station"
    assert len(stack.tree(["/data/a/tv"])) == 2


def test_scan_at_the_wrong_place_forgets_every_file(play: Play) -> None:
    """A missing folder in a root that holds something else erases the rows; in an empty root it does not."""
    stack = play(library("Alpha Station"))
    client = Client(stack["sonarr"])
    client.put("/series/1", {**client.get("/series/1"), "path": "/data/b/tv/Alpha Station"})
    client.command(name="RescanSeries", seriesId=1)
    assert counted(client) == 2
    stack.event({"make_file": {"path": "/data/b/tv/other.txt", "size": 1}})
    client.command(name="RescanSeries", seriesId=1)
    assert counted(client) == 0
    assert [h["data"]["reason"] for h in client.get("/history/series?seriesId=1")] == ["MissingFromDisk"] * 2


def test_put_replaces_what_it_omits(play: Play) -> None:
    client = Client(play(library("Alpha Station"))["sonarr"])
    client.put("/series/1", {"id": 1, "path": ALPHA, "qualityProfileId": 1})
    row = client.get("/series/1")
    assert (row["monitored"], row["tvdbId"], row["seasons"]) == (False, 0, [])
    client.command(name="RefreshSeries", seriesId=1)
    assert client.get("/series/1")["status"] == "deleted"


def test_killed_move_leaves_a_partial_file_and_an_orphan(play: Play) -> None:
    stack = play(library("Alpha Station"))
    client = Client(stack["sonarr"])
    stack.event({"slow_moves": {"finished_videos": 1}})
    client.put("/series/1?moveFiles=true", {**client.get("/series/1"), "path": "/data/b/tv/Alpha Station"})
    move = client.get("/command")[-1]
    stack.event({"killed": True, "slow_moves": False})
    port = stack["sonarr"].port
    stack.start()
    assert stack["sonarr"].port == port
    assert client.get(f"/command/{move['id']}")["status"] == "orphaned"
    assert move["id"] not in [c["id"] for c in client.get("/command")]
    assert client.get("/series/1")["path"] == "/data/b/tv/Alpha Station"
    files = {(f["path"].split("/")[2], f["path"][-22:-16], f["size"]) for f in stack.tree(["/data/a/tv", "/data/b/tv"])}
    assert files == {("b", "S01E02", MIB), ("a", "S01E01", MIB), ("b", "S01E01", MIB // 2)}


def test_cancelled_command_runs_after_a_restart(play: Play) -> None:
    stack = play(library("Alpha Station", "Borrowed Time"))
    client = Client(stack["sonarr"])
    stack.event({"slow_moves": {"finished_videos": 0}})
    for ident, title in ((1, "Alpha Station"), (2, "Borrowed Time")):
        client.put(f"/series/{ident}?moveFiles=true", {**client.get(f"/series/{ident}"), "path": f"/data/b/tv/{title}"})
    waiting = next(c for c in client.get("/command") if c["status"] == "queued")
    assert client.send("DELETE", f"/api/v3/command/{waiting['id']}")[0] == 200
    assert client.send("DELETE", f"/api/v3/command/{waiting['id']}")[0] == 409
    stack.event({"killed": True, "slow_moves": False})
    stack.start()
    assert client.ended(waiting["id"])["result"] == "successful"
    assert len([f for f in stack.tree(["/data/b/tv/Borrowed Time"]) if f["size"] == MIB]) == 2


def test_ended_command_loses_message_and_result(play: Play) -> None:
    stack = play(library("Alpha Station"))
    stack.close()
    spec = stack["sonarr"].folder / "server.json"
    spec.write_text(spec.read_text().replace(f'"retention_s": {Timing().retention_s}', '"retention_s": 0.2'))
    stack.start()
    client = Client(stack["sonarr"])
    ended = client.command(name="RefreshSeries", seriesId=1)
    assert (ended["message"], ended["result"]) == ("Completed", "successful")
    later = until(lambda: client.get(f"/command/{ended['id']}"), lambda c: "message" not in c)
    assert (later["status"], later["result"]) == ("completed", "unknown")


def test_equal_commands_are_one(play: Play) -> None:
    stack = play(library("Alpha Station"))
    client = Client(stack["sonarr"])
    stack.settings(metadata_delay_s=0.3)
    posted = [
        client.send("POST", "/api/v3/command", {"name": "RefreshSeries", "seriesIds": [1]})[2]["id"] for _ in "ab"
    ]
    assert posted[0] == posted[1]
    client.ended(posted[0])
    assert client.command(name="RefreshSeries", seriesIds=[1])["id"] != posted[0]


def test_queue_rewinds_past_its_end(play: Play) -> None:
    records: list[dict[str, Any]] = [
        {"id": n, "seriesId": 1, "title": f"t{n}", "size": 1, "sizeleft": 1, "status": "queued"} for n in range(1, 24)
    ]
    world = {**library("Alpha Station"), "queue": [*records, {"id": 99, "title": "strange", "size": 1, "sizeleft": 1}]}
    client = Client(play(world)["sonarr"])
    past = client.get("/queue?page=9&pageSize=10")
    assert (past["page"], past["totalRecords"], len(past["records"])) == (3, 23, 3)
    assert client.get("/queue?includeUnknownSeriesItems=true")["totalRecords"] == 24
    assert client.get("/queue?pageSize=0")["records"] == []


def test_deleted_series_takes_its_folder_along(play: Play) -> None:
    stack = play(library("Alpha Station", "Borrowed Time"))
    client = Client(stack["sonarr"])
    assert client.send("DELETE", "/api/v3/series/1?deleteFiles=true")[0] == 200
    until(lambda: stack.tree([ALPHA]), lambda files: not files)
    assert [s["id"] for s in client.get("/series")] == [2]
    assert client.send("GET", "/api/v3/episodefile?seriesId=1")[0] == 404


def test_deletion_goes_as_far_as_it_may_and_is_only_logged(play: Play) -> None:
    stack = play(library("Alpha Station"))
    stack.event({"make_file": {"path": f"{ALPHA}/poster.jpg", "size": 1}})
    stack.event({"chmod": {"path": f"{ALPHA}/Season 1", "mode": "0555"}})
    client = Client(stack["sonarr"])
    assert client.send("DELETE", "/api/v3/series/1?deleteFiles=true")[0] == 200
    logged = until(lambda: client.get("/log?level=error")["records"], bool)
    assert logged[0]["message"].startswith(f"Task Error: Access to the path '{ALPHA}/Season 1/Alpha Station - S01E02")
    assert {f["path"].split("/")[5] for f in stack.tree([ALPHA])} == {"Season 1"}
    assert client.get("/series") == []


def test_ten_thousand_rows_are_listed_with_their_figures(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long that takes is for the benchmark of plans to say: it counts in every plan that is measured there."""
    monkeypatch.delenv("ARR_SANDBOX_SPECS", raising=False)  # twelve megabytes to check
    world = {
        **library(),
        "seed": {},
        "rows": {"series": 10_000, "files": 10, "rootFolders": ["/data/a/tv", "/data/b/tv"]},
    }
    client = Client(play(world)["sonarr"])
    listed = client.get("/series")
    assert len(listed) == 10_000
    assert listed[0]["statistics"]["episodeFileCount"] == 10
    assert len(client.get("/episodefile?seriesId=7")) == 10
    assert client.get("/series/7")["statistics"] == listed[6]["statistics"]


@pytest.mark.root
def test_memory_disks_refuse_for_real(play: Play) -> None:
    if not mounts.available():
        if os.environ.get("CI") == "true":
            pytest.fail("mounting needs root")
        pytest.skip("mounting needs root")
    stack = play(library("Alpha Station", small=MIB + MIB // 2), backing="tmpfs")
    client = Client(stack["sonarr"])
    assert os.path.ismount(stack.world.disks.real("/data/b"))
    free = client.get("/rootfolder")[1]["freeSpace"]
    assert 0 < free <= MIB + MIB // 2
    client.move(1, "/data/b/tv/Alpha Station")
    assert client.get("/series/1")["path"] == ALPHA
    assert len(stack.tree(["/data/b/tv"])) == 1


def test_server_starts_commands_by_itself(play: Play) -> None:
    """Scheduled commands take ids in between, so the next id is not the last one plus one."""
    client = Client(play(library("Alpha Station"), timing=Timing(minute_s=0.05))["sonarr"])
    seen = until(lambda: client.get("/command"), lambda all_: any(c["trigger"] == "scheduled" for c in all_))
    scheduled = next(c for c in seen if c["trigger"] == "scheduled")
    assert (scheduled["name"], scheduled["priority"]) == ("RefreshMonitoredDownloads", "high")


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_a_download_is_linked_or_moved_into_the_library(play: Play, mode: str) -> None:
    """A copy on the same mount is a hardlink; a move takes the folder of the download away. Both stand in the history."""
    stack = play(library("Alpha Station"))
    client = Client(stack["sonarr"])
    name = "Alpha.Station.S01E01.1080p.WEB-DL.x264-GRP"
    drop = f"/data/a/downloads/{name}"
    stack.event({"make_file": {"path": f"{drop}/{name}.mkv", "size": 3 * MIB}})
    stack.settings(tracked=["A" * 40])
    before = (stack.home / drop[1:] / f"{name}.mkv").stat().st_ino
    ended = client.command(name="DownloadedEpisodesScan", path=drop, importMode=mode, downloadClientId="a" * 40)
    assert ended["result"] == "successful"
    taken = stack.home / ALPHA[1:] / "Season 1" / f"{name}.mkv"
    assert taken.stat().st_ino == before
    assert (stack.home / drop[1:]).exists() == (mode == "copy")
    first, second = client.get("/history?sortDirection=ascending")["records"]
    assert (first["eventType"], first["data"]["reason"]) == ("episodeFileDeleted", "Upgrade")
    assert (second["eventType"], second["downloadId"]) == ("downloadFolderImported", "A" * 40)
    assert second["data"]["importedPath"] == f"{ALPHA}/Season 1/{name}.mkv"
    assert counted(client) == 2
