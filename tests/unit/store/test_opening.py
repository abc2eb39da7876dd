"""What lies in the folder, and what becomes of it: created, read, or refused with the remedy and left as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.clock import FakeClock, SystemClock
from reconciler.errors import Exit, StoreError
from reconciler.store import Store
from reconciler.store.migrations import STEPS
from tests.unit.store.child import second_step
from tests.unit.store.parts import Child, action, everything, ordinary_user


def made(folder: Path, entries: int = 1) -> str:
    """A state with some entries, closed; its lineage."""
    with Store.open(folder, FakeClock()) as store:
        run = store.begin_run("apply", None)
        for number in range(entries):
            store.intend(run, action(number))
        return store.lineage


def refusal(folder: Path, *, read_only: bool) -> StoreError:
    """How opening is refused; that it changed nothing but the lock's own file."""
    before = everything(folder)
    with pytest.raises(StoreError) as refused:
        Store.open(folder, FakeClock(), read_only=read_only)
    after = everything(folder)
    assert {k: v for k, v in after.items() if k != "arr.lock"} == {k: v for k, v in before.items() if k != "arr.lock"}
    assert refused.value.exit == Exit.ERROR
    assert refused.value.remedy
    return refused.value


def test_a_fresh_machine(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "lib" / "state"
    with Store.open(folder, FakeClock()) as store:
        assert (store.serial, store.pending(), store.newest(), store.check()) == (0, [], None, [])
        assert len(store.lineage) == 36
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        store.begin_run("apply", None)
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()}
        assert modes == dict.fromkeys(("arr.db", "arr.db-wal", "arr.db-shm", "arr.lock"), 0o600)


def test_every_state_has_a_lineage_of_its_own(tmp_path: Path) -> None:
    first = made(tmp_path / "a")
    assert made(tmp_path / "b") != first
    with (
        Store.open(tmp_path / "a", FakeClock()) as again,
        Store.open(tmp_path / "a", FakeClock(), read_only=True) as read,
    ):
        assert again.lineage == read.lineage == first


def test_reading_where_nothing_is_creates_nothing(tmp_path: Path, folder: Path) -> None:
    """Planning on a fresh machine may read, and leaves no trace."""
    with Store.open(folder, FakeClock(), read_only=True) as store:
        ledger = store.ledger(FakeClock().now())
        assert (ledger.lineage, ledger.history, ledger.applied, store.serial) == ("", (), {}, 0)
        assert (store.runs(5), store.consumed("x"), store.short("abcdefgh")) == ([], None, "abcd")
        with pytest.raises(StoreError, match="reading only"):
            store.begin_run("apply", None)
    assert list(tmp_path.iterdir()) == []


def cut(to: float) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        os.truncate(path, int(path.stat().st_size * to))

    return damage


