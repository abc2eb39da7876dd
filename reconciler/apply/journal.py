"""What apply needs of the state store. `reconciler.store.Store` is one; the crash tests wrap it.

Every method that writes returns only once what it wrote is durable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Protocol

from reconciler.action import Action, Json
from reconciler.clock import Clock
from reconciler.errors import LockedError
from reconciler.kind import Ledger


class PendingRow(Protocol):
    """An intent without an outcome. `accepted`: a server took it, and `handle` finds it there."""

    @property
    def run(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def action(self) -> Action: ...
    @property
    def handle(self) -> dict[str, Json] | None: ...
    @property
    def accepted(self) -> bool: ...


class Journal(Protocol):
    """See `reconciler.store.Store`, method by method."""

    @property
    def lineage(self) -> str: ...
    def lock(self, purpose: str) -> AbstractContextManager[Any]: ...
    def living(self, run: str) -> AbstractContextManager[None]: ...
    def alive(self, run: str) -> bool: ...
    def consumed(self, plan_id: str) -> str | None: ...
    def consume(self, plan_id: str, run: str) -> None: ...
    def begin_run(self, command: str, plan_id: str | None) -> str: ...
    def end_run(self, run: str, exit: int, says: str) -> None: ...
    def intend(self, run: str, action: Action) -> None: ...
    def accept(self, run: str, action_id: str, handle: dict[str, Json]) -> None: ...
    def settle(
        self, run: str, action_id: str, state: str, says: str, data: dict[str, Json], *, owned: bool | None = None
    ) -> bool: ...
    def pending(self) -> Any: ...
    def ledger(self, now: datetime, *, days: int) -> Ledger: ...
    def destroyed_since(self, since: datetime) -> tuple[int, int]: ...
    def apply_wish(self, address: str, wish: dict[str, Json]) -> None: ...
    def protect(self, address: str, items: Iterable[str]) -> None: ...


LOCK_WAIT = 60.0  # seconds that one action waits for another process to finish writing


@contextmanager
def writing(journal: Journal, clock: Clock, purpose: str) -> Iterator[None]:
    """Hold the lock, waiting a while for whoever has it: between two actions another process may write in peace."""
    end = clock.monotonic() + LOCK_WAIT
    while True:
        try:
            lock = journal.lock(purpose)
            lock.__enter__()
        except LockedError:
            if clock.monotonic() >= end:
                raise
            clock.sleep(0.1)
            continue
        break
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
