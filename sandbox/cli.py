"""Run simulated servers to try things on.

The command group `arr sandbox`, found through the entry point `arr.commands`. A home holds one scenario: its world, its
servers' databases, `sandbox.env` with their keys, and `desired/` with connections that fit. Servers run detached until
`down`; what happens to them goes over their control channels.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from sandbox import scenarios
from sandbox.control import Unreachable
from sandbox.desk import Desk, PortTaken
from sandbox.faults import NAMES, Fault
from sandbox.values import Json


def _listed(rows: dict[str, str]) -> str:
    """Names and what they are, for the end of a help page: click indents it by two, and never breaks its lines."""
    wide = max(map(len, rows))
    indent = " " * (wide + 3)
    lines = (textwrap.fill(f"  {name:<{wide}} {text}", 78, subsequent_indent=indent) for name, text in rows.items())
    return "\n".join(lines)


_FAULT_LINES = _listed(NAMES)
_SCENARIO_LINES = _listed(scenarios.names())

Home = Annotated[
    Path | None,
    typer.Option(help="Folder of the sandbox. [default: $ARR_SANDBOX or .sandbox/stack]", show_default=False),
]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="How to print.")]
Server = Annotated[str | None, typer.Option(help="This server only. [default: all]", show_default=False)]

app = typer.Typer(
    name="sandbox",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Run a simulated Sonarr and Radarr over simulated disks, and break them.",
    epilog=(
        "\b\nExamples:\n"
        "  arr sandbox up                          the library of the demo\n"
        "  arr sandbox break move-disk-full        the next moves run out of space\n"
        "  arr sandbox heal\n"
        "  arr sandbox down"
    ),
)


def _faults() -> list[str]:
    return list(NAMES)


def _scenario_names() -> list[str]:
    return list(scenarios.names())


def _desk(home: Path | None) -> Desk:
    return Desk(home or Path(os.environ.get("ARR_SANDBOX", ".sandbox/stack")))


def _fail(text: str) -> NoReturn:
    typer.echo(f"Error: {text}", err=True)
    raise typer.Exit(1)


def _tell(form: str, text: Callable[[], str], data: Any) -> None:
    typer.echo(json.dumps(data, indent=2) if form == "json" else text())


def _bold(text: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else typer.style(text, bold=True)


def _bytes(count: int) -> str:
    """Decimal units, as disks are sold."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.2f} TB"


def _page(told: Json) -> str:
    """The servers and disks of a sandbox as text."""
    lines = [_bold(f"{told['scenario']} in {told['home']}")]
    for server in told["servers"]:
        state = server["url"] if server["running"] else "not running"
        lines.append(f"  {server['name']:<10} {state}")
        lines += [f"             broken: {_described(fault)}" for fault in server["faults"]]
    for disk in told["disks"]:
        used = disk["size"] - disk["free"]
        share = 100 * used / disk["size"]
        lines.append(f"  {disk['path']:<14} {share:5.1f} %  {_bytes(used)} of {_bytes(disk['size'])}")
    return "\n".join(lines)


def _described(fault: Json) -> str:
    parts = [fault["name"], fault.get("method") or "", fault.get("path") or ""]
    if fault["times"]:
        parts.append(f"({fault['struck']} of {fault['times']} times)")
    return " ".join(p for p in parts if p)


