"""Sizes, ages and percents as types: what a person writes (`500 GB`, `90d`, `85%`), and what it means exactly.

Field types of specs; pydantic validates, JSON Schema shows the pattern. Sizes are bytes (int), ages seconds
(int), percents a fraction (float, 0 to 1). Texts for people are made here too: a size reads the same everywhere.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*(B|[KMGTP]B|[KMGTP]iB)$")
_FACTOR = (
    {"B": 1}
    | {f"{u}B": 1000**i for i, u in enumerate("KMGTP", 1)}
    | {f"{u}iB": 1024**i for i, u in enumerate("KMGTP", 1)}
)
_AGE = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|h|d|w)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PERCENT = re.compile(r"^(\d+(?:\.\d+)?)\s*%$")
_LARGEST = 10**18  # bytes: above any disk, and within what a database and the arithmetic of sizes hold
_OLDEST = 100 * 366 * 86400  # seconds: further back there are no dates to count from
_SHOWN = 40
_LONGEST = 300  # characters: reading millions of digits would take seconds


def _short(text: str) -> str:
    """As much of what was written as a message needs."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _read(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """What the pattern finds in the whole text; a text longer than any of these words is none of them."""
    return pattern.match(text.strip()) if len(text) <= _LONGEST else None


def parse_size(text: str) -> int:
    """Bytes of `500 GB` (powers of 1000) or `1.5 TiB` (powers of 1024). ValueError says what to write; 1000 PB at most."""
    match = _read(_SIZE, text)
    if not match:
        raise ValueError(f"'{_short(text)}' is not a size: write a number and a unit, as 500 GB or 1.5 TiB")
    value: float = float(match[1]) * _FACTOR[match[2]]
    if value > _LARGEST:
        raise ValueError(f"'{_short(text)}' is more than {_LARGEST // 1000**5} PB: no disk is that large")
    return round(value)


def parse_age(text: str) -> int:
    """Seconds of `90d`, `6h`, `30m`, `2w`, `45s`. ValueError says what to write; over a hundred years is refused."""
    match = _read(_AGE, text)
    if not match:
        raise ValueError(f"'{_short(text)}' is not an age: write a number and s, m, h, d or w, as 90d")
    value = float(match[1]) * _SECONDS[match[2]]
    if value > _OLDEST:
        raise ValueError(f"'{_short(text)}' is more than a hundred years")
    return round(value)


def parse_percent(text: str) -> float:
    """Fraction of `85%`. ValueError says what to write; over 100 % is refused."""
    match = _read(_PERCENT, text)
    if not match:
        raise ValueError(f"'{_short(text)}' is not a percentage: write a number and %, as 85%")
    value = float(match[1]) / 100
    if value > 1:
        raise ValueError(f"'{_short(text)}' is more than 100%")
    return value


def size_exact(value: int) -> str:
    """The shortest text that `parse_size` reads back as exactly `value`."""
    units = [f"{u}B" for u in "PTGMK"] + [f"{u}iB" for u in "PTGMK"]
    best = next((u for u in units if value and value % _FACTOR[u] == 0), "B")
    return f"{value // _FACTOR[best]} {best}"


def age_exact(value: int) -> str:
    """The shortest text that `parse_age` reads back as exactly `value`."""
    best = next((u for u in "wdhm" if value and value % _SECONDS[u] == 0), "s")
    return f"{value // _SECONDS[best]}{best}"


def percent_exact(value: float) -> str:
    """A text that `parse_percent` reads back as `value`."""
    return f"{round(value * 100, 10):g}%"


class _Text:
    """Pydantic glue: a string in YAML, a number in Python, a string again in JSON."""

    def __init__(self, parse: Any, write: Any, pattern: str, example: str, title: str) -> None:
        self.parse, self.write, self.pattern, self.example, self.title = parse, write, pattern, example, title

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def convert(value: Any) -> Any:
            if isinstance(value, bool) or not isinstance(value, str):
                raise ValueError(f"write it with its unit, as {self.example}")
            return self.parse(value)

        text = core_schema.plain_serializer_function_ser_schema(self.write, when_used="json-unless-none")
        return core_schema.no_info_plain_validator_function(convert, serialization=text)

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern, "examples": [self.example], "title": self.title}


Size = Annotated[int, _Text(parse_size, size_exact, _SIZE.pattern, "500 GB", "Size")]
Age = Annotated[int, _Text(parse_age, age_exact, _AGE.pattern, "90d", "Age")]
Percent = Annotated[float, _Text(parse_percent, percent_exact, _PERCENT.pattern, "85%", "Percent")]


def size_text(value: int) -> str:
    """`488 GB`, `8.0 TB`, `9.4 MB`: powers of 1000, three figures, a no-break space never (tables cut on spaces)."""
    sign, rest = ("−" if value < 0 else ""), abs(value)
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if rest < 1000 or unit == "TB":
            break
        rest_next = rest / 1000
        rest = rest_next  # type: ignore[assignment]  # the mantissa is a float from the second unit on
    if unit == "B":
        return f"{sign}{int(rest)} B"
    number = f"{rest:.0f}" if rest >= 99.5 else f"{rest:.1f}"
    return f"{sign}{number} {unit}"


def age_text(seconds: float) -> str:
    """`45 s`, `12 min`, `1 h 21 min`, `3 days`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(hours / 24)} days"


def percent_text(fraction: float) -> str:
    """`85%`, `81.9%`."""
    text = f"{fraction * 100:.1f}"
    return f"{text.removesuffix('.0')}%"
