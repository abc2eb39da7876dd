"""Values as the servers write them: UTC dates to the second, .NET time spans, objects without nulls.

Used by every resource of the sandbox. Times are timezone-aware datetimes inside and strings only on the way out.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
NEVER = "0001-01-01T00:00:00Z"
_EPOCH_OF_DOTNET = datetime(1, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """A moment as `2024-05-01T12:34:56Z`; fractions of a second are cut off."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp() -> str:
    """The current moment as `iso` writes it."""
    return iso(now())


def parse(text: str) -> datetime:
    """The moment of an ISO date or date-time; a date alone is its midnight. ValueError when it is neither."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def span(seconds: float) -> str:
    """Seconds as .NET's constant format: `00:00:01.2345678`, `1.02:03:04`."""
    total = timedelta(seconds=max(0.0, seconds))
    hours, rest = divmod(total.seconds, 3600)
    minutes, secs = divmod(rest, 60)
    days = f"{total.days}." if total.days else ""
    ticks = f".{total.microseconds * 10:07d}" if total.microseconds else ""
    return f"{days}{hours:02d}:{minutes:02d}:{secs:02d}{ticks}"


def span_since_year_one() -> str:
    """What the servers show as the duration of a task that never ran."""
    return span((now() - _EPOCH_OF_DOTNET).total_seconds())


def prune(obj: Json) -> Json:
    """The object without members that are None: the servers omit nulls."""
    return {k: v for k, v in obj.items() if v is not None}


def words(name: str) -> str:
    """`RefreshSeries` as `Refresh Series`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)


def camel(name: str) -> str:
    """`PropertyName` as `propertyName`."""
    return name[:1].lower() + name[1:]


def trace_id() -> str:
    """A W3C trace id, as problem details carry one."""
    return f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00"


def unique(items: list[Any]) -> list[Any]:
    """The items in order, each once."""
    return list(dict.fromkeys(items))