@app.command(
    epilog="\b\nExamples:\n  arr sandbox up\n  arr sandbox up --scenario tiny --home /tmp/try --port-base 20000\n"
    f"\n\b\nScenarios:\n{_SCENARIO_LINES}"
)
def up(
    scenario: Annotated[
        str | None,
        typer.Option(help="Which world. [default: library]", show_default=False, autocompletion=_scenario_names),
    ] = None,
    home: Home = None,
    port_base: Annotated[
        int | None,
        typer.Option(
            help="Ports are this plus the app's own (8989, 7878); 0: any. [default: 10000]",
            show_default=False,
            min=0,
            max=56000,
        ),
    ] = None,
    form: Format = "text",
) -> None:
    """Start the servers, and wait until they answer. One that runs already is left alone."""
    desk = _desk(home)
    name = scenario or desk.scenario or "library"
    if name not in scenarios.names():
        near = difflib.get_close_matches(name, scenarios.names(), 1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise typer.BadParameter(f"there is no scenario {name!r}.{hint}", param_hint="--scenario")
    if desk.scenario and scenario and desk.scenario != scenario:
        _fail(
            f"{desk.home} holds the scenario {desk.scenario}. Take another --home, or: arr sandbox reset --scenario {scenario}"
        )
    _up(desk, name, port_base, form)


def _up(desk: Desk, name: str, port_base: int | None, form: str) -> None:
    try:
        desk.up(name, port_base)
    except PortTaken as taken:
        _fail(f"port {taken.port}, for {taken.server}, is taken. Choose others: arr sandbox up --port-base 20000")
    except OSError as error:
        _fail(f"the sandbox can't be made in {desk.home}: {error.strerror or error}")
    told = desk.status()
    keys = f"\n\nKeys for the servers (they are in {desk.env_file} too):\n{desk.env_file.read_text().rstrip()}"
    more = f"\n\nConnections that fit: {desk.desired_file}"
    _tell(
        form, lambda: _page(told) + keys + more, {**told, "env": str(desk.env_file), "desired": str(desk.desired_file)}
    )


@app.command(epilog="\b\nExamples:\n  arr sandbox down")
def down(home: Home = None, form: Format = "text") -> None:
    """Stop the servers. The world and what they know stay."""
    desk = _require(_desk(home))
    stopped = desk.down()
    text = f"stopped: {', '.join(stopped)}" if stopped else "nothing was running"
    _tell(form, lambda: text, {"stopped": stopped})


@app.command(epilog="\b\nExamples:\n  arr sandbox reset\n  arr sandbox reset --scenario tiny")
def reset(
    scenario: Annotated[
        str | None,
        typer.Option(help="Which world. [default: the same]", show_default=False, autocompletion=_scenario_names),
    ] = None,
    home: Home = None,
    form: Format = "text",
) -> None:
    """Throw the world away, make it anew and start it."""
    desk = _require(_desk(home))
    name = scenario or desk.scenario or "library"
    if name not in scenarios.names():
        raise typer.BadParameter(f"there is no scenario {name!r}.", param_hint="--scenario")
    base = desk.port_base
    desk.discard()
    _up(desk, name, base, form)


@app.command(epilog="\b\nExamples:\n  arr sandbox status\n  arr sandbox status --format json")
def status(home: Home = None, form: Format = "text") -> None:
    """Show the servers, what is broken, and how full the disks are."""
    told = _require(_desk(home)).status()
    _tell(form, lambda: _page(told), told)


@app.command(
    "break",
    epilog="\b\nExamples:\n"
    "  arr sandbox break down --server radarr\n"
    "  arr sandbox break move-killed --server sonarr --times 1\n"
    "  arr sandbox break reset --method PUT --path '/api/v3/series/*' --times 1\n"
    f"\n\b\nFaults:\n{_FAULT_LINES}",
)
def break_(
    name: Annotated[str, typer.Argument(help="What is to go wrong; see the list below.", autocompletion=_faults)],
    server: Server = None,
    method: Annotated[str | None, typer.Option(help="Requests with this method only.", show_default=False)] = None,
    path: Annotated[str | None, typer.Option(help="Requests whose path fits this glob.", show_default=False)] = None,
    times: Annotated[int | None, typer.Option(help="So often, then no more.", min=1, show_default=False)] = None,
    skip: Annotated[int, typer.Option(help="Let so many through first.", min=0)] = 0,
    after: Annotated[bool, typer.Option("--after", help="Do what was asked, then fail to answer.")] = False,
    files: Annotated[int, typer.Option(help="In a move: so many videos get through whole first.", min=0)] = 0,
    home: Home = None,
    form: Format = "text",
) -> None:
    """Make something go wrong.

    It does until it is healed or used up, or the server ends.
    """
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, 1)
        hint = f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(NAMES)}"
        raise typer.BadParameter(f"there is no fault {name!r}.{hint}", param_hint="NAME")
    given: dict[str, Any] = {
        "method": method,
        "path": path,
        "times": times,
        "skip": skip,
        "when": "after" if after else "before",
        "files": files,
    }
    try:
        Fault(name, **given)
        desk = _require(_desk(home))
        desk.control.break_(name, server=server, **given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except Unreachable as error:
        _fail(f"{error}. Start it: arr sandbox up")
    _tell(form, lambda: f"{name}: {NAMES[name]}", {"faults": desk.control.faults(server)})


@app.command(epilog="\b\nExamples:\n  arr sandbox heal\n  arr sandbox heal down --server radarr")
def heal(
    name: Annotated[str | None, typer.Argument(help="This fault only. [default: all]", show_default=False)] = None,
    server: Server = None,
    home: Home = None,
    form: Format = "text",
) -> None:
    """Make what was broken work again."""
    desk = _require(_desk(home))
    try:
        count = desk.control.heal(name, server=server)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    _tell(form, lambda: f"healed: {count}", {"healed": count})


def _require(desk: Desk) -> Desk:
    if desk.scenario is None:
        _fail(f"there is no sandbox in {desk.home}. Make one: arr sandbox up --home {desk.home}")
    return desk
