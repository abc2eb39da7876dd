"""What the laws ask of this kind and a world's file cannot say (`tests/laws/worlds/torrent_retention`): a library that has
imported, torrents that come to share data, a client that deletes less than it says, hard links, and all ways of logging in.

The clients are simulated, the files are real, and the line between can break. What is asserted is which torrents the client
has and which bytes lie where.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler import registry
from reconciler.cli.main import outcome
from reconciler.errors import Exit
from reconciler.kind import WriteRefused
from reconciler.opener import Opener, ReadWorld
from reconciler.plan import files
from reconciler.plan.outcome import exit_code
from resources.clients.localfs import HERE
from tests.kinds.torrent_retention.rig import APPS, FAR, GOES, MINE, SECRETS, STAYS, WISH, Rig, rig, torrents
from tests.kinds.torrent_retention.sim import Sim, goes, held
from tests.kinds.torrent_retention.world import Television, download, sonarr


@pytest.fixture(params=(*APPS, FAR))
def it(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with rig(request.param, tmp_path) as made:
        yield made


def states(it: Rig, *args: Any) -> set[str]:
    """How the actions of an apply ended."""
    return {o.state for o in it.sim.apply(*args).outcomes}


def untouched(it: Rig, before: dict[str, bytes]) -> None:
    """Every torrent and every byte is where it was."""
    assert it.names == sorted([*GOES, *STAYS])
    assert it.files() == before and it.waiting() == {}


def test_law_2_the_same_facts_give_the_same_plan(it: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order of the client's list, and that of the YAML."""
    now = it.sim.clock.now()
    monkeypatch.setattr(it.sim.clock, "now", lambda: now)
    monkeypatch.setattr("sandbox.torrents.rtorrent.time", SimpleNamespace(time=now.timestamp))
    first = it.sim.plan()
    it.server.torrents = dict(reversed(it.server.torrents.items()))
    it.sim.declare("\n".join(reversed(WISH.strip().splitlines())))
    second = it.sim.plan()
    assert sorted(goes(first.resources[0].proposal)) == GOES
    assert first.id == second.id
    assert first.resources[0].proposal.model_dump_json() == second.resources[0].proposal.model_dump_json()


def test_law_3_planning_only_reads(it: Rig) -> None:
    before = {p: p.stat().st_mtime_ns for p in it.downloads.rglob("*")}
    it.sim.plan()
    assert it.line.asked and it.line.changes == []
    assert {p: p.stat().st_mtime_ns for p in it.downloads.rglob("*")} == before
    with Opener(it.sim.session().validate().stack, registry.openable(), it.sim.clock) as opener:
        world = ReadWorld(opener)
        with pytest.raises(WriteRefused):
            world.client("box").remove(it.torrent("Show").hash, data=True)
        with pytest.raises(WriteRefused):
            world.client("box").pause(it.torrent("Show").hash)
        with pytest.raises(WriteRefused):
            world.client(HERE).writable()
    assert it.line.changes == [] and it.names == sorted([*GOES, *STAYS])


@contextmanager
def watched(folder: Path) -> Iterator[tuple[Rig, Television]]:
    """Transmission beside a Sonarr that has imported one of the two."""
    with rig("transmission", folder) as it, sonarr(folder, {"sonarr": [download(it.torrent("Show"))]}) as tv:
        it.sim = Sim(folder, {"box": it.connection(), **tv.connections}, it.downloads, tv.paths)
        it.sim.declare(WISH.replace("{ratio:", "{imported: true, ratio:") + "imported_by: [sonarr]")
        assert goes(it.sim.proposal()) == ["Show"]
        yield it, tv


@pytest.mark.parametrize("fault", ["truncated", "short-list", "login-page"])
def test_law_4_half_a_history_is_none(tmp_path: Path, fault: str) -> None:
    with watched(tmp_path) as (it, tv):
        before = it.files()
        tv.stack.control.break_(fault, server="sonarr", path="/api/v3/history")
        plan = it.sim.plan()
        (part,) = plan.resources
        assert part.proposal.actions == ()
        assert any(b.reason.startswith("history of sonarr: ") and b.subjects for b in part.proposal.blocked)
        assert exit_code(plan, detailed=False) == Exit.BLOCKED
        it.sim.apply(plan)
        untouched(it, before)


def test_law_5_what_left_the_library_since_the_plan_holds_the_torrent(tmp_path: Path) -> None:
    """The torrent's data is the last copy by then."""
    with watched(tmp_path) as (it, tv):
        before = it.files()
        plan = it.sim.plan()
        (imported,) = tv.library("sonarr").rglob("*.mkv")
        imported.unlink()
        assert states(it, plan) == {"stale"}
        untouched(it, before)


def _elsewhere(it: Rig) -> None:
    it.torrent("Show").folder = it.torrent("Film.mkv").folder = str(it.downloads / "moved")


def _grown(it: Rig) -> None:
    for name in ("Show", "Film.mkv"):
        it.torrent(name).files.append(("late.mkv", 1))


def _shared(it: Rig) -> None:
    for number, name in ((7, "Show"), (8, "Film.mkv")):
        twin = next(t for t in torrents(it.downloads) if t.name == name)
        twin.hash = f"{number}" * 40
        it.server.torrents[twin.hash.upper() if it.ours else twin.hash] = twin


