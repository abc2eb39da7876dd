"""rtorrent's data where this machine sees it over SFTP alone: a real OpenSSH server between us and the files.

The twelve laws of it are tried in `test_laws.py`, kills in `test_boundaries.py`. Here: what the plan says, what is not known,
what is planted between plan and apply, and connections that are cut.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Exit, UsageError
from reconciler.facts import ReadFailed
from reconciler.kind import WriteRefused
from resources.clients.localfs import Batches
from resources.clients.sftp import quarantine, sight, wire
from resources.clients.sftp.client import SftpClient
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.rig import FAR, GOES, MINE, STAYS, WISH, Rig, rig
from tests.kinds.torrent_retention.sim import Sim, goes, held, payload
from tests.live.sftp import server
from tests.live.sftp.server import Sshd

ROUNDS = 4


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Rig]:
    with rig(FAR, tmp_path) as made:
        yield made


def box(it: Rig) -> Sshd:
    assert it.ssh is not None
    return it.ssh


def states(it: Rig, *args: Any) -> dict[str, str]:
    return {o.action.subject.title: o.state for o in it.sim.apply(*args).outcomes}


def everywhere(it: Rig) -> dict[str, bytes]:
    """Every payload by name, in its place or in quarantine."""
    return {Path(name).name: told for name, told in it.files().items()} | it.waiting()


def untouched(it: Rig, before: dict[str, bytes]) -> None:
    assert it.names == sorted([*GOES, *STAYS])
    assert it.files() == before and it.waiting() == {}
    assert all(t.active for t in it.server.torrents.values())


def gets_there(it: Rig) -> None:
    for _ in range(ROUNDS):
        if not it.sim.proposal().actions:
            break
        it.sim.apply()
    assert it.names == STAYS and it.sim.proposal().actions == ()


def refused(it: Rig) -> str:
    """What is wrong with the desired state."""
    with pytest.raises(UsageError) as told:
        it.sim.plan()
    return str(told.value.diagnostics)


def test_the_plan_says_through_whom_and_what_cannot_be_known(it: Rig) -> None:
    proposal = it.sim.proposal()
    assert sorted(goes(proposal)) == GOES and {a.data["by"] for a in proposal.actions} == {"seedbox"}
    assert all("frees nothing now, at most" in " ".join(a.details) for a in proposal.actions)
    assert any("SFTP tells of none" in line for line in proposal.not_checked)
    assert "uses the same data and stays" in held(proposal)["Pair"]


@pytest.mark.parametrize("when", ["plan", "apply"])
def test_a_server_that_does_not_answer_owns_everything(it: Rig, when: str) -> None:
    before = it.files()
    plan = it.sim.plan() if when == "apply" else None
    box(it).stop()
    if plan is None:
        plan = it.sim.plan()
        assert list(plan.actions()) == [] and it.sim.code() == Exit.BLOCKED
        assert "cannot be reached" in plan.resources[0].proposal.blocked[0].reason
    it.sim.apply(plan)
    untouched(it, before)


def test_files_that_are_not_there_are_not_gone(it: Rig) -> None:
    """The server's disk is not mounted: its folder is there, and empty."""
    it.downloads.rename(it.downloads.with_name("elsewhere"))
    it.downloads.mkdir()
    proposal = it.sim.proposal()
    assert proposal.actions == () and "seedbox sees other files than box" in str(proposal.blocked)


@pytest.mark.parametrize("app", ["rtorrent", FAR])
def test_what_is_protected_by_a_path_stays_under_each_of_its_names(tmp_path: Path, app: str) -> None:
    """A file in the payload, a folder above it; as its client calls it, and as it is seen from here."""
    with rig(app, tmp_path) as it:
        stack = it.sim.stack
        for name, path in (("Show", it.downloads / "Show" / "e2.mkv"), ("Show", it.downloads / "Show")):
            it.sim.declare(WISH, f"protect: [{path}]\n")
            assert goes(it.sim.proposal()) == ["Film.mkv"] and "protected" in held(it.sim.proposal())[name]
        it.sim.stack = re.sub(rf"\bbox: {it.downloads}", "box: /elsewhere", stack)
        for torrent in it.server.torrents.values():
            torrent.folder = torrent.folder.replace(str(it.downloads), "/elsewhere")
        it.sim.declare(WISH, f"protect: [{it.downloads}/Film.mkv, /elsewhere/Show/e1.mkv]\n")
        told = held(it.sim.proposal())
        assert goes(it.sim.proposal()) == [] and "protected" in told["Show"] and "protected" in told["Film.mkv"]


