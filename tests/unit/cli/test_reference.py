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
PAGES = reference.pages()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name: str) -> None:
    """`make docs` would write what is there."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]


def test_no_schema_is_left_behind() -> None:
    """Each schema in the folder is one that a command prints."""
    assert {f"schemas/{p.name}" for p in (DOCS / "schemas").iterdir()} == {n for n in PAGES if "/" in n}


def test_every_command_is_documented() -> None:
    """A heading for each command, also those of other packages."""
    text = PAGES["commands.md"]
    names = [*COMMANDS, *(entry.name for entry in registry.commands())]
    assert [name for name in names if f"\n## arr {name}\n" not in text] == []


def test_every_kind_is_documented() -> None:
    """A heading for each kind and a row for each of its fields."""
    text = PAGES["kinds.md"]
    for name, kind in registry.kinds().items():
        assert f"### {name}".replace("_", r"\_") in text
        section = text.split(f"### {name}".replace("_", r"\_"), 1)[1].split("\n### ")[0]
        assert [field for field in kind.Spec.model_fields if f"| `{field}` |" not in section] == []


def test_every_document_is_documented() -> None:
    """json.md names each document and the commands that print it."""
    text = (DOCS / "json.md").read_text(encoding="utf-8")
    assert {d.NAME for d in DOCUMENTS} == set(re.findall(r"^\| `(arr\.\w+/\d+)`", text, re.MULTILINE))


def test_every_exit_code_is_documented_in_its_order() -> None:
    """The table reads from top to bottom as the precedence does."""
    text = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    assert [Exit(int(code)) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(PRECEDENCE)
