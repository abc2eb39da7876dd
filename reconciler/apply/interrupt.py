"""Ctrl-C: the first one asks to stop at the next safe place, the second one stops at once. Neither loses anything.

The executor looks at `requested` between actions and between two looks at a long one. What is under way on a server goes
on there; the journal knows it, and the next run settles it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """A wish to stop. Set by a signal, or by a test."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        self._event.set()


@contextmanager
def stoppable(stop: Stop) -> Iterator[None]:
    """While inside, SIGINT and SIGTERM request a stop; a second SIGINT raises KeyboardInterrupt.

    Signals belong to the main thread: elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.request()

    before = {n: signal.signal(n, on_signal) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
