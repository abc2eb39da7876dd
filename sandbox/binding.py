"""Reads request bodies and query values the way ASP.NET binds them: leniently where it is lenient, with its problem
details where it is not.

A `Model` names the members a controller knows. Unknown members are dropped, names match in any case, trailing commas
are allowed, null for a value type is refused. What the body does not name is absent from the result, so a controller
can tell an omitted member from one that was sent.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sandbox.errors import Problem
from sandbox.values import Json, parse

_AT = " Path: {path} | LineNumber: 0 | BytePositionInLine: 0."
_NUMERIC = re.compile(r"-?\d+")
_TRAILING = re.compile(r'("(?:\\.|[^"\\])*")|,(\s*[}\]])')


class _Refused(Exception):
    """A value that cannot be converted; carries its path and the .NET name of the type."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(path)
        self.path, self.kind = path, kind


@dataclass(frozen=True)
class Kind:
    """One type of a member: `net` is the .NET name, `of` the Python types taken, `null` whether null is."""

    net: str
    of: tuple[type, ...]
    null: bool = False

    def read(self, value: Any, path: str) -> Any:
        if value is None:
            if self.null:
                return None
            raise _Refused(path, self.net)
        if isinstance(value, str) and int in self.of and str not in self.of and _NUMERIC.fullmatch(value):
            return int(value)
        if isinstance(value, bool) != (bool in self.of) or not isinstance(value, self.of):
            raise _Refused(path, self.net)
        return value


@dataclass(frozen=True)
class Choice:
    """An enum: its camelCase names in order of their numbers."""

    net: str
    names: tuple[str, ...]
    null: bool = False

    def read(self, value: Any, path: str) -> Any:
        if value is None and self.null:
            return None
        if isinstance(value, str):
            found = next((n for n in self.names if n.lower() == value.lower()), None)
            if found:
                return found
        if isinstance(value, int) and not isinstance(value, bool):
            return self.names[value] if 0 <= value < len(self.names) else value
        raise _Refused(path, self.net)


@dataclass(frozen=True)
class Many:
    """A list; a value that is no list is refused under the list's own type name."""

    item: Kind | Choice | Model
    net: str
    null: bool = True

    def read(self, value: Any, path: str) -> Any:
        if value is None and self.null:
            return None
        if not isinstance(value, list):
            raise _Refused(path, self.net)
        return [self.item.read(x, f"{path}[{i}]") for i, x in enumerate(value)]


@dataclass(frozen=True)
class Model:
    """An object: `fields` maps each member's camelCase name to its type."""

    net: str
    fields: dict[str, Kind | Choice | Many | Model]
    null: bool = True

    def read(self, value: Any, path: str) -> Any:
        if value is None and self.null and path != "$":
            return None
        if not isinstance(value, dict):
            raise _Refused(path, self.net)
        known = {name.lower(): name for name in self.fields}
        out: Json = {}
        for key, inner in value.items():
            name = known.get(key.lower())
            if name is not None:
                out[name] = self.fields[name].read(inner, f"{path}.{key}")
        return out


STRING = Kind("System.String", (str,), null=True)
INT = Kind("System.Int32", (int,))
MAYBE_INT = Kind("System.Nullable`1[System.Int32]", (int,), null=True)
LONG = Kind("System.Int64", (int,))
BOOL = Kind("System.Boolean", (bool,))
MAYBE_BOOL = Kind("System.Nullable`1[System.Boolean]", (bool,), null=True)
NUMBER = Kind("System.Double", (int, float))
ANY = Kind("System.Object", (str, int, float, bool, list, dict), null=True)
INTS = Many(INT, "System.Collections.Generic.List`1[System.Int32]")
INT_SET = Many(INT, "System.Collections.Generic.HashSet`1[System.Int32]")


class _AnyKind(Kind):
    """Takes whatever is sent: members that the controller reads but never refuses."""

    def read(self, value: Any, path: str) -> Any:
        return value


WHATEVER = _AnyKind("System.Object", (), null=True)


