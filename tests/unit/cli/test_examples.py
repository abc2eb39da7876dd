"""Every example of a command line can be called: in the README, in `docs/` and under `--help`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.cli import main, reference

ROOT = Path(__file__).parents[3]


def in_blocks(text: str) -> list[str]:
    """Lines of shell blocks that call `arr`, without their comments."""
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("arr ")]


def in_help(text: str) -> list[str]:
    """Examples under `--help`: a call, two spaces or more, and what it is."""
    found = re.findall(r"^    (arr .*?)(?:\s{2,}.*)?$", text.partition("Examples:\n")[2], re.MULTILINE)
    return [call for call in found if "…" not in call]


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CALLS = sorted({c for page in PAGES if page.name != "commands.md" for c in in_blocks(page.read_text("utf-8"))})
HELP = sorted({c for name in ["", *main.COMMANDS] for c in in_help(reference.help_of(*name.split()))})


@pytest.mark.parametrize("call", [*CALLS, *HELP])
def test_the_call_is_understood(call: str) -> None:
    """The command exists and takes these options and arguments."""
    _, *args = shlex.split(call, comments=True)
    root = typer.main.get_command(main.app)
    context = root.make_context("arr", args)
    rest = [*context._protected_args, *context.args]
    while rest:
        group: Any = context.command
        name, command, rest = group.resolve_command(context, rest)
        if "--help" in rest:
            return
        context = command.make_context(name, rest, parent=context)
        rest = [*getattr(context, "_protected_args", []), *context.args]


def test_there_are_examples() -> None:
    """The parsing above finds what it is meant to find."""
    assert len(HELP) > 30
