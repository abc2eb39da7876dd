"""What Radarr's moves, rescans and deletions leave behind, in the database and on the disks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.process import Stack
from sandbox.scenarios.build import MB, Library, movie, server, world
from tests.sandbox.play import Client

MIB = 1024 * 1024
A, B = "/data/a/movies", "/data/b/movies"


@pytest.fixture
def stack(play: Callable[..., Stack]) -> Stack:
    """Three movies on disk a; b has room for one of them; something else lies on b."""
    library = Library()
    for ident, title, size in ((1, "Amber Coast", 20), (2, "Glass Orchard", 60), (3, "Quiet Signal", 10)):
        movie(library, tmdb_id=ident, title=title, year=2000 + ident, size=size * MB, root=A)
    built = world({"/data/a": 200 * MIB, "/data/b": 60 * MIB}, [(library, server("radarr", "radarr", library, [A, B]))])
    built["files"].append({"path": f"{A}/Glass Orchard (2002)/second part.mkv", "size": 30 * MB})
    built["files"].append({"path": f"{B}/keep.txt", "size": 3})
    return play(built)


class Ask(Client):
    """A client that is called with a request, and gives status and body."""

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, _, answer = self.send(method, f"/api/v3{path}", body)
        return status, answer

    def last(self, name: str) -> dict[str, Any]:
        """The latest command of this name, once it has ended."""
        return self.ended(max(c["id"] for c in self.get("/command") if c["name"] == name))


@pytest.fixture
def ask(stack: Stack) -> Ask:
    return Ask(stack["radarr"])


def files(stack: Stack) -> dict[str, int]:
    return {e["path"]: e["size"] for e in stack.tree(["/data/a", "/data/b"]) if e["path"].endswith(".mkv")}


def move(ask: Ask, ident: int, target: str) -> dict[str, Any]:
    """Asks for a move; what the answer says, and the ended command."""
    wanted = {**ask.get(f"/movie/{ident}"), "path": target}
    status, told = ask("PUT", f"/movie/{ident}?moveFiles=true", wanted)
    assert status == 202
    assert told["path"] == target
    return ask.last("MoveMovie")


def test_a_move_shows_its_end_at_once_and_arrives(stack: Stack, ask: Ask) -> None:
    ended = move(ask, 1, f"{B}/Amber Coast (2001)")
    assert (ended["status"], ended["result"]) == ("completed", "successful")
    assert ended["message"] == f"Amber Coast moved successfully to {B}/Amber Coast (2001)"
    assert f"{B}/Amber Coast (2001)/Amber Coast (2001) Bluray-1080p.mkv" in files(stack)
    assert not any("/data/a" in p and "Amber" in p for p in files(stack))
    shown = ask.get("/movie/1")
    assert shown["rootFolderPath"] == B
    assert shown["movieFile"]["path"].startswith(B)


def test_a_full_disk_puts_the_path_back_and_splits_the_files(stack: Stack, ask: Ask) -> None:
    before = files(stack)
    ended = move(ask, 2, f"{B}/Glass Orchard (2002)")
    assert (ended["status"], ended["result"]) == ("completed", "successful")
    assert ended["message"].startswith("Moving Glass Orchard from")
    assert ask.get("/movie/2")["path"] == f"{A}/Glass Orchard (2002)"
    after = files(stack)
    assert sorted(before.values()) == sorted(after.values()), "no file is lost, none is doubled"
    assert {p for p in after if "Glass" in p} == {
        f"{B}/Glass Orchard (2002)/second part.mkv",
        f"{A}/Glass Orchard (2002)/Glass Orchard (2002) Bluray-1080p.mkv",
    }
    log = ask.get("/log?level=error&pageSize=1")["records"][0]
    assert log["logger"] == "MoveMovieService"
    assert "No space left on device" in log["message"]


def test_a_refused_move_fails_and_leaves_the_path_wrong(stack: Stack, ask: Ask) -> None:
    stack.event({"chmod": {"path": B, "writable": False}})
    ended = move(ask, 1, f"{B}/Amber Coast (2001)")
    assert (ended["status"], ended["result"]) == ("failed", "unknown")
    assert ended["exception"].startswith("System.UnauthorizedAccessException")
    assert ask.get("/movie/1")["path"] == f"{B}/Amber Coast (2001)"
    ask.command(name="RescanMovie", movieId=1)
    assert ask.get("/moviefile?movieId=1") == [], "the root is not empty, so the rescan forgets the file"
    assert ask.get("/history/movie?movieId=1")[0]["data"]["reason"] == "MissingFromDisk"


def test_a_rescan_under_an_empty_root_forgets_nothing(stack: Stack, ask: Ask) -> None:
    stack.event({"remove": {"path": f"{B}/keep.txt"}})
    ask("PUT", "/movie/1", {**ask.get("/movie/1"), "path": f"{B}/Amber Coast (2001)"})
    ask.command(name="RescanMovie", movieId=1)
    assert len(ask.get("/moviefile?movieId=1")) == 1


def test_a_refusal_in_bulk_leaves_every_later_movie_pointing_at_nothing(stack: Stack, ask: Ask) -> None:
    stack.event({"chmod": {"path": B, "writable": False}})
    status, _ = ask("PUT", "/movie/editor", {"movieIds": [1, 3], "rootFolderPath": B, "moveFiles": True})
    assert status == 202
    assert ask.last("BulkMoveMovie")["status"] == "failed"
    assert [ask.get(f"/movie/{i}")["rootFolderPath"] for i in (1, 3)] == [B, B]
    assert not any(p.startswith("/data/b") for p in files(stack))


def test_what_a_put_leaves_out_takes_the_default(ask: Ask) -> None:
    tags = [t["id"] for t in ask.get("/tag")]
    ask("PUT", "/movie/1", {**ask.get("/movie/1"), "tags": tags, "monitored": False})
    status, told = ask("PUT", "/movie/2", {"id": 1, "path": f"{A}/Amber Coast (2001)", "qualityProfileId": 2})
    assert status == 202
    assert (told["id"], told["monitored"], told["tags"]) == (1, True, []), "the body's id wins, omissions reset"


def test_files_deleted_in_bulk_are_looked_for_under_the_first_movie(stack: Stack, ask: Ask) -> None:
    ids = [ask.get(f"/movie/{i}")["movieFileId"] for i in (1, 3)]
    status, _ = ask("DELETE", "/moviefile/bulk", {"movieFileIds": ids})
    assert status == 200
    assert [ask.get(f"/movie/{i}")["hasFile"] for i in (1, 3)] == [False, False]
    assert f"{A}/Quiet Signal (2003)/Quiet Signal (2003) Bluray-1080p.mkv" in files(stack)
    assert not any("Amber" in p for p in files(stack))


def test_a_folder_that_holds_another_movie_is_not_deleted(stack: Stack, ask: Ask) -> None:
    ask("PUT", "/movie/3", {**ask.get("/movie/3"), "path": f"{A}/Amber Coast (2001)/inside"})
    before = files(stack)
    assert ask("DELETE", "/movie/1?deleteFiles=true")[0] == 200
    assert ask("GET", "/movie/1")[0] == 404
    assert ask.command(name="RescanMovie", movieId=3)["status"] == "completed"
    assert files(stack) == before


def test_a_killed_move_leaves_a_partial_copy_and_an_orphan(stack: Stack, ask: Ask) -> None:
    stack.event({"slow_moves": {"finished_videos": 0}})
    ask("PUT", "/movie/1?moveFiles=true", {**ask.get("/movie/1"), "path": f"{B}/Amber Coast (2001)"})
    stack.world.await_stall()
    ident = max(c["id"] for c in ask.get("/command"))
    whole = ask.get("/moviefile?movieId=1")[0]["size"]
    stack.kill()
    stack.event({"slow_moves": False})
    stack.start()
    name = "Amber Coast (2001)/Amber Coast (2001) Bluray-1080p.mkv"
    assert files(stack)[f"{A}/{name}"] == whole
    assert 0 < files(stack)[f"{B}/{name}"] < whole
    assert ask.get(f"/command/{ident}")["status"] == "orphaned"
    assert ask.get("/movie/1")["path"] == f"{B}/Amber Coast (2001)"
