"""The command `arr`: finds the command that is asked for, loads that one alone, and turns every end into an exit code.

`arr --help` must cost little more than typer itself, so nothing of the engine is imported here and a command's module
only when it is used. Command groups of other packages come in through `arr.commands`; their help line is read from the
file that defines them, without running it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from reconciler.cli import options
from reconciler.errors import ArrError, Exit

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# What a library or a client tells is a million small values, none of them in a cycle: looking for cycles among them as often
# as Python does by itself takes a quarter of a plan's time.
SELDOM = (100_000, 50, 100)

# Name → first line of its help. Each lives in the module of its name and is a function of its name there.
COMMANDS = {
    "init": "Write a first desired/ folder to start from.",
    "validate": "Check the desired state; no server is asked.",
    "schema": "Write the JSON Schema that makes editors complete and check.",
    "explain": "Explain a kind, an app or one of their fields.",
    "doctor": "Examine every connection and disk, and say what to do about what is wrong.",
    "plan": "Say what would be done, and why. Changes nothing.",
    "apply": "Do what a plan says, and nothing else.",
    "why": "Say what every resource thinks of one item.",
    "drift": "Show what the world changed since the last apply.",
    "status": "Show what is declared, what is under way, and the latest runs.",
    "history": "List the runs, newest first.",
    "show": "Show a run and what became of its actions, or a plan.",
    "undo": "Make a plan that takes a run back, where that is possible.",
    "settle": "Close an entry of the journal by hand, where no look can tell.",
    "version": "Show the version, and what is installed with it.",
}

# typer exports only the subclass of what it raises for every wrong call.
CallError: type[Any] = typer.BadParameter.__mro__[1]


def load(name: str) -> Any:
    """The command `name` as typer runs it."""
    function = getattr(import_module(f"reconciler.cli.{name}"), name)
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(name, epilog=function.examples)(function)
    return typer.main.get_command(single)


class Commands(TyperGroup):
    """The group of all commands, each loaded when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *(entry.name for entry in _others())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS:
            return load(cmd_name)
        entry = next((e for e in _others() if e.name == cmd_name), None)
        try:
            return _loaded(entry) if entry else None
        except ArrError:
            if ctx.resilient_parsing:  # a shell that completes: a broken package is not there
                return None
            raise

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in (known := self.list_commands(ctx)) and not name.startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(name, known, n=1)
            ctx.fail(f"no such command: {name}." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = [*COMMANDS.items(), *((entry.name, _help_of(entry)) for entry in _others())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _others() -> list[EntryPoint]:
    from reconciler import registry  # costs a few ms, which `arr plan` has and completion has not

    return registry.commands()


def _loaded(entry: EntryPoint) -> Any:
    try:
        group = entry.load()
    except ImportError as e:
        raise ArrError(f"the commands of '{entry.name}' cannot be loaded: {e}", "install their package again") from None
    return typer.main.get_command(group)


def _help_of(entry: EntryPoint) -> str:
    """The first sentence of the module that an entry point names, without importing it."""
    try:
        spec = util.find_spec(entry.module)
    except ImportError:
        spec = None
    if spec is None or not spec.origin:
        return f"From {entry.module}, which cannot be found."
    with Path(spec.origin).open(encoding="utf-8") as file:
        first = file.readline().strip()
    told = first.removeprefix('"""').removesuffix('"""').partition(". ")[0].rstrip(".")
    return f"{told}." if first.startswith('"""') and told else f"From {entry.module}."


app = typer.Typer(
    cls=Commands,
    name="arr",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "\b\nExamples:\n"
        "  arr init                a first desired/ folder\n"
        "  arr plan                what would be done, and why\n"
        "  arr apply 7k3f          do that plan\n"
        "  arr plan --help         options and examples of a command"
    ),
)
app.callback()(options.remember)


def run(args: Sequence[str] | None = None) -> None:
    """The console entry. Ends the process with one of the documented exit codes."""
    gc.set_threshold(*SELDOM)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # replaced by something that is no file, or closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code = int(outcome(args))
    if code == options.INTERRUPTED:  # threads that wait for a slow server would hold the process; they only read
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def outcome(args: Sequence[str] | None = None) -> int:
    """Run one command line; its exit code."""
    try:
        given = sys.argv[1:] if args is None else list(args)
        code = typer.main.get_command(app)(args=given, prog_name="arr", standalone_mode=False)
    except CallError as error:
        error.show()
        return Exit.USAGE
    except (typer.Abort, KeyboardInterrupt):
        return options.INTERRUPTED
    except ArrError as error:
        from reconciler.cli import failure

        failure.told(error, "text")
        return error.exit
    except Exception as error:  # noqa: BLE001  # the last net, for what fails before a command runs
        from reconciler.cli import failure  # needed only when something went wrong

        return failure.unexpected(error)
    return code if isinstance(code, int) else Exit.OK
