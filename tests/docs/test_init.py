"""`arr init`, with the kinds that are there: its comments hold when they are uncommented, and git gets only what is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ARR = str(Path(sys.executable).with_name("arr"))
EXAMPLES = r"# (disks:|  d\d: |protect: |guards: |disk_fill:|  media: )"


def arr(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")}
    return subprocess.run([ARR, *args], cwd=folder, env=env, text=True, capture_output=True, check=False)


def test_the_comments_are_a_first_wish(tmp_path: Path) -> None:
    assert arr(tmp_path, "init", "--connect", "sonarr=http://localhost:8989").returncode == 0
    file = tmp_path / "desired" / "stack.yaml"
    text = file.read_text()
    assert max(map(len, text.splitlines())) <= 110
    file.write_text(re.sub(rf"^{EXAMPLES}", r"\1", text, flags=re.MULTILINE))
    done = arr(tmp_path, "validate")
    assert done.returncode == 0, done.stderr
    assert "1 resource (1 disk_fill)" in done.stdout


def test_every_server_to_begin_with_is_written_so_that_it_is_accepted(tmp_path: Path) -> None:
    given = ("sonarr=http://localhost:8989", "rtorrent=scgi:///run/rtorrent.socket", "sftp=me@box.example")
    done = arr(tmp_path, "init", *(word for one in given for word in ("--connect", one)))
    assert done.returncode == 0, done.stderr
    done = arr(tmp_path, "validate")
    assert done.returncode == 0, done.stdout + done.stderr
    refused = arr(tmp_path, "init", "--connect", "sftp=box.example")
    assert refused.returncode == 64 and "USER@HOST" in refused.stderr


def test_git_gets_what_is_written_and_nothing_that_is_made(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    arr(tmp_path, "init")
    assert arr(tmp_path, "plan").returncode == 0
    assert (tmp_path / "state").is_dir()
    seen = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=tmp_path, text=True, capture_output=True, check=True
    )
    assert seen.stdout.split() == [".gitignore", "desired/stack.yaml"]


def test_a_gitignore_of_yours_stays_and_you_are_told(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.swp\nstate\n")
    done = arr(tmp_path, "init")
    assert (tmp_path / ".gitignore").read_text() == "*.swp\nstate\n"
    assert "Put into .gitignore, if this folder is kept in git: /.arr/" in done.stdout
