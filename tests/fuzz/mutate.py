"""Mutations that know what an input is: values of JSON are swapped and made odd, text gets words of its language, bytes are bent.

Used by the driver's own engine, and by atheris as its mutator, so that both try the same sorts of inputs. Pure: the same
generator of chance gives the same mutation.
"""

# ruff: noqa: E501  # a table of values

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

MOST = 20_000  # bytes of a mutated input
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**30, 0.0, -0.0, 0.5, 1e308, -1e308, 1e-320, float("nan"),
    float("inf"), float("-inf"), "", " ", "/", "/tv/", "..", "\x00", "\ud800", "\udfff x", "\U0001f600", "é", "a\nb", "x" * 300, "NaN", "1",
    "2026-01-01T00:00:00Z", "0000-00-00", "9999-12-31T23:59:59+23:59", [], {}, [[]], [{}], {"": None}, [None], {"id": 1},
)  # fmt: skip


def mutate(data: bytes, chance: Random, form: str, words: tuple[bytes, ...], other: bytes) -> bytes:
    """One new input from `data`; `other` is another input to take parts of."""
    made = data
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        if form == "json" and chance.random() < 0.75:
            made = _json(made, chance, other)
        elif words and chance.random() < 0.6:
            made = _words(made, chance, words)
        else:
            made = _bytes(made, chance, other)
    return made[:MOST]


def _json(data: bytes, chance: Random, other: bytes) -> bytes:
    """Mutate the JSON in one line of `data`; bytes are bent where there is none."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    try:
        value = json.loads(lines[at])
    except (ValueError, RecursionError):
        return _bytes(data, chance, other)
    places: list[tuple[Any, Any]] = []
    _places(value, places, 0)
    if not places:
        lines[at] = json.dumps(chance.choice(ODD)).encode()
        return b"\n".join(lines)
    holder, key = chance.choice(places)
    what = chance.randrange(7)
    if what == 0:
        del holder[key]
    elif what == 1 and isinstance(holder, list):
        holder.extend([holder[key]] * chance.choice((1, 2, 40)))
    elif what == 2 and isinstance(holder, dict):
        holder[chance.choice(("", "id", "\ud800", "x" * 50, str(key).upper()))] = holder.pop(key)
    elif what == 3:
        donor, name = chance.choice(places)
        holder[key] = json.loads(json.dumps(donor[name]))
    elif what == 4:
        holder[key] = {"x": holder[key]} if chance.random() < 0.5 else [holder[key]]
    else:
        holder[key] = chance.choice(ODD)
    text = json.dumps(value, ensure_ascii=chance.random() < 0.8)
    if chance.random() < 0.05:  # a key twice
        text = text.replace("{", '{"id": 7, ', 1)
    lines[at] = text.encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _places(value: Any, into: list[tuple[Any, Any]], depth: int) -> None:
    if depth > 30 or len(into) > 2000:
        return
    keys: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    for key in keys:
        into.append((value, key))
        _places(value[key], into, depth + 1)


def _words(data: bytes, chance: Random, words: tuple[bytes, ...]) -> bytes:
    word = chance.choice(words)
    at = chance.randrange(len(data) + 1)
    cut = chance.choice((0, 0, 0, 1, len(word), 10))
    return data[:at] + word * chance.choice((1, 1, 1, 2, 60)) + data[at + cut :]


def _bytes(data: bytes, chance: Random, other: bytes) -> bytes:
    bends: tuple[Callable[[], bytes], ...] = (
        lambda: data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
        lambda: data[:at] + chance.randbytes(chance.randrange(1, 5)) + data[at:],
        lambda: data[:at] + data[end:],
        lambda: data[:end] + data[at:end] + data[end:],
        lambda: data[:at],
        lambda: data[:at] + other[chance.randrange(len(other) + 1) :][:200] + data[end:],
        lambda: data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :] if at < len(data) else data,
        lambda: data[:at] + data[at:end] * chance.choice((2, 8, 50)) + data[end:],
    )
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 2, 4, 16, 80)))
    return chance.choice(bends)()
