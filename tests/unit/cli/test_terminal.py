"""At a real terminal, with the real program over simulated servers: look, type yes, watch, look again."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ARR = str(Path(sys.executable).with_name("arr"))
PATIENCE = 60.0  # seconds without a character


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The tiny scenario, running; the environment that fits it, with its declaration in `desired/`."""
    home = tmp_path / "home"
    subprocess.run(
        [ARR, "sandbox", "up", "--scenario", "tiny", "--home", home, "--port-base", "0"],
        check=True,
        capture_output=True,
    )
    keys = dict(re.findall(r"^(?:export )?(\w+)=(\S+)$", (home / "sandbox.env").read_text(), re.MULTILINE))
    wish = tmp_path / "desired"
    wish.mkdir()
    (wish / "stack.yaml").write_text((home / "desired" / "stack.yaml").read_text())
    (wish / "tags.yaml").write_text("tag:\n  kids: {connections: [sonarr, radarr]}\n")
    try:
        yield {**os.environ, **keys, "TERM": "xterm-256color", "COLUMNS": "80"}
    finally:
        subprocess.run([ARR, "sandbox", "down", "--home", home], check=True, capture_output=True)


def at_terminal(folder: Path, env: dict[str, str], *args: str, types: str = "") -> tuple[int, str]:
    """Run `arr` on a terminal of its own; what is typed is typed once it is asked for."""
    master, slave = pty.openpty()
    with subprocess.Popen([ARR, *args], cwd=folder, env=env, stdin=slave, stdout=slave, stderr=slave) as arr:
        os.close(slave)
        seen = b""
        while select.select([master], [], [], PATIENCE)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:  # the other end is gone
                break
            if types and b"Type yes" in seen:
                os.write(master, types.encode())
                types = ""
        os.close(master)
    return arr.returncode, seen.decode()


def test_look_type_watch_look_again(tmp_path: Path, stack: dict[str, str]) -> None:
    """The plan in colour, the question, bars, the report; then nothing is left to do."""
    code, seen = at_terminal(tmp_path, stack, "apply", types="yes\n")
    assert code == 0, seen
    assert "\x1b[36mcreate" in seen
    assert "2 actions" in seen
    assert "2 done." in seen
    code, seen = at_terminal(tmp_path, {**stack, "NO_COLOR": "1"}, "plan")
    assert code == 0
    assert "Nothing to do." in seen
    assert "\x1b[" not in seen
