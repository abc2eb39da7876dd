"""Every command that the README shows runs: in a copy of the frame, with servers of the sandbox behind it, in bash."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stacks import Lab, lab

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

# What `$EDITOR` leaves behind: the wish of the example stack.
WISH = """
disks:
  d1: {roots: {sonarr: /data/d1/tv}, max: 80%}
  d2: {roots: {sonarr: /data/d2/tv}, max: 90%}
disk_fill:
  media: {disks: [d1, d2]}
"""
# How a command ends, where it is not with 0.
ENDS = {"arr apply 7k3f": 4}


def commands(block: str) -> list[str]:
    """Its lines, without their comments."""
    lines = (shlex.split(line, comments=True, posix=False) for line in block.splitlines())
    return [" ".join(words) for words in lines if words]


SHOWN = [command for block in BLOCKS for command in commands(block)]


def test_there_are_commands() -> None:
    assert len([c for c in SHOWN if c.startswith("arr ")]) >= 9
    assert [c for c in SHOWN if c.startswith("make ")] == ["make demo", "make test"]


@pytest.mark.parametrize("target", [c.split()[1] for c in SHOWN if c.startswith("make ")])
def test_make_targets_exist(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert re.search(rf"^\.PHONY:.*\b{target}\b", makefile, re.MULTILINE)


@dataclass
class Reader:
    """Somebody who follows the README, block by block, in a folder of their own."""

    lab: Lab
    home: Path

    def substitute(self, command: str) -> str:
        """With what differs from reader to reader: addresses, keys, ids, titles."""
        key = self.lab.env["SONARR_API_KEY"]
        for shown, mine in {
            "http://localhost:8989": self.lab.stack["sonarr"].url,
            "SONARR_API_KEY=…": f"SONARR_API_KEY={key}",
            "7k3f": self.short(),
            "r000012": "r000001",
            "The Expanse": "Borrowed Time",
            "arr sandbox up": "arr sandbox up --scenario tiny --port-base 0",
        }.items():
            command = command.replace(shown, mine)
        return command

    def short(self) -> str:
        told = self.home / "stack" / "short"
        return told.read_text().strip() if told.exists() else "7k3f"

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("ARR_", "SONARR_", "VIRTUAL_ENV"))}
        env |= {"HOME": str(self.home), "EDITOR": str(self.home / "editor"), "NO_COLOR": "1", "COLUMNS": "80"}
        env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
        return subprocess.run(
            ["bash", "-c", script], cwd=self.home, env=env, text=True, capture_output=True, check=False, timeout=120
        )


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with lab(tmp_path, "tiny") as found:
        home = tmp_path / "reader"
        home.mkdir()
        (home / ".venv").symlink_to(Path(sys.executable).parents[1])
        editor = home / "editor"
        editor.write_text(f"#!/bin/sh\ncat >> \"$1\" <<'END'{WISH}END\n")
        editor.chmod(0o755)
        yield Reader(found, home)


def test_the_first_plan_and_what_follows_it(reader: Reader) -> None:
    """The blocks in the order of the page; every command ends as it should, and the library is as it was at the end."""
    before = reader.lab.files()
    _, first, then = BLOCKS
    done = reader.run("set -eu\n" + "\n".join(map(reader.substitute, commands(first))))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Borrowed Time" in done.stdout
    folder = reader.home / "stack"
    (short,) = re.findall(r"Apply: arr apply (\w+)", done.stdout)
    (folder / "short").write_text(short)
    enter = f"cd {folder} && export SONARR_API_KEY={reader.lab.env['SONARR_API_KEY']} && "
    try:
        for command in commands(then):
            done = reader.run(enter + reader.substitute(command))
            assert done.returncode == ENDS.get(command, 0), command + done.stdout + done.stderr
            if command.startswith("arr undo"):
                (back,) = re.findall(r"Apply: arr apply (\w+)", done.stdout)
                assert re.search(r"^d1 .*%.*at most 80%", done.stdout, re.MULTILINE), done.stdout
                assert "the next plan may ask for all of this again" in " ".join(done.stdout.split())
                assert reader.run(f"{enter} arr apply {back} --approve {back}").returncode == 0
                assert reader.lab.files() == before
    finally:
        ended = reader.run(f"cd {folder} && arr sandbox down")
    assert ended.returncode == 0, ended.stderr


INLINE = sorted({c for c in re.findall(r"`(arr [^`]+)`", README) if c not in ("arr plan", "arr apply")})


@pytest.mark.parametrize("command", INLINE)
def test_commands_in_the_text_run(command: str, tmp_path: Path) -> None:
    """Those beside the two that the blocks run."""
    words = [{"FILE": "plan.json"}.get(word, word) for word in shlex.split(command)]
    (tmp_path / "desired").mkdir()
    (tmp_path / "desired" / "empty.yaml").write_text("")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("arr")), *words[1:]],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
