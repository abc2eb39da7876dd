"""`remote: remove_when_imported`, over a real SFTP server: what leaves it, and all that keeps it there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.action import Action, Json
from reconciler.facts import Fact
from reconciler.kind import World, WriteRefused
from resources.clients.sftp.client import SftpClient
from resources.seedbox_transfer.remove import REMOVE
from sandbox.torrents.model import Torrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.effort import PROOF
from tests.kinds.seedbox_transfer.leaving import COMES, FILES, Home, leaving
from tests.kinds.torrent_retention.sim import payload


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with leaving(tmp_path) as found:
        yield found


def test_what_was_imported_and_nobody_needs_leaves_the_server(home: Home) -> None:
    """From plan to plan; days later still, when the ledger has thinned what it knows of the fetch."""
    home.brought()
    assert home.removals() == []
    assert "its torrent is still in rt" in home.why()
    home.left()
    assert home.removals() == []
    assert "no torrent has claimed it for" in home.why()
    home.box.clock.ahead += timedelta(days=4)
    home.box.plan()
    plan = home.box.plan()
    (action,) = plan.actions()
    assert action.subject.title == "Show"
    assert (action.effects.destroys, action.effects.bytes_destroyed, action.effects.files) == (1, 203_000, 2)
    shutil.rmtree(home.box.to / "Show")  # it may have been moved into the library
    assert home.box.session.apply(plan).exit == 4  # the first time wants an approval
    plan = home.box.plan()
    assert home.files() == set(FILES)
    (outcome,) = home.box.apply(plan).outcomes
    assert outcome.state == "done", outcome.says
    assert home.files() == {"e1.nfo"}  # what was never fetched stays
    assert not (home.there / "subs").exists()
    assert all(p.stat().st_size for p in home.library)
    again = home.box.proposal()
    assert (again.actions, again.held, again.blocked, again.errors) == ((), (), (), ())


def test_what_nobody_has_imported_stays(tmp_path: Path) -> None:
    with leaving(tmp_path, imported=False) as home:
        home.brought()
        home.forgotten()
        assert home.removals() == []
        assert "has not imported" in home.why()


def _other_bytes(home: Home) -> None:
    (home.there / "e1.mkv").write_bytes(b"other")


def _written_anew(home: Home) -> None:
    os.utime(home.there / "e1.mkv", (1, 1))


def _grown(home: Home) -> None:
    (home.there / "e2.mkv").write_bytes(b"new")


def _a_link(home: Home) -> None:
    (home.there / "subs").rename(home.box.folder / "moved")
    (home.there / "subs").symlink_to(home.box.folder / "moved")


def _unimported(home: Home) -> None:
    for path in home.library:
        path.unlink()


def _back(home: Home) -> None:
    home.rt.torrents[home.torrent.hash.upper()] = home.torrent


def _cross_seeded(home: Home) -> None:
    other = Torrent("b" * 40, "Renamed", str(home.there), [("e1.mkv", 200_000)], multi=False)
    home.rt.torrents[other.hash.upper()] = other


def _same_name(home: Home) -> None:
    other = payload(home.box.folder / "elsewhere", "Show", 3, files={"y": 10})
    home.rt.torrents[other.hash.upper()] = other


CHANGES = [_written_anew, _a_link, _unimported, _cross_seeded]
CHANGES += [_other_bytes, _grown, _back, _same_name] if PROOF else []


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_what_keeps_it_there_before_the_plan_and_after(home: Home, change: Callable[[Home], None]) -> None:
    """The same change, between plan and apply, and then before a new plan: no file goes."""
    home.brought()
    home.forgotten()
    plan = home.box.plan()
    assert home.removals(plan) == ["Show"]
    change(home)
    before = home.files()
    (outcome,) = home.box.apply(plan).outcomes
    assert outcome.state == "stale", outcome
    assert home.files() == before
    home.box.plan()
    home.box.clock.ahead += timedelta(minutes=6)
    assert home.removals() == []
    assert home.files() == before


def test_a_client_or_an_app_that_does_not_answer_keeps_everything(home: Home) -> None:
    home.brought()
    home.forgotten()
    plan = home.box.plan()
    other = Rtorrent([])
    with other:
        url = other.url
    home.declare(more=f"  gone: {{app: rtorrent, url: '{url}'}}\n")
    found = home.box.proposal()
    assert not found.actions
    assert any("what of seedbox gone still needs" in b.what for b in found.blocked)
    home.declare()
    del home.rt.torrents[next(iter(home.rt.torrents))]
    assert "lists no torrent at all" in home.box.proposal().blocked[0].reason
    home.rt.__exit__(None, None, None)
    (outcome,) = home.box.apply(plan).outcomes
    assert outcome.state == "blocked"
    assert home.files() == set(FILES)
    home.rt = Rtorrent([home.torrent])
    home.rt.__enter__()


def test_a_library_that_this_machine_does_not_see_proves_nothing(home: Home) -> None:
    home.declare(libraries=False)
    home.brought()
    home.forgotten()
    assert home.removals() == []
    assert "does not see the library of sonarr" in home.why()


def test_a_removal_that_was_cut_is_carried_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.brought()
    home.forgotten()
    unlink, gone = SftpClient.unlink_all, list[str]()

    def once(self: SftpClient, paths: Sequence[str]) -> None:
        if gone:
            raise WriteRefused("cut")
        gone.extend(paths)
        unlink(self, paths)

    with monkeypatch.context() as patch:
        patch.setattr(SftpClient, "together", 1)
        patch.setattr(SftpClient, "unlink_all", once)
        (outcome,) = home.box.apply(home.box.plan()).outcomes
    assert outcome.state not in ("done", "stale"), outcome
    assert len(home.files() & set(COMES)) == 1
    home.box.plan()
    home.box.clock.ahead += timedelta(days=3)
    home.box.plan()
    assert home.removals() == ["Show"]
    assert [o.state for o in home.box.apply(home.box.plan()).outcomes] == ["done"]
    assert home.files() == {"e1.nfo"}


def test_a_file_that_changes_at_the_last_moment_stops_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """After everything was looked at: the folder of the second file becomes a link, and what lies behind it stays."""
    home.brought()
    home.forgotten()
    precious = home.box.folder / "precious"
    shutil.copytree(home.there / "subs", precious)
    unlink = SftpClient.unlink_all

    def swap(self: SftpClient, paths: Sequence[str]) -> None:
        unlink(self, paths)
        shutil.rmtree(home.there / "subs", ignore_errors=True)
        (home.there / "subs").symlink_to(precious)

    plan = home.box.plan()
    monkeypatch.setattr(SftpClient, "together", 1)
    monkeypatch.setattr(SftpClient, "unlink_all", swap)
    (outcome,) = home.box.apply(plan).outcomes
    assert outcome.state != "stale"
    assert "is no folder any more" in outcome.says
    assert (precious / "e1.srt").exists()


@pytest.mark.parametrize("number", [0, 63, 64, 130])
def test_of_many_files_one_that_is_another_by_now_keeps_itself_and_what_follows(
    home: Home, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Files go some at a time, in few round trips; each was looked at in the trip before."""
    names = [f"{n:03}.mkv" for n in range(131)]
    home.box.put("Show", dict.fromkeys(names, b"bytes"))
    home.brought()
    home.forgotten()
    plan, read = home.box.plan(), REMOVE.read

    def grown(world: World, action: Action) -> Fact[dict[str, Json]]:
        found = read(world, action)
        (home.there / names[number]).write_bytes(b"other bytes")  # after everything else was looked at
        return found

    monkeypatch.setattr(REMOVE, "read", grown)
    (outcome,) = home.box.apply(plan).outcomes
    assert outcome.state != "done" and "changed on the server" in outcome.says
    left = {name for name in home.files() if name in names}
    assert left == set(names[number // 64 * 64 :])
    assert (home.there / names[number]).read_bytes() == b"other bytes"


@pytest.mark.parametrize("path", ["Show/e1.mkv", "Show", "."])
def test_what_a_path_protects_stays_with_all_that_holds_it(home: Home, path: str) -> None:
    home.declare(f"protect: ['{home.box.remote / path}']")
    home.brought()
    home.forgotten()
    proposal = home.box.proposal()
    assert proposal.actions == () and "protected by" in proposal.held[0].reason
    assert home.files() == set(FILES)


def test_where_nothing_is_to_be_removed_nobody_is_asked(home: Home) -> None:
    home.declare()
    path = home.box.desired / "wish.yaml"
    text = path.read_text().replace("    remote: remove_when_imported\n", "").replace("    imported_by: [sonarr]\n", "")
    path.write_text(text)
    home.brought()
    home.forgotten()
    found = home.box.proposal()
    assert not found.actions and not found.blocked
