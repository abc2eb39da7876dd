"""Calls, right and wrong: common options, help, suggestions, logs, colour, secrets, faults of the program itself."""

from __future__ import annotations

import ast
import json
import os
import signal
import socket
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from reconciler import registry
from reconciler.cli import main
from reconciler.connection import remember_secret
from reconciler.errors import Exit
from reconciler.session import Session
from tests.unit.cli.conftest import Desk, Terminal

HEAVY = (
    "httpx",
    "paramiko",
    "deepdiff",
    "sqlite_utils",
    "rich",
    "yaml",
    "pydantic.main",
    "reconciler.session",
    "resources",
)


@pytest.mark.parametrize("where", ["before", "after"])
def test_common_options_before_or_after(arr: Desk, where: str) -> None:
    """`arr --state X plan` is `arr plan --state X`."""
    option = ("--state", "elsewhere", "--desired", str(arr.wish))
    args = (*option, "plan") if where == "before" else ("plan", *option)
    assert arr(*args).code == Exit.OK
    assert Path("elsewhere").is_dir()
    assert not Path("state").exists()


def test_the_environment_names_them(arr: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """ARR_DESIRED may name several places, ARR_STATE one; an option wins."""
    second = arr.folder / "more.yaml"
    second.write_text("notes:\n  other: {connection: desk}\n")
    monkeypatch.setenv("ARR_DESIRED", os.pathsep.join([str(arr.wish), str(second)]))
    monkeypatch.setenv("ARR_STATE", "there")
    assert "2 resources" in arr("validate").out
    assert "1 resource " in arr("validate", "--desired", str(arr.wish)).out
    arr("plan")
    assert Path("there").is_dir()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("plna",), "Did you mean 'plan'?"),
        (("plan", "--targt", "x"), "--target"),
        (("plan", "--target", "notes"), "kind.name"),
        (("plan", "--target", "notes.nobody"), "notes.mine"),
        (("why",), "ITEM"),
        (("history", "--limit", "0"), "--limit"),
        (("show", "r000099"), "arr history"),
        (("apply", "no-such.json"), "--out"),
        (("doctor", "nobody"), "desk"),
        (("explain", "nots"), "notes"),
        (("init", "--connect", "folder"), "APP=URL"),
        (("plan", "--desired", "nowhere"), "nowhere"),
        (("plan", "--out", "no/such/folder/p.json"), "--out"),
        (("plan", "--log-file", "no/such/folder/log"), "log file"),
        ((), "Usage: arr"),
    ],
)
def test_a_wrong_call(arr: Desk, args: tuple[str, ...], told: str) -> None:
    """Every wrong call ends with 64, says what to write instead, and changes nothing."""
    result = arr(*args)
    assert result.code == Exit.USAGE
    assert told in result.err
    assert "Traceback" not in result.err
    assert arr.world() == {}