def overwrite(offset: int, data: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    return damage


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE songs (id INTEGER PRIMARY KEY)")
    db.close()


def replaced(content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(content)

    return damage


def by_sql(*statements: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with sqlite3.connect(path) as db:
            for statement in statements:
                db.execute(statement)
            db.execute("PRAGMA journal_mode = delete")
        db.close()

    return damage


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(cut(0), "it is empty", id="empty"),
        pytest.param(cut(0.0005), r"it ends after \d\d bytes", id="a few bytes"),
        pytest.param(cut(0.5), r"it ends after \d+ of \d+ bytes", id="half"),
        pytest.param(overwrite(0, b"\x00" * 16), "does not begin as a database", id="header"),
        pytest.param(replaced(b"library:\n  tv: 12\n" * 20), "does not begin as a database", id="text"),
        pytest.param(overwrite(100, b"\xff" * 60), "malformed", id="schema page"),
        pytest.param(foreign, "a database of another program", id="foreign"),
        pytest.param(
            by_sql("PRAGMA user_version = 3"), r"newer version of arr \(schema 3; this one knows 2\)", id="newer"
        ),
        pytest.param(by_sql("PRAGMA user_version = 0"), "it holds no schema", id="no schema"),
        pytest.param(by_sql("DELETE FROM meta"), "it has no lineage", id="no lineage"),
    ],
)
def test_what_is_not_a_whole_state_is_refused(
    folder: Path, damage: Callable[[Path], None], says: str, read_only: bool
) -> None:
    made(folder, entries=40)
    damage(folder / "arr.db")
    assert refusal(folder, read_only=read_only).message
    with pytest.raises(StoreError, match=says):
        Store.open(folder, FakeClock(), read_only=read_only)


def test_a_truncated_file_beside_a_log_is_refused(folder: Path) -> None:
    """A log from a crash may excuse a short file, so all of it is read before it is believed."""
    made(folder, entries=60)
    with Child("journal", folder) as child:
        for _ in range(40):
            child.line()
        child.kill()
    assert (folder / "arr.db-wal").stat().st_size > 0
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    with Store.open(copy, FakeClock()) as whole:
        assert whole.check() == []
    os.truncate(folder / "arr.db", 3 * 4096)
    with pytest.raises(StoreError, match="is damaged"):
        Store.open(folder, FakeClock())


def test_damage_inside_is_found_where_it_is_read(folder: Path) -> None:
    made(folder, entries=200)
    path = folder / "arr.db"
    pages = path.stat().st_size // 4096
    overwrite(4096 * (pages // 2), b"\xa5" * 4096 * (pages // 4))(path)
    with Store.open(folder, FakeClock()) as store:
        assert store.check()
        with pytest.raises(StoreError, match="is damaged") as refused:
            store.pending()
        assert "Recovery" in refused.value.remedy


def test_a_log_without_its_database_is_no_fresh_start(folder: Path) -> None:
    made(folder)
    with Child("journal", folder) as child:
        child.line()
        child.kill()
    (folder / "arr.db").rename(folder / "elsewhere")
    for read_only in (False, True):
        assert "its log arr.db-wal is there" in refusal(folder, read_only=read_only).message


def test_something_else_stands_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "taken" / "arr.db").mkdir(parents=True)
    for read_only in (False, True):
        with pytest.raises(StoreError, match="is a file"):
            Store.open(tmp_path / "file", FakeClock(), read_only=read_only)
        with pytest.raises(StoreError, match="is not a file"):
            Store.open(tmp_path / "taken", FakeClock(), read_only=read_only)
    assert (tmp_path / "file").read_text() == "x"


def test_an_older_state_is_read_without_touching_it(folder: Path) -> None:
    lineage = made(folder)
    before = (folder / "arr.db").read_bytes()
    with Store.open(folder, FakeClock(), read_only=True, steps=(*STEPS, second_step("never"))) as store:
        assert (store.lineage, len(store.pending())) == (lineage, 1)
        assert store._connection.db.table("later").exists()
    assert (folder / "arr.db").read_bytes() == before


def test_a_folder_that_takes_no_writes(public: Path) -> None:
    """Writing is refused with the owner named; reading goes on."""
    folder = public / "state"
    lineage = made(folder)
    folder.chmod(0o555)
    (folder / "arr.db").chmod(0o444)
    with ordinary_user():
        with pytest.raises(StoreError, match=r"cannot be used.*belongs to user") as refused:
            Store.open(folder, FakeClock())
        assert "run as the user it belongs to" in refused.value.remedy
        with Store.open(folder, FakeClock(), read_only=True) as store:
            assert (store.lineage, len(store.pending())) == (lineage, 1)
    assert sorted(p.name for p in folder.iterdir()) == ["arr.db", "arr.lock"]


def test_a_file_that_takes_no_writes(public: Path) -> None:
    folder = public / "state"
    made(folder)
    folder.chmod(0o777)
    (folder / "arr.db").chmod(0o444)
    with ordinary_user(), pytest.raises(StoreError, match=r"arr\.db cannot be used.*mode 0444"):
        Store.open(folder, FakeClock())


def test_a_folder_that_cannot_be_made_or_entered(public: Path) -> None:
    closed = public / "closed"
    made(closed / "state")
    closed.chmod(0o000)
    public.chmod(0o555)
    with ordinary_user():
        for folder in (public / "new", closed / "state"):
            with pytest.raises(StoreError, match="cannot be used"):
                Store.open(folder, FakeClock())
        with pytest.raises(StoreError, match="cannot be used"):
            Store.open(closed / "state", FakeClock(), read_only=True)
    assert not (public / "new").exists()


def test_a_backup_in_another_mode_is_brought_back_to_ours(folder: Path) -> None:
    made(folder)
    by_sql()(folder / "arr.db")
    with Store.open(folder, FakeClock()) as store:
        assert store._connection.db.journal_mode == "wal"
        assert len(store.pending()) == 1


def test_a_writer_that_never_ends_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are waited for; the test waits a tenth."""
    monkeypatch.setattr("reconciler.store.connection.BUSY_SECONDS", 0.1)
    made(folder)
    with Store.open(folder, SystemClock()) as store:
        hog = sqlite3.connect(folder / "arr.db", isolation_level=None)
        hog.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="another process has been writing") as refused:
            store.begin_run("apply", None)
        assert getattr(refused.value, "exit", None) == Exit.LOCKED
        hog.execute("ROLLBACK")
        hog.close()
        assert store.begin_run("apply", None) == "r000002"