@pytest.mark.parametrize("change", [_elsewhere, _grown, _shared])
def test_law_5_what_moved_since_the_plan_is_left_alone(it: Rig, change: Callable[[Rig], None]) -> None:
    before = it.files()
    plan = it.sim.plan()
    change(it)
    assert "stale" in states(it, plan) <= {"stale", "left"}
    assert set(GOES) <= set(it.names) and it.files() == before and it.line.changes == []


def test_law_8_nothing_is_deleted_for_good_while_the_torrent_is_there(tmp_path: Path) -> None:
    """Room is needed, so nothing waits in quarantine; the client only says that the torrent is gone."""
    with rig("rtorrent", tmp_path, WISH + f"pressure: {{disk: {tmp_path / 'dl'}, above: 0%}}") as it:
        before = {Path(name).name: told for name, told in it.files().items()}
        plan = it.sim.plan()
        assert all(a.data["purge"] for a in plan.actions())
        it.line.fault = "ignored"
        assert "done" not in states(it, plan)
        assert {Path(name).name: told for name, told in it.files().items()} | it.waiting() == before


def test_law_8_files_that_stay_are_not_done(tmp_path: Path) -> None:
    """A client that takes the torrent out and leaves its data."""
    for app in ("qbittorrent", "transmission"):
        (tmp_path / app).mkdir()
        with rig(app, tmp_path / app) as it:
            before = it.files()
            everything = dict(it.server.torrents)

            def forget(it: Rig = it, everything: dict[str, Any] = everything) -> None:
                for key, torrent in everything.items():
                    if torrent.name in GOES:
                        it.server.torrents.pop(key, None)

            it.line.at_removal = forget
            assert "done" not in states(it)
            assert it.files() == before


def test_law_9_nothing_unowned(it: Rig) -> None:
    """Who is held is told why, and files of others lie where they lay: beside it, in its folder, under another name."""
    (it.downloads / "library").mkdir()
    os.link(it.downloads / "Show" / "e1.mkv", it.downloads / "library" / "e1.mkv")
    theirs = it.files().keys() - {"Show/e1.mkv", "Show/e2.mkv", "Film.mkv"}
    before = {name: it.files()[name] for name in theirs}
    proposal = it.sim.proposal()
    assert sorted(goes(proposal)) == GOES
    assert "uses the same data and stays" in held(proposal)["Pair"]
    states(it)
    assert it.names == STAYS
    assert it.files() == before and MINE.items() <= before.items() and "library/e1.mkv" in before


def test_law_9_a_full_disk_lifts_no_obligation(it: Rig) -> None:
    """What a tracker wants, and one that nobody has listed, outweigh the need of room; what may go goes."""
    blu = 'match: ["*.example"], keep_until: {ratio: ">= 4"}'
    may = 'may_go: {ratio: ">= 0"}'
    listed = WISH.replace('may_go: {ratio: ">= 2"}', may).replace(
        'match: ["*.example"], keep_until: {ratio: ">= 1"}', blu
    )
    assert blu in listed and may in listed
    it.sim.declare(listed + f"pressure: {{disk: {it.downloads}, above: 0%}}")
    assert goes(it.sim.proposal()) == []
    it.torrent("Film.mkv").ratio = 4000
    assert goes(it.sim.proposal()) == ["Film.mkv"]


def _said(it: Rig, *args: str) -> str:
    """What a command of `arr` prints, to both of its ends."""
    out, here = io.StringIO(), Path.cwd()
    os.chdir(it.sim.folder)
    try:
        with redirect_stdout(out), redirect_stderr(out):
            outcome(list(args))
    finally:
        os.chdir(here)
    return out.getvalue()


def _no_secret(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


def _kept_bytes(it: Rig) -> str:
    places = [it.sim.folder / "state", it.downloads / ".arr-quarantine"]
    return "".join(p.read_bytes().decode("latin-1") for top in places for p in top.rglob("*") if p.is_file())


def test_law_10_no_secret_leaves(it: Rig) -> None:
    """Passkeys stand in trackers and in their messages; a refusal repeats the login, as a cookie or as Basic, and all that
    was sent; a password is wrong."""
    plan = it.sim.plan()
    _no_secret(str(files.document(plan)))
    it.line.fault = "tale"
    report = it.sim.apply(plan)
    assert any(o.says for o in report.outcomes)
    _no_secret(report.model_dump_json())
    it.line.fault = ""
    _no_secret("".join(_said(it, *args) for args in (["plan"], ["plan", "--format", "json"], ["doctor"], ["status"])))
    report = it.sim.apply()
    _no_secret(report.model_dump_json() + _said(it, "logs") + _kept_bytes(it))
    if it.ours:
        return
    (it.sim.folder / "wrong").write_text("guessed-wrongly")
    it.sim.stack = it.sim.stack.replace(it.connection(), it.connection("wrong"))
    it.sim.declare(WISH)
    assert it.sim.code() == Exit.BLOCKED
    assert "guessed-wrongly" not in _said(it, "plan") + _said(it, "doctor") + _kept_bytes(it)


def test_law_11_a_guard_holds_the_whole_of_it(it: Rig) -> None:
    before = it.files()
    it.sim.declare(WISH + "guard: {max: 1}")
    plan = it.sim.plan()
    assert {h.guard for h in plan.hits()} == {"first-time", "destroy-count"}
    assert {o.state for o in it.sim.session().apply(plan).outcomes} == {"refused"}
    untouched(it, before)
