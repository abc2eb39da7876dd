"""The errors that end a command, and the exit code of each.

    ArrError
    ├── UsageError            64  the call or the desired state is wrong
    ├── LockedError            6  another process is at work
    ├── StaleError             5  the plan is of another state, another version, too old, or used up
    ├── RefusedError           4  a guard says no
    ├── BlockedError           7  what has to be known is not known
    └── StoreError             1  the state store cannot be used; nothing was changed

Expected problems of the desired state are not exceptions but `Diagnostic` values: collected, all shown at once.
A failed read is neither: it is an `Unknown` fact (see `facts.py`). Every message names the remedy and holds no secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """What a command returns to its caller."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    PARTLY = 3
    REFUSED = 4
    STALE = 5
    LOCKED = 6
    BLOCKED = 7
    USAGE = 64


# The exit code of a mixed outcome is the first of these that applies.
PRECEDENCE = (
    Exit.USAGE, Exit.LOCKED, Exit.STALE, Exit.ERROR, Exit.PARTLY, Exit.REFUSED, Exit.BLOCKED, Exit.CHANGES, Exit.OK,
)  # fmt: skip


def worst(codes: Iterable[Exit]) -> Exit:
    """The exit code that speaks for all of `codes`; OK when there are none."""
    seen = set(codes)
    return next((code for code in PRECEDENCE if code in seen), Exit.OK)


class ArrError(Exception):
    """Something ended the command. `remedy` says what to do about it."""

    exit = Exit.ERROR

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class UsageError(ArrError):
    """The call or the desired state is wrong."""

    exit = Exit.USAGE

    def __init__(self, message: str, remedy: str = "", diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message, remedy)
        self.diagnostics = diagnostics


class LockedError(ArrError):
    """Another process holds the lock."""

    exit = Exit.LOCKED


class StaleError(ArrError):
    """The plan does not fit the world or the state any more."""

    exit = Exit.STALE


class RefusedError(ArrError):
    """A guard refused, and was not overruled."""

    exit = Exit.REFUSED


class BlockedError(ArrError):
    """A question that has to be answered was not."""

    exit = Exit.BLOCKED


class StoreError(ArrError):
    """The state store is corrupt, read-only, full, or of a newer version."""


@dataclass(frozen=True, order=True)
class Mark:
    """A place in the desired state. `line` and `column` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Diagnostic:
    """One thing that is wrong with the desired state (or at plan time, with how it fits the world).

    `mark` is None only when no file is concerned; `field` is a dotted path as `disks.d1.max`; `excerpt` is the offending
    line as it stands; `hint` the remedy or a "did you mean".
    """

    message: str
    mark: Mark | None = None
    field: str = ""
    excerpt: str = ""
    hint: str = ""
