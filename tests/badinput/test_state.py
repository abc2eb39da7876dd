"""State folders that are missing, read-only, full, damaged or of another time: said, with the remedy, and nothing is done."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.session import Session
from tests.badinput.child import go, held
from tests.badinput.ends import ends, flat, remembered, told_well, untouched
from tests.stacks import TINY, Lab

NOBODY = 65534
TAG = "tag:\n  kids: {connections: [radarr]}\n"


@pytest.fixture
def planned(tiny: Lab) -> Lab:
    """A state with a plan in it that makes a tag: `tag.json`."""
    tiny.declare(TAG)
    assert tiny.arr("plan", "--out", "tag.json").returncode == 0
    return tiny


# ---------------------------------------------------------------------------------------------------------- missing


def test_a_missing_folder_is_made_and_is_private(tiny: Lab) -> None:
    ends(tiny, "plan", "--state", "some/where/state", code=0, says=("Borrowed Time",))
    folder = tiny.folder / "some/where/state"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "arr.db").stat().st_mode) == 0o600


def test_what_only_looks_makes_no_folder(tiny: Lab) -> None:
    for args in (("status",), ("history",), ("why", "Borrowed Time")):
        ends(tiny, *args, "--state", "other", code=0, says=())
        assert not (tiny.folder / "other").exists()


# -------------------------------------------------------------------------------------------------------- read-only


@pytest.fixture
def read_only(planned: Lab) -> Iterator[Path]:
    """The planned state, where an ordinary user can see it and cannot write."""
    public = Path(tempfile.mkdtemp())
    public.chmod(0o755)
    folder = public / "state"
    shutil.copytree(planned.state, folder)
    (folder / "arr.db").chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(public)


def test_a_read_only_folder(planned: Lab, read_only: Path) -> None:
    """Commands that only look go on; the others end at once, and name who the folder belongs to."""
    user = NOBODY if os.geteuid() == 0 else None
    for args in (("plan",), ("apply", "tag.json"), ("apply", "--yes")):
        with untouched(planned, read_only, reads=False):
            (done,) = go(held(planned, *args, "--state", str(read_only), user=user))
        told_well(planned, done)
        said = flat(done.stderr)
        assert done.returncode == 1, said
        assert f"belongs to user {os.geteuid()}, mode 0" in said
        assert "run as the user it belongs to" in said
    (done,) = go(held(planned, "history", "--state", str(read_only), user=user))
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------------------------------------------------- full


@pytest.fixture
def small(planned: Lab, tmp_path: Path) -> Iterator[Path]:
    """The planned state on a filesystem of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False)
    if done.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(f"a tmpfs cannot be mounted: {done.stderr!r}")
        pytest.skip("this container does not let root mount")
    try:
        shutil.copytree(planned.state, disk / "state")
        yield disk / "state"
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk(planned: Lab, small: Path) -> None:
    filler = small.with_name("filler")
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    for args in (("plan",), ("apply", "tag.json")):
        with untouched(planned, small):
            done = planned.arr(*args, "--state", str(small))
        told_well(planned, done)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "is full; nothing was recorded" in flat(done.stderr)
        assert "free some space there" in flat(done.stderr)
    filler.unlink()
    done = planned.arr("apply", "tag.json", "--state", str(small))
    assert done.returncode == 0, done.stdout + done.stderr


# ---------------------------------------------------------------------------------------------------------- damaged


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def text(file: Path) -> None:
    file.write_text("this is no database\n" * 100)


def newer(file: Path) -> None:
    db = sqlite3.connect(file)
    db.execute("PRAGMA user_version = 99")
    db.close()


def foreign(file: Path) -> None:
    db = sqlite3.connect(file)
    db.execute("PRAGMA application_id = 7")
    db.close()


DAMAGES = {
    "cut": (cut, "it ends after 5000 of", "put a backup in its place"),
    "empty": (emptied, "it is empty", "put a backup in its place"),
    "text": (text, "it does not begin as a database does", "put a backup in its place"),
    "newer": (newer, "is of a newer version of arr (schema 99", "use that newer version"),
    "foreign": (foreign, "is a database of another program", "name another state folder"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_no_state_of_ours_is_left_as_it_is(planned: Lab, name: str) -> None:
    damage, says, remedy = DAMAGES[name]
    for beside in ("arr.db-wal", "arr.db-shm"):
        (planned.state / beside).unlink(missing_ok=True)
    file = planned.state / "arr.db"
    damage(file)
    before, world = file.read_bytes(), planned.files()
    planned.stack.control.clear()
    for args in (("apply", "tag.json"), ("history",)):
        done = planned.arr(*args)
        told_well(planned, done)
        said = flat(done.stderr)
        assert done.returncode == 1, said
        assert says in said
        assert remedy in said
        assert file.read_bytes() == before
    assert not planned.stack.control.requests()
    assert planned.files() == world


def test_a_file_in_the_place_of_the_folder(tiny: Lab) -> None:
    (tiny.folder / "plain").write_text("mine")
    says = ("the state folder plain is a file", "name another folder")
    ends(tiny, "plan", "--state", "plain", code=1, says=says, reads=False)
    assert (tiny.folder / "plain").read_text() == "mine"


# ------------------------------------------------------------------------------------------------------------ clock


class Ahead(SystemClock):
    """A clock that was set a year ahead while the state was written."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=365)


@pytest.fixture
def ahead(tiny: Lab, monkeypatch: pytest.MonkeyPatch) -> Session:
    for name, value in tiny.env.items():
        monkeypatch.setenv(name, value)
    return Session([tiny.desired], tiny.state, Ahead())


def test_a_plan_of_the_future_is_not_applied(tiny: Lab, ahead: Session) -> None:
    plan = ahead.plan()
    says = ("which is in the future of this clock", "set the clock")
    ends(tiny, "apply", plan.id, "--approve", plan.id, code=5, says=says, reads=False)


def test_after_a_run_of_the_future_nothing_is_begun(tiny: Lab, ahead: Session) -> None:
    """Limits a day would be reckoned wrongly; what has moved rests, whatever the clock says."""
    tiny.declare(TINY + TAG.replace("kids", "teens"))
    plan = ahead.plan()
    assert ahead.apply(plan, approve=plan.id).exit == 0
    assert len(remembered(tiny.state)["entries"]) == 2
    turned = TINY.replace("max: 80%", "max: 99%").replace("d2/movies}, max: 90%", "d2/movies}, max: 5%")
    tiny.declare(turned + TAG.replace("kids", "elders"))
    rests = ("moved at a time that lies ahead of this clock (run r000001); the cool-down is 90 days", "set the clock")
    ends(tiny, "why", "Borrowed Time", code=0, says=rests)
    says = ("the clock has gone backwards", "set this machine's clock", "state/README.md")
    ends(tiny, "apply", "--yes", code=1, says=(*says, "elders"))
