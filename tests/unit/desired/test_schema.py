"""The JSON Schema says what the loader says, as far as a schema can, and every example fits it."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from reconciler import registry
from reconciler.desired import schema
from reconciler.desired.schema import with_header
from tests.unit.desired.parts import APPS, GOOD, KINDS

EXAMPLES = sorted((Path(__file__).parents[3] / "desired").rglob("*.y*ml"))


@pytest.fixture(scope="module")
def validator() -> Any:
    return jsonschema_rs.Draft202012Validator(schema(KINDS, APPS))


def test_it_is_a_schema_and_the_same_every_time() -> None:
    made = schema(KINDS, APPS)
    jsonschema_rs.meta.validate(made)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made == schema(dict(reversed(KINDS.items())), dict(reversed(APPS.items())))


@pytest.mark.parametrize(
    "text", [GOOD, "", "keep:\n", "keep: {a: {disks: [d1]}}", "paths: [{here: /a, tv: /b}]", "guards:\n"]
)
def test_accepts(validator: Any, text: str) -> None:
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "kep: {}",
        "keep: []",
        "keep: {A B: {disks: [d1]}}",
        "keep: {a: {}}",
        "keep: {a: {disks: [d1], setle: 3%}}",
        "keep: {a: {disks: [d1], settle: 3}}",
        "keep: {a: {disks: [d1], how: fast}}",
        "disks: {d1: {roots: {tv: 3}}}",
        "connections: {tv: {url: x}}",
        "connections: {tv: {app: nobody}}",
        "connections: {tv: {app: box, url: x, api_key: literal}}",
        "connections: {tv: {app: box, url: x, host: y}}",
        "connections: {tv: {app: shelf, host: y, port: 0}}",
        "protect: [nonsense]",
    ],
)
def test_refuses(validator: Any, text: str) -> None:
    assert not validator.is_valid(yaml.safe_load(text))


def test_says_what_fields_are_for_and_their_defaults_as_written() -> None:
    made = schema(KINDS, APPS)
    keep = made["$defs"]["KeepSpec"]["properties"]
    assert keep["settle"]["description"] == "How far below."
    assert keep["settle"]["default"] == "3%"
    assert made["properties"]["keep"]["description"] == "Disks stay below their limits."
    assert made["$defs"]["Pace"]["properties"]["cooldown"]["default"] == "90d"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.name)
def test_every_example_fits_the_schema_of_what_is_installed(file: Path) -> None:
    jsonschema_rs.Draft202012Validator(schema(registry.kinds(), registry.apps())).validate(
        yaml.safe_load(file.read_text())
    )


def test_there_are_examples() -> None:
    assert EXAMPLES


def test_header_is_put_on_top_once_and_kept_up_to_date() -> None:
    line = "# yaml-language-server: $schema=../.arr/schema.json\n"
    assert with_header(GOOD, "../.arr/schema.json") == line + GOOD
    assert with_header(line + GOOD, "../.arr/schema.json") == line + GOOD
    assert (
        with_header("# mine\n#yaml-language-server: $schema=old\n" + GOOD, "../.arr/schema.json")
        == "# mine\n" + line + GOOD
    )
