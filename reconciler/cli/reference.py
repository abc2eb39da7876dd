"""The reference pages of `docs/`, written from the program itself: commands, kinds and the schemas of the JSON.

`python -m reconciler.cli.reference docs` writes them (as `make docs` does); a test holds that they are current.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from reconciler import registry
from reconciler.cli.main import Commands, app, outcome
from reconciler.desired.explain import Explained, explain
from reconciler.views.documents import json_schemas

COMMANDS_HEAD = """\
# Commands

Written by `make docs` from `arr COMMAND --help`. The options of `arr` itself may stand before or after a command.
Exit codes: [exit-codes.md](exit-codes.md). What `--format json` prints: [json.md](json.md).
"""

KINDS_HEAD = """\
# What can be declared

Written by `make docs` from what `arr explain` says. The desired state is YAML in any number of files; every section may
be left out.
"""


def help_of(*path: str) -> str:
    """`arr … --help`, 80 columns wide."""
    said = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        with contextlib.redirect_stdout(said):
            outcome([*path, "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return said.getvalue().rstrip()


def paths() -> Iterator[tuple[str, ...]]:
    """Every command there is, groups before their members; () is `arr` itself."""
    yield ()
    root: Any = typer.main.get_command(app)
    assert isinstance(root, Commands)  # noqa: S101
    context = typer.Context(root, info_name="arr")
    for name in root.list_commands(context):
        yield (name,)
        for below in getattr(root.get_command(context, name), "commands", {}):
            yield name, below


def commands_page() -> str:
    """`docs/commands.md`."""
    parts = [COMMANDS_HEAD]
    for path in paths():
        parts.append(f"## {' '.join(('arr', *path))}\n\n```\n{help_of(*path)}\n```\n")
    return "\n".join(parts)


def kinds_page() -> str:
    """`docs/kinds.md`: kinds first, then the sections they share."""
    kinds, apps = registry.kinds(), registry.apps()
    shared = [child.name for child in explain("", kinds, apps).children if child.name not in kinds]
    parts = [KINDS_HEAD]
    for title, names in (("Kinds", sorted(kinds)), ("Shared sections", shared)):
        parts.append(f"## {title}\n")
        for name in names:
            told = explain(name, kinds, apps)
            parts.append(f"### {name}\n\n{told.description}\n")
            parts.append("\n".join(_rows(told)) + "\n")
    return "\n".join(parts)


def _rows(told: Explained) -> Iterator[str]:
    if not told.children:
        return
    yield "| field | what to write | default | what it does |"
    yield "|---|---|---|---|"
    for child in _below(told):
        name = child.path.removeprefix(f"{told.path}.")
        default = "**required**" if child.required else f"`{child.default}`" if child.default is not None else ""
        yield f"| `{name}` | {_cell(child.type)} | {default} | {_cell(child.description)} |"


def _cell(text: str) -> str:
    """Our own words, which are Markdown already, as one cell."""
    return " ".join(text.split()).replace("|", r"\|")


def _below(told: Explained, above: tuple[frozenset[str], ...] = ()) -> Iterator[Explained]:
    """All fields below a place, each before its own. Fields that hold themselves again are told once."""
    fields = frozenset(child.name for child in told.children)
    if fields in above:
        return
    for child in told.children:
        yield child
        yield from _below(explain(child.path, registry.kinds(), registry.apps()), (*above, fields))


def schema_pages() -> dict[str, str]:
    """The schemas of what `--format json` prints."""
    return {
        f"schemas/{name.replace('/', '-')}.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in json_schemas().items()
    }


PAGES = {"commands.md": commands_page, "kinds.md": kinds_page}


def pages() -> dict[str, str]:
    """File name under `docs/` → its text."""
    return {**{name: write() for name, write in PAGES.items()}, **schema_pages()}


def main() -> None:
    """Write the pages into the folder that is named."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    for name, text in pages().items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