class _DateKind(Kind):
    """A date; one that is none is refused without naming the member, as the servers' own converter does."""

    def read(self, value: Any, path: str) -> Any:
        try:
            parse(value)
        except (TypeError, ValueError):
            raise _Refused("", "") from None
        return value


DATE = _DateKind("System.DateTime", (str,))


def load(raw: bytes) -> Any:
    """The JSON of a body; trailing commas are allowed.

    Raises Problem (400) for an empty body, `null`, or text that is not JSON.
    """
    text = raw.decode("utf-8", errors="replace").strip()
    if not text or text == "null":
        raise Problem(400, {"": ["A non-empty request body is required."]})
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(_TRAILING.sub(lambda m: m[1] or m[2], text))
    except ValueError as error:
        raise Problem(400, _syntax(text, str(error))) from None


def _syntax(text: str, reason: str) -> dict[str, list[str]]:
    member = re.search(r'^\{\s*"([^"]+)"\s*:\s*[^}]*$', text)
    if member:
        path = f"$.{member[1]}"
        told = (
            "Expected depth to be zero at the end of the JSON payload. "
            "There is an open JSON object or array that should be closed."
        )
        return {path: [told + _AT.format(path=path)]}
    if text.startswith("n"):
        told = f"'{text}' is an invalid JSON literal. Expected the literal 'null'."
        return {"$": [told + _AT.format(path="$")]}
    return {"$": [f"{reason}." + _AT.format(path="$")]}


def bind(raw: bytes, model: Model | Many) -> Any:
    """The body as the model reads it. Raises Problem (400) naming the first member that cannot be converted."""
    value = load(raw)
    try:
        return model.read(value, "$")
    except _Refused as refused:
        if not refused.path:
            raise Problem(400, {"": ["The supplied value is invalid."]}) from None
        told = f"The JSON value could not be converted to {refused.kind}." + _AT.format(path=refused.path)
        raise Problem(400, {refused.path: [told]}) from None


class Query:
    """Query values, names in any case; each reader raises Problem (400) for a value that does not convert."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def text(self, name: str, default: str | None = None) -> str | None:
        return self._values.get(name.lower(), [default])[0]

    def integer(self, name: str, default: int | None = None, label: str | None = None) -> int | None:
        """An integer, or the default when absent or empty. `label` is how the message names the member."""
        raw = self.text(name)
        if raw is None or not raw.strip():
            return default
        try:
            return int(raw)
        except ValueError:
            told = f"The value '{raw}' is not valid" + (f" for {label}." if label else ".")
            raise Problem(400, {name: [told]}) from None

    def integers(self, name: str) -> list[int]:
        """Every value of a repeated integer."""
        out = []
        for raw in self._values.get(name.lower(), []):
            try:
                out.append(int(raw))
            except ValueError:
                raise Problem(400, {name: [f"The value '{raw}' is not valid."]}) from None
        return out

    def flag(self, name: str, default: bool = False) -> bool:
        raw = self.text(name)
        if raw is None or not raw.strip():
            return default
        if raw.strip().lower() in ("true", "false"):
            return raw.strip().lower() == "true"
        raise Problem(400, {name: [f"The value '{raw}' is not valid."]})

    def date(self, name: str) -> str | None:
        raw = self.text(name)
        if raw is None or not raw.strip():
            return None
        try:
            parse(raw)
        except ValueError:
            raise Problem(400, {name: [f"The value '{raw}' is not valid."]}) from None
        return raw

    def choice(self, name: str, names: tuple[str, ...], default: str, label: str | None = None) -> str:
        """One of the names (in any case) or their number."""
        raw = self.text(name)
        if raw is None or not raw.strip():
            return default
        if raw.isdigit() and int(raw) < len(names):
            return names[int(raw)]
        found = next((n for n in names if n.lower() == raw.lower()), None)
        if found is None:
            told = f"The value '{raw}' is not valid" + (f" for {label}." if label else ".")
            raise Problem(400, {name: [told]})
        return found