# --- between plan and apply


def _file_becomes_link(it: Rig, library: Path) -> None:
    shutil.move(it.downloads / "Show" / "e1.mkv", library / "e1.mkv")
    (it.downloads / "Show" / "e1.mkv").symlink_to(library / "e1.mkv")


def _folder_becomes_link(it: Rig, library: Path) -> None:
    shutil.move(it.downloads / "Show", library / "Show")
    (it.downloads / "Show").symlink_to(library / "Show")


def _file_is_another(it: Rig, library: Path) -> None:
    path = it.downloads / "Show" / "e1.mkv"
    shutil.copy(path, library / "e1.mkv")
    path.write_bytes(b"y" * path.stat().st_size)
    os.utime(path, (1_500_000_000, 1_500_000_000))


@pytest.mark.parametrize("change", [_file_becomes_link, _folder_becomes_link, _file_is_another])
def test_what_was_planted_since_the_plan(it: Rig, tmp_path: Path, change: Callable[[Rig, Path], None]) -> None:
    library = tmp_path / "library"
    library.mkdir()
    plan = it.sim.plan()
    change(it, library)
    kept = {p: p.read_bytes() for p in library.rglob("*.mkv")}
    assert states(it, plan)["Show"] == "stale"
    assert "Show" in it.names and {p: p.read_bytes() for p in library.rglob("*.mkv")} == kept


@pytest.mark.parametrize("change", [_file_becomes_link, _folder_becomes_link])
def test_what_is_planted_at_the_last_moment(it: Rig, tmp_path: Path, change: Callable[[Rig, Path], None]) -> None:
    """After the precondition was compared, when the client has let go of the files."""
    library, call = tmp_path / "library", it.server._call
    library.mkdir()
    plan = it.sim.plan()

    def late(method: str, params: list[Any]) -> Any:
        if method == "d.close" and params[0].lower() == it.torrent("Show").hash.lower() and not any(library.iterdir()):
            change(it, library)
        return call(method, params)

    it.server._call = late
    before = everywhere(it)
    assert states(it, plan)["Show"] == "failed"
    assert any(library.iterdir()) and "Show" in it.names and it.torrent("Show").active
    kept = {p.name: p.read_bytes() for p in library.rglob("*.mkv")}
    assert kept == {name: before[name] for name in kept}


@pytest.mark.parametrize("app", ["rtorrent", FAR])
@pytest.mark.parametrize("when", ["plan", "apply"])
def test_another_way_to_the_same_folder(tmp_path: Path, app: str, when: str) -> None:
    """A torrent that lies behind a link shares the bytes, whatever its path says; it may come after the plan."""
    with rig(app, tmp_path) as it:
        before, plan = it.files(), it.sim.plan()
        (it.downloads / "alias").symlink_to(it.downloads)
        twin = payload(it.downloads / "alias", "Show", 77, files={"e1.mkv": 60_000, "e2.mkv": 30_000}, ratio=0)
        twin.trackers = it.torrent("Show").trackers
        it.server.torrents[twin.hash.upper()] = twin
        if when == "plan":
            proposal = it.sim.proposal()
            assert goes(proposal) == ["Film.mkv"] and "uses the same data" in held(proposal)["Show"]
            return
        ended = states(it, plan)
        assert ended["Show"] == "stale" and ended["Film.mkv"] in ("done", "left")
        assert {k: v for k, v in it.files().items() if k.startswith("Show")} == {
            k: v for k, v in before.items() if k.startswith("Show")
        }


