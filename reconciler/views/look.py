"""How one output is to look, and how moments and counts read in it.

Views are pure: what they need of the machine (the present, the time zone, whether blocks can be shown) comes in a
`Look`, made once by the command line. Times are shown in the reader's zone and without a date when it is today's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Look:
    """`now` is the moment of the output; `zone` the reader's; `blocks` False: bars are drawn in ASCII."""

    now: datetime
    zone: tzinfo = UTC
    blocks: bool = True

    def moment(self, at: datetime) -> str:
        """`20:02` today, `tomorrow 06:10`, `3 Nov 06:10`, `3 Nov 2025 06:10`."""
        here, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        clock = f"{here:%H:%M}"
        days = (here.date() - today.date()) / timedelta(days=1)
        if days == 0:
            return clock
        if days in (-1, 1):
            return f"{'tomorrow' if days == 1 else 'yesterday'} {clock}"
        year = "" if here.year == today.year else f" {here.year}"
        return f"{here.day} {_MONTHS[here.month - 1]}{year} {clock}"

    def stamp(self, at: datetime) -> str:
        """`2026-11-03 06:10:44`, for what is read elsewhere and later."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S}"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 move`, `2 moves`, `no moves`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number or 'no'} {plural or plural_of(noun)}"


def plural_of(noun: str) -> str:
    """The plural of a noun made of a verb or a word of this program."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def listing(names: list[str], limit: int = 10) -> str:
    """`a, b and c`; beyond `limit` names `a, b, c and 4 more`."""
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
