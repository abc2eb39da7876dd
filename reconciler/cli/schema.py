"""`arr schema`: the JSON Schema of the desired state, for editors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit, UsageError

DEFAULT = Path(".arr/schema.json")


@command(
    examples="""
    arr schema                       .arr/schema.json, and what to do with it
    arr schema --out /tmp/arr.json   elsewhere
    """
)
def schema(
    call: Call,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")] = DEFAULT,
) -> Exit:
    """Write the JSON Schema that makes editors complete and check.

    It speaks of the kinds and apps that are installed: write it again after an update.
    """
    from reconciler.views.documents import WrittenDocument
    from reconciler.views.written import schema_page

    write_schema(out)
    first = next(iter(call.given.desired_paths()))
    folder = first.parent if first.suffix else first
    call.tell(lambda: schema_page(str(out), relative(out, folder)), lambda: WrittenDocument(written=(str(out),)))
    return Exit.OK


def relative(schema_file: Path, folder: Path) -> str:
    """How a file in `folder` names the schema."""
    return os.path.relpath(schema_file, folder)


def write_schema(path: Path) -> None:
    """Write the schema of what is installed. UsageError when that cannot be done."""
    from reconciler import registry
    from reconciler.desired import schema as of

    text = json.dumps(of(registry.kinds(), registry.apps()), indent=1, ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as e:
        raise UsageError(f"{path} cannot be written: {e.strerror}", "choose another place with --out") from None
