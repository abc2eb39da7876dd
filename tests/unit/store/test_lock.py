"""One at a time, with the name of who is at it; and free as soon as that one is gone, however it went."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from reconciler.clock import FakeClock, SystemClock
from reconciler.errors import Exit, LockedError, StoreError
from reconciler.store import Store
from reconciler.store.lock import alive, living
from tests.unit.store.parts import Child, action, ordinary_user


def test_the_second_process_learns_who_holds_it(store: Store, folder: Path) -> None:
    with Child("hold", folder, "apply") as child:
        assert child.line() == "held"
        with pytest.raises(LockedError) as refused, store.lock("apply"):
            pass
        said = refused.value.message
        assert f"apply, process {child.process.pid} on {socket.gethostname()}, since 20" in said
        assert refused.value.exit == Exit.LOCKED
        assert f"end process {child.process.pid}" in refused.value.remedy
        child.tell()
        assert child.line() == "let go"
    with store.lock("apply"):
        pass
    assert not (folder / "arr.lock.json").exists()


def test_it_dies_with_its_process(store: Store, folder: Path) -> None:
    with Child("hold", folder, "apply") as child:
        assert child.line() == "held"
        child.kill()
    assert (folder / "arr.lock.json").exists()
    with store.lock("apply"):
        record = json.loads((folder / "arr.lock.json").read_text())
        assert (record["pid"], record["purpose"]) == (os.getpid(), "apply")


@pytest.mark.parametrize("record", ["", "{", '{"pid": 1}', "\x00\xff", "dead"])
def test_a_record_that_tells_nothing_is_ignored(store: Store, folder: Path, record: str) -> None:
    """The kernel's lock decides; the record is for the message alone."""
    with Child("hold", folder, "apply") as gone:
        assert gone.line() == "held"
        left = (folder / "arr.lock.json").read_text()
        gone.kill()
    with Child("hold", folder, "apply") as child:
        assert child.line() == "held"
        (folder / "arr.lock.json").write_text(left if record == "dead" else record, encoding="latin-1")
        with pytest.raises(LockedError, match=r"another process is at work on the state \S+$"), store.lock("apply"):
            pass


def test_threads_and_nesting_count_as_strangers(store: Store, folder: Path) -> None:
    answers: list[str] = []

    def try_it() -> None:
        try:
            with store.lock("other"):
                answers.append("held")
        except LockedError as e:
            answers.append(e.message)

    with store.lock("apply"):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
        assert f"apply, process {os.getpid()}" in answers[0]
        with pytest.raises(LockedError), store.lock("again"):
            pass
        assert (folder / "arr.lock.json").exists()
    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert answers[1] == "held"


def test_it_is_let_go_when_the_block_fails(store: Store, folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), store.lock("apply"):
        _ = 1 / 0
    with store.lock("apply"):
        assert stat.S_IMODE((folder / "arr.lock").stat().st_mode) == 0o600


def test_reading_and_opening_do_not_wait_for_it(folder: Path) -> None:
    with Child("hold", folder, "apply") as child:
        assert child.line() == "held"
        with Store.open(folder, FakeClock(), read_only=True) as reader:
            assert reader.lineage
        with Store.open(folder, SystemClock()) as writer:
            run = writer.begin_run("apply", None)
            writer.intend(run, action(1))
            assert len(writer.pending()) == 1


def test_threads_share_a_store(store: Store) -> None:
    """The executor's workers journal through one store; no step is lost or mixed up."""
    run = store.begin_run("apply", None)
    errors: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 25):
                store.intend(run, action(number))
                assert any(row.action.id == action(number).id for row in store.pending())
                assert store.settle(run, action(number).id, "done", str(number), {})
        except BaseException as e:  # noqa: BLE001  # handed to the test's own thread
            errors.append(e)

    threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    entries = store.run(run)[1]
    assert len(entries) == 100
    assert all(e.outcome == "done" and e.says == e.action.subject.key.removeprefix("tvdb:") for e in entries)


def test_a_record_that_cannot_be_taken_away_hides_nothing(public: Path) -> None:
    """What was done under the lock ends as it ended; the lock is free all the same."""
    folder = public / "state"
    with Store.open(folder, SystemClock()):
        pass
    folder.chmod(0o777)
    (folder / "arr.db").chmod(0o666)
    (folder / "arr.lock").chmod(0o666)
    with ordinary_user(), Store.open(folder, SystemClock()) as mine:
        for name in ("lock", "living"):
            with pytest.raises(StoreError, match="how the work ended"), getattr(mine, name)("r000001"):
                closed(folder)
                raise StoreError("how the work ended")
            opened(folder)
    assert (folder / "arr.lock.json").exists()
    assert (folder / "r000001.live").exists()
    with Store.open(folder, SystemClock()) as store, store.lock("again"):
        assert not store.alive("r000001")


def closed(folder: Path) -> None:
    _as_owner(folder, 0o555)


def opened(folder: Path) -> None:
    _as_owner(folder, 0o777)


def _as_owner(folder: Path, mode: int) -> None:
    """Change the mode of a folder that belongs to whoever the process began as."""
    now = os.geteuid()
    os.seteuid(os.getresuid()[2])
    folder.chmod(mode)
    os.seteuid(now)


def test_what_killed_processes_left_is_cleared_by_the_next_run(store: Store, folder: Path) -> None:
    with Child("live", folder, "r000007") as child:
        assert child.line() == "alive"
        with store.lock("another run"), store.living("r000008"):
            assert (folder / "r000007.live").exists()
        child.kill()
    assert (folder / "r000007.live").exists()
    (folder / "arr.db.new-journal").write_bytes(b"of a draft that became the state")
    with store.lock("a run that finds nothing to do"):
        assert not (folder / "r000007.live").exists()
    assert not [*folder.glob("*.live"), *folder.glob("arr.db.new*")]


def test_who_is_looked_at_while_it_begins_is_at_work_all_the_same(tmp_path: Path) -> None:
    """Others that see whether a run lives hold its file for a moment, and clear it away where nobody does."""
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            alive(tmp_path, "r000001")

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(300):
            with living(tmp_path, "r000001"):
                assert alive(tmp_path, "r000001")
    finally:
        over.set()
        for looker in lookers:
            looker.join()
