"""Pydantic's errors in the user's words, at the user's line. Called by `load` for every value that does not validate.

Pydantic puts the names of union members and validators into a location; parts that are not in the file are such names.
Of a union the member that fits best speaks; when none fits at all, one message names all that would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pydantic_core import ErrorDetails, ValidationError

from reconciler.desired.document import Problems
from reconciler.desired.nodes import Entry, Scalar, kind_of
from reconciler.desired.secrets import is_secret
from reconciler.desired.shape import Shape

_EXPECTED = {
    "string_type": "text", "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
    "bool_type": "true or false", "dict_type": "a mapping", "model_type": "a mapping", "tuple_type": "a list",
    "list_type": "a list", "set_type": "a list", "frozen_set_type": "a list", "none_required": "nothing",
    "model_attributes_type": "a mapping",
}  # fmt: skip
_BOUNDS = {
    "greater_than": "more than {gt}", "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}", "less_than_equal": "at most {le}", "multiple_of": "a multiple of {multiple_of}",
}  # fmt: skip
_LENGTHS = {
    "too_short": "needs at least {min_length} of them, has {actual_length}",
    "too_long": "may hold at most {max_length} of them, has {actual_length}",
    "string_too_short": "is shorter than {min_length} characters",
    "string_too_long": "is longer than {max_length} characters",
}  # fmt: skip


class _Error(NamedTuple):
    """An error whose location holds file parts up to `entry`, and the names of union members behind."""

    entry: Entry
    steps: tuple[str | int, ...]  # from the spec to `entry`
    tags: tuple[str | int, ...]
    detail: ErrorDetails


def translate(error: ValidationError, entry: Entry, shape: Callable[[], Shape], problems: Problems) -> None:
    """Add a diagnostic for everything that `error` says about the spec written at `entry`."""
    found = [_locate(entry, detail) for detail in error.errors(include_url=False)]
    meant = {
        (e.steps[:-1], _near(e, shape, problems)) for e in found if e.detail["type"] == "extra_forbidden" and e.steps
    }
    for one, wanted in _choose(found):
        if one.detail["type"] != "missing" or (one.steps, one.detail["loc"][-1]) not in meant:
            _report(one, wanted, shape, problems)


def _near(one: _Error, shape: Callable[[], Shape], problems: Problems) -> str | None:
    """The field that was meant by one that is not known: what is misspelled is not missing as well."""
    parent = shape().at(one.steps[:-1])
    return problems.guesser.closest(str(one.steps[-1]), parent.fields) if parent else None


def _locate(entry: Entry, detail: ErrorDetails) -> _Error:
    steps: list[str | int] = []
    tags: list[str | int] = []
    loc = detail["loc"][:-1] if detail["type"] in ("missing", "missing_argument") else detail["loc"]
    for part in loc:
        below = entry.child(part)
        if below is None:
            tags.append(part)
        else:
            entry = below
            steps.append(part)
    return _Error(entry, tuple(steps), tuple(tags), detail)


def _choose(errors: list[_Error]) -> Iterator[tuple[_Error, str]]:
    """The errors worth saying, each with the type words of all union members that were tried at its place."""
    members: dict[tuple[str | int, ...], dict[str, list[_Error]]] = {}
    for one in errors:
        if not one.tags:
            yield one, ""
            continue
        at = _union(one)
        members.setdefault(at, {}).setdefault(str(one.tags[0]), []).append(one)
    for at, tried in members.items():
        fitting = [m for m in tried.values() if not all(_mismatch(e) and e.steps == at for e in m)]
        if fitting:
            best = min(fitting, key=lambda m: (len(m), -max(len(e.steps) for e in m)))
            yield from ((one, "") for one in best)
        else:
            names = [_EXPECTED.get(e.detail["type"], "") for m in tried.values() for e in m]
            first = next(iter(tried.values()))[0]
            yield first, " or ".join(dict.fromkeys(filter(None, names)))


def _union(one: _Error) -> tuple[str | int, ...]:
    """Where the first union of its location stands: the file's parts before the first name that is not the file's."""
    loc = one.detail["loc"]
    return tuple(loc[: loc.index(one.tags[0])])


def _mismatch(one: _Error) -> bool:
    return one.detail["type"] in _EXPECTED


def _report(one: _Error, wanted: str, shape: Callable[[], Shape], problems: Problems) -> None:
    kind, ctx, entry = one.detail["type"], one.detail.get("ctx", {}), one.entry
    name = _name(entry)
    if ctx.get("class_name") == "SecretRef" or (is_secret(name) and isinstance(entry.node, Scalar) and entry.node.text):
        hint = f"write {name}: {{env: NAME_OF_A_VARIABLE}} or {name}: {{file: /path/to/it}}"
        problems.add(entry, f"{name} is a secret: it may not stand in the desired state", hint)
    elif kind == "extra_forbidden":
        _unknown(one, shape, problems)
    elif kind == "missing":
        _missing(one, shape, problems)
    elif kind in _EXPECTED:
        _wrong_type(one, wanted, shape, problems)
    elif kind in ("literal_error", "enum", "union_tag_invalid"):
        here = shape().at(one.steps)
        text = entry.node.text if isinstance(entry.node, Scalar) else kind_of(entry.node)
        choices = here.literals if here else []
        message = f"{text} is not one of {', '.join(choices) or ctx.get('expected', '')}"
        problems.add(entry, message, problems.guesser.hint(text, choices))
    elif kind in ("value_error", "assertion_error"):
        problems.add(entry, str(ctx.get("error", one.detail["msg"])), _remedy(one, shape))
    elif kind in _BOUNDS:
        problems.add(entry, f"must be {_BOUNDS[kind].format(**ctx)}", _remedy(one, shape))
    elif kind in _LENGTHS:
        problems.add(entry, f"{_name(entry)} {_LENGTHS[kind].format(**ctx)}", _remedy(one, shape))
    elif kind == "string_pattern_mismatch":
        problems.add(entry, f"does not have the form {ctx.get('pattern', '')}", _remedy(one, shape))
    else:
        problems.add(entry, one.detail["msg"][:1].lower() + one.detail["msg"][1:], _remedy(one, shape))


def _name(entry: Entry) -> str:
    return entry.path.rpartition(".")[2] if not entry.path[-1:].isdecimal() else entry.path


def _remedy(one: _Error, shape: Callable[[], Shape]) -> str:
    """What the field takes, as its description says."""
    here = shape().at(one.steps) if one.steps else None
    if here is None:
        return ""
    words, node = here.words(), one.entry.node
    if (
        isinstance(node, Scalar)
        and isinstance(node.value, int)
        and not isinstance(node.value, bool)
        and "percent" in words
    ):
        return f"write {node.value}%"
    return f"{_name(one.entry)} takes: {words}"


def _outline(shape: Shape) -> str:
    """How a whole entry is written, with the fields it cannot do without."""
    needed = [name for name, field in shape.fields.items() if field.required] or list(shape.fields)[:1]
    return f"write it as {{{', '.join(f'{name}: …' for name in needed or ['name'])}}}"


def _unknown(one: _Error, shape: Callable[[], Shape], problems: Problems) -> None:
    entry = one.entry
    parent = shape().at(one.steps[:-1])
    known = list(parent.fields) if parent else []
    word = str(one.steps[-1]) if one.steps else ""
    where = entry.path.removesuffix(f".{word}")
    problems.add(entry, f"{where} has no field {word}", problems.guesser.hint(word, known), key=True)


def _missing(one: _Error, shape: Callable[[], Shape], problems: Problems) -> None:
    word = str(one.detail["loc"][-1])
    here = shape().at((*one.steps, word))
    hint = f"{word}: {here.words()}" + (f". {here.description}" if here.description else "") if here else ""
    entry = Entry(one.entry.source, one.entry.key, one.entry.node, f"{one.entry.path}.{word}")
    problems.add(entry, f"{word} is missing", hint, key=True)


def _wrong_type(one: _Error, wanted: str, shape: Callable[[], Shape], problems: Problems) -> None:
    entry, node = one.entry, one.entry.node
    wanted = wanted or _EXPECTED[one.detail["type"]]
    is_plain = isinstance(node, Scalar) and node.value is not None
    if "text" in wanted and isinstance(node, Scalar) and is_plain:
        hint = f'put it in quotes: "{node.text}"'
    elif "a list" in wanted and isinstance(node, Scalar) and is_plain:
        bare = node.text.replace("-", "").replace("_", "").isalnum()
        hint = f"put it in brackets: [{node.text if bare else json.dumps(node.text, ensure_ascii=False)}]"
    else:
        hint = _remedy(one, shape) or _outline(shape())
    problems.add(entry, f"{_name(entry)} must be {wanted}, not {kind_of(node)}", hint)
