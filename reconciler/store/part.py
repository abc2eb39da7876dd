"""What the parts of the store share: the connection and the clock. `Store` is the sum of its parts."""

from __future__ import annotations

from pydantic import ValidationError

from reconciler.action import Action
from reconciler.clock import Clock
from reconciler.store.connection import Connection
from reconciler.store.faults import corrupt


class Part:
    """One group of tables and the methods that speak of them."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def _action(self, text: str) -> Action:
        """A journalled action. StoreError when the row was tampered with: what it says is not guessed at."""
        try:
            return Action.model_validate_json(text)
        except ValidationError as e:
            error = e.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in error["loc"])
            raise corrupt(
                self._connection.path, f"a journalled action does not read ({where}: {error['msg']})"
            ) from None
