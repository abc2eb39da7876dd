"""Facts: what was observed, three-valued. Unknown is never absent.

A resource names *queries*; the engine asks each distinct query once per run and answers with a fact: `Known` (a value,
complete by the client's own proof), `Absent` (proven not to be there) or `Unknown` (asked, and not answered). A question
that nobody could ask is no fact at all: the plan lists it as "not checked".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True)
class Query(Generic[T]):
    """A typed read of one connection. Clients subclass it as frozen dataclasses; equality is identity of the question."""

    connection: str


@dataclass(frozen=True)
class Known(Generic[T]):
    """Observed. `at` is the moment the answer was complete."""

    value: T
    at: datetime


@dataclass(frozen=True)
class Absent:
    """Asked and proven not to be there."""

    at: datetime


@dataclass(frozen=True)
class Unknown:
    """Asked and not answered.

    `code` is one of: down, starting, unauthorised, not-json, wrong-app, truncated, incomplete, slow, server-error,
    certificate, secret, refused, malformed. `reason` reads on after "not known: …"; `remedy` says what the user can do.
    """

    code: str
    reason: str
    remedy: str = ""
    at: datetime | None = None


Fact = Known[T] | Absent | Unknown


class ReadFailed(Exception):
    """Raised by a client when a read gave no complete answer; the engine turns it into `Unknown`. Holds no secret."""

    def __init__(self, code: str, reason: str, remedy: str = "") -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.remedy = remedy

    def unknown(self, at: datetime | None = None) -> Unknown:
        return Unknown(self.code, self.reason, self.remedy, at)


class NotThere(Exception):
    """Raised by a client when the server proves that what was asked for does not exist; becomes `Absent`."""


@dataclass(frozen=True)
class Facts:
    """All answers of one run, by query."""

    answers: Mapping[Query[object], Fact[object]] = field(default_factory=dict)

    def get(self, query: Query[T]) -> Fact[T]:
        """The answer to `query`. A query that the resource did not name in `reads` is a programming error: KeyError."""
        return cast("Fact[T]", self.answers[cast("Query[object]", query)])

    def has(self, query: Query[T]) -> bool:
        return query in self.answers
