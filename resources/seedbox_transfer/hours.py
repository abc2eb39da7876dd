"""The hours of the day in which fetching is allowed, in this machine's time zone. Pure but for that zone."""

from __future__ import annotations

from datetime import datetime


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def is_open(window: str | None, now: datetime) -> bool:
    """Whether `now` (with a zone) lies in `01:00-07:00`; the hours may go over midnight."""
    if window is None:
        return True
    begin, end = (_minute(part) for part in window.split("-"))
    local = now.astimezone()
    at = local.hour * 60 + local.minute
    return begin <= at < end if begin < end else at >= begin or at < end


def until_open(window: str | None, now: datetime) -> str:
    """What to say outside of the hours; "" inside."""
    return "" if is_open(window, now) else f"outside of its hours ({window}): fetched later"