def test_who_shares_is_not_told(it: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question for the other torrent's files fails, and no other: then nothing goes that it may have."""
    (it.downloads / "alias").symlink_to(it.downloads)
    twin = payload(it.downloads / "alias", "Show", 77, files={"e1.mkv": 60_000, "e2.mkv": 30_000}, ratio=0)
    it.server.torrents[twin.hash.upper()] = twin
    look = sight.look

    def failing(line: Any, paths: Any) -> Any:
        if any("/alias/" in path for path in paths):
            raise ReadFailed("refused", "the server has a bad day")
        return look(line, paths)

    monkeypatch.setattr(sight, "look", failing)
    proposal = it.sim.proposal()
    assert goes(proposal) == ["Film.mkv"] and "whether Show in box has the same files" in str(proposal.blocked)


def test_another_file_system_is_told_by_the_plan(tmp_path: Path) -> None:
    other = Path("/dev/shm") / f"arr-test-{os.getpid()}"
    if not other.parent.is_dir() or other.parent.stat().st_dev == Path("/").stat().st_dev:
        pytest.skip("no second file system here")
    other.mkdir()
    try:
        with Sshd(tmp_path / "sshd") as ssh, Rtorrent([payload(other, "Film.mkv", 1)], http=True) as rt:
            it = Rig("rtorrent", Sim(tmp_path, {}, None), rt, rt, Path("/"), ssh)  # type: ignore[arg-type]
            it.sim = it.stack()
            it.sim.declare("connection: box\nmay_go: {ratio: '>= 2'}\ntrackers: {unlisted: allow}")
            proposal = it.sim.proposal()
            assert goes(proposal) == [] and "cannot be moved aside" in held(proposal)["Film.mkv"]
    finally:
        shutil.rmtree(other)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="a mount of our own needs root")
@pytest.mark.parametrize("without", ["", " -P posix-rename,statvfs"])
def test_a_mount_that_no_server_tells_of(it: Rig, monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    """The payload's folder is mounted over itself, for the server alone: same file system, and yet no rename leaves it."""
    show, ssh = it.downloads / "Show", box(it)
    script = f"mount --bind '{show}' '{show}' && exec \"$@\""
    command = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh")
    tried = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False)
    if not tried or tried.returncode:
        assert os.environ.get("CI") != "true", f"no mount namespace here: {tried}"
        pytest.skip("this container does not let root mount")
    ssh.stop()
    monkeypatch.setattr(ssh, "_sftp", f"{server.SFTP}{without}")
    ssh.before = command
    ssh.start()
    before = it.files()
    it.torrent("Film.mkv").ratio = 0
    report = it.sim.apply()
    assert [o.state for o in report.outcomes] == ["failed"] and "all is back in its place" in report.outcomes[0].says
    untouched(it, before)


