"""state/README.md: the schema it documents is the real one, and every command in it runs and does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.clock import FakeClock, SystemClock
from reconciler.errors import StoreError
from reconciler.store import Store
from reconciler.store.migrations import APPLICATION_ID, STEPS
from reconciler.store.opening import NAME
from tests.unit.store.parts import ROOT, action

TEXT = (ROOT / "state" / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The part under a heading, to the next heading."""
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert match, f"no section '{title}'"
    return match[1]


def run(title: str, folder: Path, *, fails: bool = False) -> str:
    """The commands of a section, in a shell, in the folder that holds `state/`; what they printed."""
    commands = re.findall(r"^```sh\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)
    assert commands, f"no commands under '{title}'"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    script = "set -e\n" + "".join(commands)
    done = subprocess.run(["sh", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) is fails, done.stderr
    return done.stdout


@pytest.fixture
def lineage(tmp_path: Path) -> str:
    """A state with a run, an intent and an outcome in `tmp_path/state`."""
    with Store.open(tmp_path / "state", SystemClock()) as store:
        number = store.begin_run("apply", None)
        store.intend(number, action(1))
        store.intend(number, action(2))
        store.settle(number, action(1).id, "done", "moved", {})
        return store.lineage


def test_the_schema_is_documented_table_by_table(store: Store) -> None:
    db = store._connection.db
    real = {t.name: [(c.name, c.type) for c in t.columns] for t in db.tables}
    told = {}
    for name, text in re.findall(r"^### `(\w+)`\n(.*?)(?=^#+ )", TEXT, re.MULTILINE | re.DOTALL):
        told[name] = re.findall(r"^\| (\w+) \| ([A-Z]+) \| \S", text, re.MULTILINE)
    assert told == real
    assert f"`PRAGMA user_version` (now {len(STEPS)})" in TEXT
    assert f"{APPLICATION_ID} (`arr!`)" in TEXT


def test_the_ways_to_read_it(tmp_path: Path, lineage: str) -> None:
    printed = run("Reading it", tmp_path)
    assert '{"table": "entries", "count": 2}' in printed
    said = [line.split() for line in printed.splitlines()]
    assert ["1", "disk_fill.tv/1", "sonarr:series/tvdb:1", "done", "moved"] in said
    assert ["1", "sonarr:series/tvdb:2", "move"] in [words[:3] for words in said]
    assert said[-1][:3] == ["1", "move", "done"]


def test_checking_the_file(tmp_path: Path, lineage: str) -> None:
    assert '"ok"' in run("Checking the file", tmp_path)
    with (tmp_path / "state" / NAME).open("r+b") as file:
        file.seek(4096 * 8)
        file.write(b"\xa5" * 4096 * 8)
    assert "ok" not in run("Checking the file", tmp_path, fails=True)


def test_backing_up_while_at_work_and_putting_it_back(tmp_path: Path, lineage: str) -> None:
    folder = tmp_path / "state"
    with Store.open(folder, SystemClock()) as store:
        run("What to back up", tmp_path)
        store.intend(store.begin_run("apply", None), action(3))
    os.truncate(folder / NAME, 5000)
    with pytest.raises(StoreError):
        Store.open(folder, SystemClock())
    run("Putting a backup back", tmp_path)
    with Store.open(folder, SystemClock()) as store:
        assert (store.lineage, store.serial, store.check()) == (lineage, 1, [])
        assert [p.action for p in store.pending()] == [action(2)]
        assert store.begin_run("apply", None) == "r000002"
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    assert (folder / "damaged" / NAME).stat().st_size == 5000


def test_starting_anew(tmp_path: Path, lineage: str) -> None:
    (tmp_path / "state" / NAME).write_bytes(b"")
    run("Starting anew", tmp_path)
    with Store.open(tmp_path / "state", SystemClock()) as store:
        assert store.lineage not in ("", lineage)
        assert (store.serial, store.pending()) == (0, [])


def test_a_log_that_is_left_alone(tmp_path: Path, lineage: str) -> None:
    folder = tmp_path / "state"
    (folder / NAME).unlink()
    (folder / f"{NAME}-wal").write_bytes(b"x" * 100)
    with pytest.raises(StoreError, match="log"):
        Store.open(folder, SystemClock())
    run("A database without its log, or a log without its database", tmp_path)
    with Store.open(folder, SystemClock()) as store:
        assert store.serial == 0


def test_times_that_lie_in_the_future(tmp_path: Path) -> None:
    ahead = FakeClock(SystemClock().now() + timedelta(days=3000))
    folder = tmp_path / "state"
    with Store.open(folder, ahead) as store:
        number = store.begin_run("apply", None)
        store.intend(number, action(1))
        store.accept(number, action(1).id, {"command": 1})
        store.settle(number, action(1).id, "done", "", {})
        store.intend(number, action(2))
        store.end_run(number, 0, "")
    with Store.open(folder, SystemClock()) as store:
        with pytest.raises(StoreError, match="gone backwards") as refused:
            store.begin_run("apply", None)
        assert "'Times that lie in the future' in state/README.md" in refused.value.remedy
    run("Times that lie in the future", tmp_path)
    now = SystemClock().now()
    with Store.open(folder, SystemClock()) as store:
        assert store.begin_run("apply", None) == "r000002"
        assert [p.action for p in store.ledger(now).history] == [action(1)]
        assert [(p.action, p.at <= now) for p in store.pending()] == [(action(2), True)]
