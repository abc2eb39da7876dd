"""Comparisons as a person writes them (`>= 2.0`, `>= 14d`, `< 5 GB`): types for specs, and what they say of a number.

Used by `spec.py` for validation and by `judge.py`. In JSON and in messages a comparison is the text that was written.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from reconciler.units import parse_age, parse_size

_FORM = re.compile(r"^(>=|<=|>|<)\s*(\S.*)$")
_SAYS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`text` as it was written; `limit` as a number (seconds, bytes or as it stands)."""

    text: str
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        return _SAYS[self.sign](value, self.limit)


class _Written:
    """Pydantic glue: text in YAML and JSON, a `Comparison` in Python."""

    def __init__(self, number: Callable[[str], float], example: str, title: str) -> None:
        self._number, self._example, self._title = number, example, title

    def _parse(self, value: Any) -> Comparison:
        if isinstance(value, Comparison):
            return value
        match = _FORM.match(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"write a comparison, as '{self._example}'")
        return Comparison(value.strip(), match[1], self._number(match[2]))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.plain_serializer_function_ser_schema(lambda c: c.text, when_used="json-unless-none")
        return core_schema.no_info_plain_validator_function(self._parse, serialization=text)

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": _FORM.pattern, "examples": [self._example], "title": self._title}


def _plain(text: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text):
        raise ValueError(f"'{text[:40]}' is no number: write one, as 2.0")
    return float(text)


Number = Annotated[Comparison, _Written(_plain, ">= 2.0", "Comparison with a number")]
Span = Annotated[Comparison, _Written(parse_age, ">= 14d", "Comparison with an age")]
Amount = Annotated[Comparison, _Written(parse_size, ">= 5 GB", "Comparison with a size")]
