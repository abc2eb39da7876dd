"""`arr init`: a first desired/ folder. Never overwrites anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.cli.schema import DEFAULT, relative, write_schema
from reconciler.errors import Exit, UsageError

if TYPE_CHECKING:
    from reconciler.desired.scaffold import Declared

FILE = "stack.yaml"
IGNORE = Path(".gitignore")
KEY = "~/.ssh/id_ed25519"


@command(
    examples="""
    arr init
    arr init --connect sonarr=http://localhost:8989
    """
)
def init(
    call: Call,
    connect: Annotated[
        list[str] | None,
        typer.Option(
            "--connect",
            metavar="APP=URL",
            help="A server to begin with, or sftp=USER@HOST; may be repeated.",
            show_default=False,
        ),
    ] = None,
) -> Exit:
    """Write a first desired/ folder to start from.

    One file that explains itself and wishes for nothing yet, the schema for your editor, and a .gitignore for what arr
    makes by itself. API keys are not asked for: the file names the environment variables that hold them. What is there
    already stays as it is.
    """
    from reconciler import registry
    from reconciler.desired.scaffold import scaffold
    from reconciler.desired.schema import with_header
    from reconciler.views.documents import WrittenDocument
    from reconciler.views.written import init_page

    first = call.given.desired_paths()[0]
    file = first if first.suffix in (".yaml", ".yml") else first / FILE
    declared = [_declared(text) for text in connect or []]
    kept = _there(file)
    written: list[str] = []
    if not kept:
        text = scaffold(declared, registry.kinds())
        _write(file, with_header(text, relative(DEFAULT, file.parent)))
        written.append(str(file))
    write_schema(DEFAULT)
    written.append(str(DEFAULT))
    ignored = [f"/{place}/" for place in (str(call.state), str(DEFAULT.parent)) if not Path(place).is_absolute()]
    hint = ""
    if not IGNORE.exists():
        _write(IGNORE, "\n".join(["# What arr remembers and makes by itself: not for git.", *ignored]) + "\n")
        written.append(str(IGNORE))
    elif missing := [line for line in ignored if not _is_ignored(line)]:
        kept.append(str(IGNORE))
        hint = f"Put into {IGNORE}, if this folder is kept in git: {' '.join(missing)}"
    variables = [c.fields["api_key"]["env"] for c in declared if "api_key" in c.fields]
    call.tell(
        lambda: init_page(written, kept, variables, hint),
        lambda: WrittenDocument(written=tuple(written), kept=tuple(kept)),
    )
    return Exit.OK


def _there(file: Path) -> list[str]:
    """What of a desired state is there already."""
    if file.exists():
        return [str(file)]
    found = file.parent.glob("*.y*ml") if file.parent.is_dir() and file.name == FILE else ()
    return sorted(str(path) for path in found)


def _is_ignored(line: str) -> bool:
    """Whether .gitignore has the folder, written in one of the usual ways."""
    there = {known.strip().strip("/") for known in IGNORE.read_text(encoding="utf-8", errors="replace").splitlines()}
    return line.strip("/") in there


def _declared(text: str) -> Declared:
    """A connection from `APP=URL`, or `APP=USER@HOST`; its key is looked for in the environment, or where SSH has it."""
    from reconciler import registry
    from reconciler.desired.scaffold import Declared

    name, _, at = text.partition("=")
    app = registry.apps().get(name)
    told = app.Spec.model_fields.keys() if app is not None else ()
    user, _, host = at.rpartition("@")
    if app is None or not at or ("url" not in told and not (user and host)):
        known = ", ".join(sorted(registry.apps()))
        hint = f"apps: {known}; as sonarr=http://localhost:8989 or sftp=me@box.example"
        raise UsageError(f"--connect {text}: write APP=URL, or APP=USER@HOST for what has no URL", hint)
    fields: dict[str, object] = {"url": at} if "url" in told else {"host": host, "user": user, "key": KEY}
    if "api_key" in app.Spec.model_fields:
        fields["api_key"] = {"env": f"{name.upper()}_API_KEY"}
    return Declared(name, name, fields)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except OSError as e:
        raise UsageError(f"{file} cannot be written: {e.strerror}", "choose another place with --desired") from None