def test_a_rename_that_is_refused_puts_all_back(it: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where another file system begins and the server does not tell so: what has moved already is back, and seeds on."""
    before, some, count = it.files(), SftpClient._some, [0]

    def refusing(self: SftpClient, what: int, requests: Any) -> Any:
        count[0] += what == wire.EXTENDED
        if what == wire.EXTENDED and count[0] == 2:
            return [WriteRefused("it failed")]
        return some(self, what, requests)

    monkeypatch.setattr(SftpClient, "together", 1)
    monkeypatch.setattr(SftpClient, "_some", refusing)
    it.torrent("Film.mkv").ratio = 0
    report = it.sim.apply()
    assert [o.state for o in report.outcomes] == ["failed"] and "all is back in its place" in report.outcomes[0].says
    untouched(it, before)
    assert not any((it.downloads / ".arr-quarantine").iterdir())


# --- the connection breaks


def at_write(monkeypatch: pytest.MonkeyPatch, kind: int, at: int, do: Callable[[], None], *, after: bool) -> list[int]:
    """`do` something before or after the `at`-th file is renamed (or removed), one after the other. How many there were."""
    some, count = SftpClient._some, [0]

    def counting(self: SftpClient, what: int, requests: Any) -> Any:
        count[0] += what == kind
        if what != kind or count[0] != at:
            return some(self, what, requests)
        told = some(self, what, requests) if after else None
        do()
        return told or some(self, what, requests)

    monkeypatch.setattr(SftpClient, "together", 1)
    monkeypatch.setattr(SftpClient, "_some", counting)
    return count


@pytest.mark.parametrize(("at", "after"), [(1, False), (1, True), (2, False), (3, True)])
def test_a_cut_is_taken_back_at_once(it: Rig, monkeypatch: pytest.MonkeyPatch, at: int, after: bool) -> None:
    """The server can be reached again: nothing is moved, the torrent seeds, and a later run does it."""
    before = everywhere(it)
    count = at_write(monkeypatch, wire.EXTENDED, at, box(it).cut, after=after)
    states(it)
    assert count[0] >= at and everywhere(it) == before and all(t.active for t in it.server.torrents.values())
    gets_there(it)
    assert everywhere(it) == before


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_server_that_goes_away_in_the_middle(it: Rig, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """What has moved waits in quarantine, told by its manifest; once the server is back the next plans put it right."""
    before = everywhere(it)
    count = at_write(monkeypatch, wire.EXTENDED, at, box(it).stop, after=True)
    assert "done" not in states(it).values() or at == 3
    assert count[0] >= at and len(it.names) >= len(STAYS) + 1 and everywhere(it) == before
    box(it).start()
    gets_there(it)
    assert everywhere(it) == before


@pytest.mark.parametrize("at", [1, 2])
def test_bringing_back_that_is_cut(it: Rig, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """rtorrent has kept the torrent; its data comes back in spite of a cut on the way."""
    before = everywhere(it)
    it.line.fault = "ignored"
    it.sim.apply()
    it.line.fault = ""
    count = at_write(monkeypatch, wire.RENAME, at, box(it).cut, after=True)
    gets_there(it)
    assert count[0] >= at and everywhere(it) == before


# --- its time in quarantine, and room


def test_it_waits_and_is_purged_when_its_time_is_over(it: Rig) -> None:
    states(it)
    assert len(it.waiting()) == 3
    it.sim.clock.ahead = timedelta(days=8)
    purges = it.sim.proposal().actions
    assert {a.verb for a in purges} == {"purge"} and all("frees at most" in a.details[0] for a in purges)
    report = it.sim.apply()
    assert {o.state for o in report.outcomes} == {"done"} and "deleted for good" in report.outcomes[0].says
    assert it.waiting() == {} and not any((it.downloads / ".arr-quarantine").iterdir())
    assert it.files() == {n: t for n, t in it.files().items() if n in MINE or n.split("/")[0] in STAYS}


def test_a_purge_that_was_cut_is_ended_by_the_next_plan(it: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    states(it)
    it.sim.clock.ahead = timedelta(days=8)
    count = at_write(monkeypatch, wire.REMOVE, 1, box(it).cut, after=True)
    it.sim.apply()
    gets_there(it)
    assert count[0] and it.waiting() == {} and not any((it.downloads / ".arr-quarantine").iterdir())


def test_pressure_is_measured_on_the_server(it: Rig) -> None:
    """By its own words; what goes under pressure goes for good, once the torrent is seen to be gone."""
    it.sim.declare(WISH + f"pressure: {{disk: {it.downloads}, above: 0%}}")
    plan, space = it.sim.plan(), os.statvfs(it.downloads)
    (bar,) = plan.resources[0].proposal.bars
    assert bar.size == space.f_blocks * space.f_frsize and all(a.data["purge"] for a in plan.actions())
    assert set(states(it, plan).values()) == {"done"}
    assert it.waiting() == {} and "Film.mkv" not in it.files() and it.names == STAYS
    it.sim.declare(WISH + "pressure: {disk: /mnt/else, above: 0%}")
    assert "nobody sees /mnt/else" in refused(it)


@pytest.mark.parametrize("app", ["rtorrent", FAR])
def test_pressure_where_the_downloads_are_a_link(tmp_path: Path, app: str) -> None:
    with rig(app, tmp_path) as it:
        link = tmp_path / "link"
        link.symlink_to(it.downloads)
        it.sim.stack = re.sub(rf"\b(here|seedbox): {it.downloads}", rf"\1: {link}", it.sim.stack)
        it.sim.declare(WISH + f"pressure: {{disk: {it.downloads}, above: 0%}}")
        assert sorted(goes(it.sim.proposal())) == GOES
        assert set(states(it).values()) == {"done"} and it.names == STAYS and "Film.mkv" not in it.files()


def test_a_server_without_any_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No rename in one step, no flush, no size of a disk: it is done all the same, and what is not measured is said."""
    monkeypatch.setattr(server, "SFTP", f"{server.SFTP} -P posix-rename,fsync,statvfs")
    with rig(FAR, tmp_path, WISH + "quarantine: {keep: 0s}") as it:
        report = it.sim.apply()
        assert {o.state for o in report.outcomes} == {"done"}
        assert all("could not be measured" in o.says for o in report.outcomes)
        assert it.names == STAYS and it.waiting() == {} and "Show/e1.mkv" not in it.files()


# --- what is declared


def test_what_cannot_work_is_told_at_once(it: Rig) -> None:
    for wish, stack, says in (
        (WISH, it.sim.stack.replace("app: sftp", "access: read, app: sftp"), "may only read"),
        (WISH, it.sim.stack.partition("paths:")[0], "does not see its files"),
        (WISH + "orphans: {under: [/elsewhere]}", it.sim.stack, "nobody sees /elsewhere"),
        (
            WISH + f"delete: torrent\norphans: {{under: [{it.downloads}]}}",
            it.sim.stack.replace("app: sftp", "access: read, app: sftp"),
            "nothing is moved aside there",
        ),
    ):
        it.sim.stack, before = stack, it.sim.stack
        it.sim.declare(wish)
        assert says in refused(it)
        it.sim.stack = before


# --- the quarantine itself


def test_nothing_outside_through_links_or_over_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No way out of its root, no link on the way, nothing overwritten on the way back, and a root that is a link itself."""
    real, root, out = tmp_path / "real", tmp_path / "root", tmp_path / "out"
    (real / "a").mkdir(parents=True)
    root.symlink_to(real)
    (root / "a" / "f").write_text("f")
    out.mkdir()
    (out / "g").write_text("g")
    (root / "link").symlink_to(out)
    until = datetime(2026, 1, 1, tzinfo=UTC)
    with Sshd(tmp_path / "sshd") as ssh:
        fs = ssh.client()

        def stash(batch: str, path: Path) -> None:
            quarantine.stash(fs, str(root), batch, [str(path)], about={}, until=until, stop=str(root / "a"))

        for bad in (out / "g", root / "link" / "g", root / ".." / "out" / "g", root, root / "link", root / "a"):
            with pytest.raises(WriteRefused):
                stash("b1", bad)
        for name in ("", "..", "../x", "A", "x/y"):
            with pytest.raises(WriteRefused):
                stash(name, root / "a" / "f")
        assert (out / "g").read_text() == "g" and (root / "a" / "f").read_text() == "f"
        stash("b1", root / "a" / "f")
        assert not (root / "a").exists()
        (batch,) = fs.read(Batches("seedbox", str(root)))
        assert (batch.id, batch.files, batch.whole, batch.exact) == ("b1", 1, True, False)
        with pytest.raises(WriteRefused, match="is there already"):
            (root / "h").write_text("h")
            stash("b1", root / "h")
        (root / "a").mkdir()
        (root / "a" / "f").write_text("new")
        for rename in (SftpClient.rename_all, SftpClient.move_all):  # the second replaces, as some servers do
            monkeypatch.setattr(SftpClient, "rename_all", rename)
            with pytest.raises(WriteRefused, match="in their place"):
                quarantine.restore(fs, str(root), "b1")
            assert (root / "a" / "f").read_text() == "new"
        (root / "a" / "f").unlink()
        (root / "a").rmdir()
        (root / "a").symlink_to(out)
        with pytest.raises(WriteRefused):
            quarantine.restore(fs, str(root), "b1")
        assert sorted(p.name for p in out.iterdir()) == ["g"]
        (root / "a").unlink()
        quarantine.restore(fs, str(root), "b1")
        assert (root / "a" / "f").read_text() == "f" and fs.read(Batches("seedbox", str(root))) == ()
        assert list((root / ".arr-quarantine").iterdir()) == []
        fs.close()


def test_a_batch_that_leads_elsewhere_is_not_deleted(tmp_path: Path) -> None:
    root, library = tmp_path / "root", tmp_path / "library"
    root.mkdir()
    library.mkdir()
    (root / "a.mkv").write_bytes(b"data")
    (library / "film.mkv").write_bytes(b"precious")
    with Sshd(tmp_path / "sshd") as ssh:
        fs = ssh.client()
        quarantine.stash(fs, str(root), "b1", [str(root / "a.mkv")], about={}, until=datetime.now(UTC), stop=None)
        batch = root / ".arr-quarantine" / "b1"
        (batch / "files" / "more").symlink_to(library)
        shutil.move(batch / "files", root / "files")
        (batch / "files").symlink_to(library)
        with pytest.raises(WriteRefused, match="is a link"):
            quarantine.purge(fs, str(root), "b1")
        (batch / "files").unlink()
        shutil.move(root / "files", batch / "files")
        quarantine.purge(fs, str(root), "b1")
        assert (library / "film.mkv").read_bytes() == b"precious" and not batch.exists()
        fs.close()
