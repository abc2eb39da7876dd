"""The other process of the store's tests: does one thing with a state folder and says, line by line, what is done.

What it says was durable before it said so, so a test that kills it knows what must be there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sqlite_utils import Database

from reconciler.clock import SystemClock
from reconciler.errors import ArrError, StaleError
from reconciler.store import Store
from reconciler.store.migrations import STEPS, Step
from tests.unit.store.parts import action


def say(text: str) -> None:
    print(text, flush=True)


def journal(folder: Path) -> None:
    """Runs and actions without end."""
    with Store.open(folder, SystemClock()) as store:
        while True:
            run = store.begin_run("apply", None)
            say(f"begun {run}")
            for number in range(1, 6):
                store.intend(run, action(number))
                say(f"intended {run} {number}")
                store.accept(run, action(number).id, {"command": number})
                say(f"accepted {run} {number}")
                store.settle(run, action(number).id, "done", "moved", {})
                say(f"settled {run} {number}")


def pause(point: str, at: str) -> None:
    """Wait to be killed at the chosen point."""
    if point == at:
        say(f"at {point}")
        sys.stdin.readline()


def second_step(point: str) -> Step:
    """A migration of two statements that can be stopped before, between and after them."""

    def step(db: Database) -> None:
        pause(point, "before")
        db.execute("ALTER TABLE runs ADD COLUMN mood TEXT")
        pause(point, "between")
        db.execute("CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT")
        pause(point, "after")

    return step


def migrate(folder: Path, point: str) -> None:
    with Store.open(folder, SystemClock(), steps=(*STEPS, second_step(point))):
        pause(point, "done")
    say("migrated")


def create(folder: Path, point: str) -> None:
    def step(db: Database) -> None:
        pause(point, "before")
        STEPS[0](db)
        pause(point, "after")

    with Store.open(folder, SystemClock(), steps=(step,)):
        pause(point, "done")
    say("created")


def hold(folder: Path, purpose: str) -> None:
    with Store.open(folder, SystemClock()) as store, store.lock(purpose):
        say("held")
        sys.stdin.readline()
    say("let go")


def live(folder: Path, run: str) -> None:
    with Store.open(folder, SystemClock()) as store, store.living(run):
        say("alive")
        sys.stdin.readline()


def consume(folder: Path, plan: str) -> None:
    with Store.open(folder, SystemClock()) as store:
        run = store.begin_run("apply", plan)
        say("ready")
        sys.stdin.readline()
        try:
            store.consume(plan, run)
        except StaleError as e:
            say(f"stale {e.message}")
        else:
            say(f"mine {run}")


def create_at_once(folder: Path, _: str) -> None:
    say("ready")
    sys.stdin.readline()
    try:
        with Store.open(folder, SystemClock()) as store:
            say(store.lineage)
    except ArrError as e:
        say(f"{type(e).__name__} {e.message}")


DEEDS = {f.__name__: f for f in (migrate, create, hold, live, consume, create_at_once)}

if __name__ == "__main__":
    if sys.argv[1] == "journal":
        journal(Path(sys.argv[2]))
    else:
        DEEDS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
