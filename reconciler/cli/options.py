"""The options that every command takes, before its name or after it, and what they mean.

    arr --state /srv/arr plan    is    arr plan --state /srv/arr

What stands after the command wins. Kept light: `arr --help` imports this module.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import typer

INTERRUPTED = 130  # what a shell says of a process that Ctrl-C ended

Format = Literal["text", "json", "markdown"]

DesiredOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--desired",
        metavar="PATH",
        help="File or folder of the desired state; may be repeated. [default: $ARR_DESIRED or ./desired]",
        show_default=False,
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="Folder of the state: database, journal, plans. [default: $ARR_STATE or ./state]",
        show_default=False,
    ),
]
FormatOption = Annotated[
    Literal["text", "json"] | None,
    typer.Option("--format", help="How to print. [default: text]", show_default=False),
]
MarkdownOption = Annotated[
    Format | None,
    typer.Option("--format", help="How to print. [default: text]", show_default=False),
]
VerboseOption = Annotated[
    int,
    typer.Option(
        "--verbose", "-v", count=True, show_default=False, help="Log more to standard error; -vv for everything."
    ),
]
QuietOption = Annotated[
    int,
    typer.Option(
        "--quiet", "-q", count=True, show_default=False, help="No progress, and log errors only; -qq for nothing."
    ),
]
LogFileOption = Annotated[
    Path | None,
    typer.Option(
        "--log-file", metavar="FILE", help="Write the log there as well, as JSON lines, everything.", show_default=False
    ),
]


@dataclass
class Given:
    """The common options as they were given; None and 0: not given."""

    desired: list[Path] | None = None
    state: Path | None = None
    format: Format | None = None
    verbose: int = 0
    quiet: int = 0
    log_file: Path | None = None

    def over(self, other: Given) -> Given:
        """These, and what `other` says where these say nothing."""
        return Given(**{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(self)})

    def desired_paths(self) -> list[Path]:
        """What was given, else $ARR_DESIRED (several, separated as in $PATH), else ./desired."""
        if self.desired:
            return self.desired
        named = os.environ.get("ARR_DESIRED", "")
        return [Path(part) for part in named.split(os.pathsep) if part] or [Path("desired")]

    def state_folder(self) -> Path:
        """What was given, else $ARR_STATE, else ./state."""
        return self.state or Path(os.environ.get("ARR_STATE") or "state")


def remember(
    context: typer.Context,
    desired: DesiredOption = None,
    state: StateOption = None,
    format: MarkdownOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = 0,
    log_file: LogFileOption = None,
) -> None:
    """Plan and apply for media stacks: says what it would change, then does exactly that.

    The options below may also stand after the command.
    """
    context.obj = Given(desired, state, format, verbose, quiet, log_file)


def parameters(*, markdown: bool) -> dict[str, Any]:
    """Name → annotation of the common options, for a command."""
    hints = get_type_hints(remember, include_extras=True)
    common = {name: hints[name] for name in ("desired", "state", "format", "verbose", "quiet", "log_file")}
    return common if markdown else {**common, "format": FormatOption}
