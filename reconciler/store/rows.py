"""What comes out of the store, and how values go in: row types, times and JSON as text.

Used by every module of the store; the engine and the views read the row types. Times are UTC with microseconds in one
fixed width, so that their text sorts as they do; JSON is canonical, so that equal values are equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.action import Action, Json


def time_in(moment: datetime) -> str:
    """`2026-01-01T12:00:00.000000Z`. ValueError for a time without a zone: it would sort wrongly some day."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Unreadable(ValueError):
    """A cell holds what nobody here writes: the file was edited, or its disk lies. `faults` makes a refusal of it."""


def time_out(text: str) -> datetime:
    """The moment that `time_in` wrote, in UTC. Unreadable for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"'{text[:40]}' is no time") from None
    if moment.tzinfo is None:
        raise Unreadable(f"the time '{text[:40]}' has no zone")
    return moment


def time_text(moment: datetime) -> str:
    """For messages: `2026-01-01 12:00:00 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def json_in(value: Json) -> str:
    """Canonical JSON: sorted keys, no blanks, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def json_out(text: str) -> dict[str, Json]:
    """The object that `json_in` wrote. Unreadable for anything else."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Unreadable(f"'{text[:40]}' is no JSON") from None
    if not isinstance(value, dict):
        raise Unreadable(f"'{text[:40]}' is no object")
    return value


def _no_number(text: str) -> float:
    raise ValueError(text)


def action_in(action: Action) -> str:
    """An action as canonical JSON."""
    return json_in(action.model_dump(mode="json"))


def run_id(number: int) -> str:
    """`r000012`."""
    return f"r{number:06d}"


def run_number(run: str) -> int:
    """12 of `r000012`. KeyError when it is not of that form: no such run can exist."""
    digits = run.removeprefix("r")
    if digits == run or not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        raise KeyError(run)
    return int(digits)


@dataclass(frozen=True)
class PendingRow:
    """A journalled intent without an outcome. `handle` is what the server gave when it accepted, if it gave any."""

    run: str
    at: datetime
    action: Action
    handle: dict[str, Json] | None
    accepted: bool


@dataclass(frozen=True)
class RunRow:
    """One run. `ended`, `exit` and `says` stay empty when its process died.

    `outcomes`: how many of its actions ended how; `pending` counts those without an outcome.
    """

    run: str
    command: str
    plan: str | None
    began: datetime
    ended: datetime | None
    exit: int | None
    says: str
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class EntryRow:
    """One action in the journal of a run: intended, then (long ones) accepted, then settled with an outcome."""

    run: str
    action: Action
    intended: datetime
    accepted: datetime | None
    settled: datetime | None
    outcome: str | None
    says: str
    data: dict[str, Json]
    handle: dict[str, Json] | None

    @property
    def state(self) -> str:
        """`intended`, `accepted`, or the outcome."""
        return self.outcome or ("accepted" if self.accepted else "intended")
