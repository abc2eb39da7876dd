"""The fields of specs as JSON Schema says them: one walker for error hints, `arr explain` and the editor schema.

A `Shape` is a place in such a schema: a field, the values of a mapping, the items of a list. It is built only when
somebody asks (an error, a command): a valid desired state never pays for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from reconciler.action import Json

REF = "#/$defs/"
_TYPES = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
    "object": "mapping", "null": "nothing",
}  # fmt: skip


class Generator(GenerateJsonSchema):
    """Writes a default as the user would: `3%`, not 0.03."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        made = super().default_schema(schema)
        inner = schema["schema"]
        write = inner.get("serialization", {}).get("function") if isinstance(inner, dict) else None
        if write is not None and made.get("default") is not None:
            made["default"] = write(made["default"])
        return made


@dataclass(frozen=True)
class Shape:
    """One place of a schema. `own` is as it stands there, `defs` what it may refer to."""

    own: Mapping[str, Json]
    defs: Mapping[str, Json]
    required: bool = False

    @cached_property
    def choices(self) -> list[Shape]:
        """What may stand here, references followed; `null` left out."""
        return [s for s in self._flat(self.own) if s.own.get("type") != "null"]

    def _flat(self, schema: Mapping[str, Json]) -> Iterator[Shape]:
        if "$ref" in schema:
            yield from self._flat(self.defs[schema["$ref"].removeprefix(REF)])
        elif "anyOf" in schema or "oneOf" in schema:
            for one in schema.get("anyOf", schema.get("oneOf", ())):
                yield from self._flat(one)
        else:
            yield Shape(schema, self.defs)

    @property
    def fields(self) -> dict[str, Shape]:
        """The fields of the model(s) that may stand here."""
        found: dict[str, Shape] = {}
        for choice in self.choices:
            needed = choice.own.get("required", ())
            for name, schema in choice.own.get("properties", {}).items():
                found.setdefault(name, Shape(schema, self.defs, name in needed))
        return found

    @property
    def values(self) -> Shape | None:
        """What stands under any name of a mapping, or in a list."""
        for choice in self.choices:
            below = choice.own.get("additionalProperties") or choice.own.get("items")
            if isinstance(below, dict):
                return Shape(below, self.defs)
        return None

    def child(self, part: str) -> Shape | None:
        """One step down: a field, else what any name or number gives."""
        return self.fields.get(part) or self.values

    def at(self, path: tuple[str | int, ...]) -> Shape | None:
        """The shape some steps down; None where the schema says nothing."""
        here: Shape | None = self
        for part in path:
            here = here.child(str(part)) if here else None
        return here

    @property
    def description(self) -> str:
        """What the field is for: its own words, else those of the model that stands there."""
        texts = [self.own.get("description"), *(c.own.get("description") for c in self.choices)]
        return " ".join(next((t for t in texts if t), "").split())

    @property
    def literals(self) -> list[str]:
        """The words that may stand here, where they are counted."""
        found = [v for c in self.choices for v in ([c.own["const"]] if "const" in c.own else c.own.get("enum", ()))]
        return [str(v).lower() if isinstance(v, bool) else str(v) for v in found]

    def words(self) -> str:
        """The type as people say it: `size, as 500 GB`; `list of text`; `one of read, write`."""
        said: list[str] = []
        if self.literals:
            said.append(f"one of {', '.join(self.literals)}")
        for choice in self.choices:
            text = choice._own_words()
            if text and text not in said:
                said.append(text)
        return " or ".join(said) or "anything"

    def _own_words(self) -> str:
        own = self.own
        if "const" in own or "enum" in own:
            return ""
        if own.get("title") == "SecretRef":
            return "secret reference, as {env: NAME} or {file: PATH}"
        if own.get("type") == "array":
            return f"list of {self.values.words()}" if self.values else "list"
        if own.get("type") == "object" and not own.get("properties") and self.values:
            return f"mapping of name to {self.values.words()}"
        if own.get("type") == "string" and own.get("examples"):
            return f"{own.get('title', 'text').lower()}, as {own['examples'][0]}"
        return _TYPES.get(own.get("type", ""), "anything") + self._bounds()

    def _bounds(self) -> str:
        low, high = self.own.get("minimum"), self.own.get("maximum")
        if low is not None and high is not None:
            return f" from {low} to {high}"
        return f", at least {low}" if low is not None else f", at most {high}" if high is not None else ""


@cache
def shape_of(model: type[BaseModel]) -> Shape:
    """The shape of one model. Made once: pydantic takes its time over it, and a reference page asks for hundreds."""
    schema = model.model_json_schema(schema_generator=Generator)
    return Shape(schema, schema.get("$defs", {}))


def shapes_of(models: list[type[BaseModel]]) -> tuple[dict[type[BaseModel], Json], dict[str, Json]]:
    """A reference for each model, and the definitions they share."""
    unique = list(dict.fromkeys(models))
    refs, schema = models_json_schema([(m, "validation") for m in unique], schema_generator=Generator)
    return {m: refs[m, "validation"] for m in unique}, schema.get("$defs", {})
