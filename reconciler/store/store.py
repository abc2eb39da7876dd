"""The store: everything `arr` remembers between two runs, in one SQLite file. The disk's only seam.

Opened by the session; the executor journals through it, planning reads the ledger from it, the history views read runs
and plans. It stands on sqlite-utils, and nothing above it knows SQL. Threads of a process may share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from reconciler.clock import Clock
from reconciler.errors import StoreError
from reconciler.store.connection import Connection
from reconciler.store.faults import faults
from reconciler.store.journal import Journal
from reconciler.store.ledger import Memory
from reconciler.store.lock import alive, hold, living
from reconciler.store.migrations import STEPS, Step, lineage_of
from reconciler.store.observations import Observations
from reconciler.store.opening import open_reading, open_writing, problems
from reconciler.store.plans import Plans
from reconciler.store.runs import Runs


class Store(Runs, Journal, Plans, Memory, Observations):
    """An open state. A context manager; `close` it otherwise.

    Every method raises StoreError when file or disk fail it, with nothing half-written, and LockedError when another
    process kept writing for ten seconds.
    """

    def __init__(self, connection: Connection, clock: Clock, folder: Path) -> None:
        super().__init__(connection, clock)
        self.folder = folder
        with connection.reading() as db:
            self._lineage = lineage_of(db)

    @classmethod
    def open(cls, folder: Path, clock: Clock, *, read_only: bool = False, steps: Sequence[Step] = STEPS) -> Store:
        """The state in `folder`, created (mode 0700, file 0600) when there is none.

        With `read_only` nothing is created and nothing written; no state reads as an empty one without a lineage.
        StoreError, with the remedy, for what is not a whole state of this version or an older one; it is left as it is.
        """
        connection = open_reading(folder, steps) if read_only else open_writing(folder, clock.now(), steps)
        try:
            return cls(connection, clock, folder)
        except BaseException:
            connection.close()
            raise

    @property
    def lineage(self) -> str:
        """The random name this state was given when it was created; empty where nothing has been created."""
        return self._lineage

    def lock(self, purpose: str) -> AbstractContextManager[None]:
        """Hold the state's lock for a block. LockedError at once, naming who holds it; StoreError when read-only."""
        if self._connection.read_only:
            raise StoreError("the state was opened for reading only: its lock is for writing", "nothing was changed")
        return hold(self.folder, purpose, self._clock.now())

    def living(self, run: str) -> AbstractContextManager[None]:
        """Show for a block that the process of `run` is at work: its open entries are its own to settle."""
        return living(self.folder, run)

    def alive(self, run: str) -> bool:
        """Whether the process of `run` is still at work."""
        return alive(self.folder, run)

    def check(self) -> list[str]:
        """What is wrong inside the file, a line each; empty when it is well. Reads all of it: for `arr doctor`."""
        with self._connection.reading() as db:
            return problems(db)

    def close(self) -> None:
        """Let go of the file."""
        with faults(self._connection.path):
            self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
