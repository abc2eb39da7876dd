"""The reference pages are current and complete: an undocumented command, kind, field, code or document fails here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler import registry
from reconciler.cli import reference
from reconciler.cli.main import COMMANDS
from reconciler.errors import PRECEDENCE, Exit
from reconciler.views.documents import DOCUMENTS

DOCS = Path(__file__).parents[3] / "docs"


def page(name: str) -> str:
    return reference.PAGES[name]()


@pytest.mark.parametrize("name", reference.PAGES)
def test_page_is_current(name: str) -> None:
    """`make docs` would write what is there."""
    assert (DOCS / name).read_text(encoding="utf-8") == page(name)


def test_schemas_are_current() -> None:
    """Each schema is what the program has, and none is left behind."""
    found = {f"schemas/{p.name}": p.read_text(encoding="utf-8") for p in (DOCS / "schemas").iterdir()}
    assert found == reference.schema_pages()


def test_every_command_is_documented() -> None:
    """A heading for each command, also those of other packages."""
    text = page("commands.md")
    names = [*COMMANDS, *(entry.name for entry in registry.commands())]
    assert [name for name in names if f"\n## arr {name}\n" not in text] == []


@pytest.mark.parametrize("path", list(reference.paths()), ids=lambda p: " ".join(p) or "arr")
def test_help_fits_80_columns(path: tuple[str, ...]) -> None:
    """Also what is listed below the options; no sentence of a list of commands is cut off."""
    text = reference.help_of(*path)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert not [line for line in text.partition("Commands:")[2].splitlines() if line.endswith("...")]


def test_every_kind_is_documented() -> None:
    """A heading for each kind and a row for each of its fields."""
    text = page("kinds.md")
    for name, kind in registry.kinds().items():
        head = f"### {name}\n"
        section = text.partition(head)[2].partition("\n### ")[0]
        assert section
        fields = [field.alias or name for name, field in kind.Spec.model_fields.items()]
        assert [field for field in fields if f"| `{field}` |" not in section] == []


def test_every_document_is_documented() -> None:
    """json.md names each document and the commands that print it."""
    text = (DOCS / "json.md").read_text(encoding="utf-8")
    assert {d.NAME for d in DOCUMENTS} == set(re.findall(r"^\| `(arr\.\w+/\d+)`", text, re.MULTILINE))


def test_every_exit_code_is_documented_in_its_order() -> None:
    """The table reads from top to bottom as the precedence does."""
    text = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    assert [Exit(int(code)) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(PRECEDENCE)
