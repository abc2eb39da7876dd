"""What `arr` remembers: journal, ledger, plans, observations. `Store` is all that the rest of the engine sees."""

from reconciler.store.rows import EntryRow, PendingRow, RunRow
from reconciler.store.store import Store

__all__ = ["EntryRow", "PendingRow", "RunRow", "Store"]
