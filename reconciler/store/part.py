"""What the parts of the store share: the connection and the clock. `Store` is the sum of its parts."""

from __future__ import annotations

from reconciler.clock import Clock
from reconciler.store.connection import Connection


class Part:
    """One group of tables and the methods that speak of them."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