def test_a_wrong_level(arr: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """ARR_LOG is checked like any other input."""
    monkeypatch.setenv("ARR_LOG", "loud")
    result = arr("validate")
    assert (result.code, "debug, info, warning, error" in result.err) == (Exit.USAGE, True)


def test_an_invalid_desired_state(arr: Desk) -> None:
    """All problems at once, each with its place, line and caret; as JSON with numbers."""
    arr.wish.write_text(arr.wish.read_text().replace("prune: true", "prnue: true").replace("desk, ", "dsk, "))
    text = arr("validate")
    assert text.code == Exit.USAGE
    assert "desired/notes.yaml:6:5" in text.err
    assert "    prnue: true\n        ^" in text.err
    problems = json.loads(arr("validate", "--format", "json").out)["problems"]
    assert {(p["file"], p["line"]) for p in problems} >= {("desired/notes.yaml", 6)}


def test_a_fault_of_the_program(arr: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear line and where the details are; the details are in the log; no secret in either."""
    secret = remember_secret("s3cret-in-an-exception")

    def broken(self: Session) -> None:
        raise ZeroDivisionError(f"dividing {secret}")

    monkeypatch.setattr(Session, "validate", broken)
    plain = arr("validate")
    assert plain.code == Exit.ERROR
    assert "ZeroDivisionError" in plain.err
    assert "-vv" in plain.err
    assert "Traceback" not in plain.err
    loud = arr("validate", "-vv", "--log-file", "log.jsonl")
    assert "Traceback" in loud.err
    lines = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert any("ZeroDivisionError" in line.get("exception", "") for line in lines)
    assert all(secret not in text for text in (plain.err, loud.err, Path("log.jsonl").read_text()))


def test_the_log_file_is_private(arr: Desk) -> None:
    """Only its owner reads it."""
    arr("plan", "--log-file", "log.jsonl")
    assert Path("log.jsonl").stat().st_mode & 0o077 == 0


def test_quiet_applies_without_progress(arr: Desk) -> None:
    """-q: the report, and nothing on standard error."""
    result = arr("apply", "--yes", "-q")
    assert (result.code, result.err) == (Exit.OK, "")
    assert "2 done." in result.out


def test_progress_goes_to_standard_error(arr: Desk) -> None:
    """What a script reads from standard output is the report alone."""
    result = arr("apply", arr.short())
    assert "[1/2] create a" in result.err
    assert "[1/2]" not in result.out


def test_colour_only_on_a_terminal(arr: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colour, NO_COLOR and pipes do not, and the text is the same."""
    assert "\x1b" not in arr("history").out
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured, plain = Terminal(), Terminal()
    arr("apply", arr.short())
    monkeypatch.setattr(sys, "stdout", coloured)
    arr("history")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", plain)
    arr("history")
    assert "\x1b[" in coloured.getvalue()
    assert "\x1b" not in plain.getvalue()
    assert [line for line in plain.getvalue().splitlines() if line not in coloured.getvalue()][1:-1] == []


@pytest.mark.parametrize("name", main.COMMANDS)
def test_help(arr: Desk, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command has help that fits, with examples, and the line that the list of commands shows."""
    monkeypatch.setenv("COLUMNS", "80")
    result = arr(name, "--help")
    assert result.code == Exit.OK
    assert f"Examples:\n    arr {name}" in result.out
    assert main.COMMANDS[name] in " ".join(result.out.split())
    assert [line for line in result.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("arr pl", {"plan"}), ("arr plan --t", {"--target"}), ("arr plan --format ", {"text", "json", "markdown"})],
)
def test_completion(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, offered: set[str]
) -> None:
    """The shell is offered commands, options and values."""
    monkeypatch.setenv("_ARR_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))
    with pytest.raises(SystemExit):
        main.outcome([])
    assert set(capsys.readouterr().out.split()) == offered


def test_a_broken_package_costs_its_own_commands_only(arr: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of commands that cannot be loaded says so; help and all other commands work."""
    broken = EntryPoint("extra", "no_such_package.cli:app", "arr.commands")
    monkeypatch.setattr(registry, "commands", lambda: [broken])
    assert "extra" in arr("--help").out
    result = arr("extra", "up")
    assert result.code == Exit.ERROR
    assert "'extra'" in result.err
    assert "no_such_package" in result.err
    assert arr("validate").code == Exit.OK


def test_help_lists_the_groups_of_others(arr: Desk) -> None:
    """A group that another package brings stands in the list with what it is for."""
    assert "\n  sandbox" in arr("--help").out


def test_start_up_imports_nothing_heavy(tmp_path: Path) -> None:
    """`arr --help` loads neither the engine nor the libraries that only some commands need."""
    code = (
        "import sys; from reconciler.cli.main import outcome; outcome(['--help']); "
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ast.literal_eval(done.stdout.splitlines()[-1]) == []


def test_a_reader_that_has_had_enough(tmp_path: Path) -> None:
    """`arr … | head` ends without a word."""
    arr = Path(sys.executable).with_name("arr")
    shell = f"{arr} explain --format json | true"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stderr == ""


def test_init_never_overwrites(arr: Desk) -> None:
    """What is there stays to the letter; a new folder gets a valid first file."""
    before = arr.wish.read_bytes()
    kept = arr("init")
    assert (kept.code, arr.wish.read_bytes()) == (Exit.OK, before)
    assert sorted(p.name for p in arr.wish.parent.iterdir()) == ["notes.yaml"]
    new = arr("init", "--desired", "fresh")
    assert new.code == Exit.OK
    assert Path("fresh/stack.yaml").read_text().startswith("# yaml-language-server: $schema=../.arr/schema.json")
    assert arr("validate", "--desired", "fresh").code == Exit.OK
    assert json.loads(Path(".arr/schema.json").read_text())["properties"]["notes"]


def test_ctrl_c_while_a_server_is_slow(tmp_path: Path) -> None:
    """Ctrl-C during `arr plan` ends at once, whatever the servers do, and says so."""
    arr = Path(sys.executable).with_name("arr")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        (tmp_path / "desired").mkdir()
        (tmp_path / "desired" / "stack.yaml").write_text(
            "connections:\n"
            f"  tv: {{app: sonarr, url: 'http://127.0.0.1:{server.getsockname()[1]}', api_key: {{env: TV_KEY}}}}\n"
            "tag:\n  kids: {connections: [tv]}\n"
        )
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell runs with & ignores it
        with subprocess.Popen(
            [arr, "plan"], cwd=tmp_path, env={**os.environ, "TV_KEY": "0123456789"}, stderr=subprocess.PIPE, text=True
        ) as plan:
            signal.signal(signal.SIGINT, before)
            held, _ = server.accept()  # it has asked, and gets no answer
            with held:
                plan.send_signal(signal.SIGINT)
                _, told = plan.communicate(timeout=10)
    assert (plan.returncode, told) == (130, "Interrupted.\n")
