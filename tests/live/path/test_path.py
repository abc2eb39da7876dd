"""The whole path over real parts: a torrent ends in rtorrent, comes home over OpenSSH, is imported, seeds, and leaves.

And the ends that it must not come to: never imported, its data still used by another torrent, Sonarr not answering.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.plan.model import Plan
from reconciler.session import Session
from sandbox.seedbox.programs import lacking
from sandbox.seedbox.scene import Edit, Scene
from tests.stacks import ARR

SOON: list[Edit] = [('{any: [{ratio: ">= 1.0"}, {seeded: ">= 14d"}]}', '{seeded: ">= 0s"}')]
RASH: list[Edit] = [*SOON, ("{imported: true}", '{ratio: ">= 0"}'), ("    imported_by: [sonarr-tv]\n", "")]


class Home:
    """The scene, and `arr` over the files that its user wrote: looked at within this process, applied by the command."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.session = Session([scene.home / "desired"], scene.home / "state", clock=SystemClock())

    def arr(self, *args: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")}
        return subprocess.run(
            [ARR, *args], cwd=self.scene.home, env={**env, "NO_COLOR": "1", "COLUMNS": "80"}, text=True,
            capture_output=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def plan(self) -> Plan:
        return self.session.plan()

    def apply(self, plan: Plan, *more: str, expect: int = 0) -> str:
        done = self.arr("apply", plan.id, *more)
        assert done.returncode == expect, done.stdout + done.stderr
        return " ".join(done.stdout.split())

    def why(self, name: str) -> str:
        return "\n".join(line for _, lines in self.session.why(name) for line in lines)


def actions(plan: Plan) -> list[tuple[str, str]]:
    return [(a.verb, a.subject.title) for a in plan.actions()]


def videos(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*.mkv")}


def modified(folder: Path) -> dict[str, int]:
    """In whole seconds: the protocol tells no more."""
    return {p.name: int(p.stat().st_mtime) for p in folder.rglob("*.mkv")}


@pytest.fixture
def home(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A scene with the wish of `desired/seedbox`, as it stands or with the edits that the test names."""
    if gone := lacking():
        assert os.environ.get("CI") != "true", gone
        pytest.skip(gone)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # the sandbox's servers run as nobody where root starts them
    with Scene(tmp_path / "scene", edits=getattr(request, "param", ())) as scene:
        for name, value in scene.env.items():
            monkeypatch.setenv(name, value)
        yield Home(scene)


def test_a_torrent_comes_home_is_imported_seeds_to_its_goal_and_leaves(home: Home) -> None:
    """Six looks at one release, and at each of them exactly what is due, and nothing else."""
    scene = home.scene
    season = scene.release(2)
    wanted, torrent = videos(season), scene.torrent(season)
    scene.downloads(torrent)
    there = scene.tv / season.name

    first = home.plan()  # complete: it comes home; neither imported nor seeded enough: it stays
    assert actions(first) == [("fetch", season.name)]
    home.apply(first)
    came = scene.incoming / season.name
    assert videos(came) == wanted and not (came / "release.nfo").exists()
    assert modified(came) == modified(there)
    assert actions(home.plan()) == []

    scene.imports(season.name, torrent)
    taken = [p for p in scene.library.rglob("*.mkv") if p.name in wanted]
    assert {p.name: p.stat().st_ino for p in taken} == {p.name: p.stat().st_ino for p in came.glob("*.mkv")}
    assert actions(home.plan()) == []
    assert "blu wants more: ratio 0, not >= 1.0" in home.why(season.name)

    shutil.rmtree(came)  # tidied away at home, and still on the seedbox: not fetched a second time
    assert actions(home.plan()) == []

    scene.uploads(torrent)
    last = home.plan()
    assert actions(last) == [("remove", season.name)]
    (remove,) = last.actions()
    assert remove.effects.bytes_freed == sum(p.stat().st_blocks * 512 for p in there.iterdir())
    home.apply(last, expect=4)  # its first removal wants an approval
    assert scene.box.hashes() == {torrent.hash} and videos(there) == wanted
    told = home.apply(last, "--approve", last.id)
    assert "the torrent and its data are gone (12.0 MB deleted); the disk has" in told
    assert scene.box.hashes() == set() and not there.exists() and scene.tv.exists()
    assert {p.name: p.read_bytes() for p in taken} == wanted
    assert {p.stat().st_nlink for p in taken} == {1}
    assert actions(home.plan()) == []
    assert not came.exists()
    told = home.arr("plan", "--detailed-exitcode").stdout
    assert "Nothing to do." in told and "torrent_retention.tv: 0 torrents in rtorrent." in told
    kept = b"".join(p.read_bytes() for p in (scene.home / "state").rglob("*") if p.is_file())
    assert scene.tracker.passkey.encode() not in kept


@pytest.mark.parametrize("home", [SOON], indirect=True)
def test_what_must_not_leave_stays(home: Home) -> None:
    """Of three that seeded long enough one goes: not what was never imported, and not what another tracker's torrent needs.

    And while Sonarr does not answer, or no longer has what it imported, nothing does, by a plan from before or a new one.
    """
    scene = home.scene
    goes, never, shared = (scene.release(n) for n in (2, 3, 4))
    torrents = {release.name: scene.torrent(release) for release in (goes, never, shared)}
    cross = scene.torrent(shared, host="localhost")
    for release in (goes, never, shared):
        scene.seeds(release, torrents[release.name])
    scene.seeds(shared, cross)
    home.apply(home.plan())
    for release in (goes, shared):
        scene.imports(release.name, torrents[release.name])
    every = {cross.hash, *(t.hash for t in torrents.values())}

    plan = home.plan()
    assert actions(plan) == [("remove", goes.name)]
    assert "nobody has imported it" in home.why(never.name)
    said = home.why(shared.name)
    assert "its tracker localhost is not listed, and what is not listed is held" in said
    assert f"{shared.name} in rtorrent uses the same data and stays" in said

    (taken, *_) = (p for p in scene.library.rglob("*.mkv") if p.name in videos(goes))
    taken.rename(scene.home / taken.name)  # the last look at the library was the plan's: it is looked at once more
    told = home.apply(plan, "--approve", plan.id, expect=5)
    assert f"{taken.name}, which was imported, is missing" in told
    (scene.home / taken.name).rename(taken)

    plan = home.plan()
    scene.stack.stop("sonarr")
    home.apply(plan, "--approve", plan.id, expect=7)
    blind = home.arr("plan")
    assert blind.returncode == 7 and "remove" not in blind.stdout
    assert "history of sonarr" in blind.stdout and "3 not known" in blind.stdout
    assert scene.box.hashes() == every and videos(scene.tv / goes.name) == videos(goes)

    scene.stack.start("sonarr")
    again = home.plan()
    home.apply(again, "--approve", again.id)
    assert scene.box.hashes() == every - {torrents[goes.name].hash}
    assert not (scene.tv / goes.name).exists()
    assert videos(scene.tv / never.name) == videos(never) and videos(scene.tv / shared.name) == videos(shared)


@pytest.mark.parametrize("home", [RASH], indirect=True)
def test_what_has_still_to_come_home_stays(home: Home) -> None:
    """A rule that asks for no import would let it go at once: it waits until it is fetched, whatever becomes of the fetch."""
    scene = home.scene
    season = scene.release(2)
    torrent = scene.torrent(season)
    scene.seeds(season, torrent)
    plan = home.plan()
    assert actions(plan) == [("fetch", season.name)]
    held = [(h.subject.title, h.reason) for r in plan.resources for h in r.proposal.held]
    assert held == [(season.name, "seedbox_transfer.tv has still to fetch it")]
    home.apply(plan)
    assert videos(scene.incoming) == videos(season) == videos(scene.tv)
    assert actions(home.plan()) == [("remove", season.name)]
