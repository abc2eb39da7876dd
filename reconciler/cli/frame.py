"""What all commands share: a `Call` with the common options, printing in the asked format, and the end in order.

A command is a function of a `Call` and its own options that returns an `Exit`. `command` gives it the common options,
sets the log up, and turns errors into a message and an exit code, as text or as `arr.error/1`.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli import failure, logs
from reconciler.cli.options import INTERRUPTED, Format, Given, parameters
from reconciler.errors import ArrError, Exit

if TYPE_CHECKING:
    from reconciler.session import Session
    from reconciler.views.documents import Document
    from reconciler.views.look import Look
    from reconciler.views.text import Page

log = logging.getLogger(__name__)


@dataclass
class Call:
    """One command as it was called."""

    given: Given

    @property
    def format(self) -> Format:
        return self.given.format or "text"

    @property
    def quiet(self) -> bool:
        return self.given.quiet > 0

    @cached_property
    def session(self) -> Session:
        from reconciler.session import Session  # the engine is loaded when a command needs it

        return Session(desired=self.given.desired_paths(), state=self.given.state_folder())

    @property
    def state(self) -> Path:
        return self.given.state_folder()

    def look(self) -> Look:
        from reconciler.views.console import look_at

        return look_at(self.session.clock.now())

    def tell(self, page: Callable[[], Page], document: Callable[[], Document]) -> None:
        """Print the one or the other, as `--format` asks."""
        from reconciler.views import console
        from reconciler.views.documents import dumped

        if self.format == "json":
            console.write(dumped(document()))
        else:
            console.show(page())


Function = Callable[..., Exit]


def command(*, examples: str, markdown: bool = False) -> Callable[[Function], Function]:
    """Make a function of a `Call` a command. `examples`: one a line, shown under `--help`."""

    def make(function: Function) -> Function:
        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "call"]
        common = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=0 if name in ("verbose", "quiet") else None,
                annotation=annotation,
            )
            for name, annotation in parameters(markdown=markdown).items()
        ]

        def body(context: typer.Context, **values: Any) -> None:
            here = Given(**{p.name: values.pop(p.name) for p in common})
            given = here.over(context.obj if isinstance(context.obj, Given) else Given())
            if given.format == "markdown" and not markdown:
                raise typer.BadParameter("this command prints text or json", param_hint="--format")
            raise typer.Exit(int(_carried_out(function, Call(given), values)))

        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        options = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        body.__signature__ = inspect.Signature([context, *options, *common])  # type: ignore[attr-defined]
        body.__annotations__ = {p.name: p.annotation for p in (context, *own, *common)}
        body.__name__, body.__doc__, body.__module__ = function.__name__, function.__doc__, function.__module__
        lines = [f"  {line}" for line in inspect.cleandoc(examples).splitlines()]
        body.examples = "\n".join(["\b", "Examples:", *lines])  # type: ignore[attr-defined]
        return body  # type: ignore[return-value]

    return make


def _carried_out(function: Function, call: Call, values: dict[str, Any]) -> int:
    """Run it; an error becomes its message and its exit code."""
    try:
        logs.set_up(call.given)
        return function(call, **values)
    except ArrError as error:
        failure.told(error, call.format)
        return error.exit
    except BrokenPipeError:  # the reader had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ERROR
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001  # the last net: said in one line, logged whole
        return failure.unexpected(error, call.given.log_file)
    finally:
        logs.close()
