"""A folder with a desired state over real torrent programs, and the real `arr` command run over it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ARR = str(Path(sys.executable).with_name("arr"))
ENV = {"QB_PASSWORD": "adminadmin", "TR_PASSWORD": "open sesame"}


class House:
    """`connections`: name → its YAML. Everything of the client's downloads is seen at the same path here."""

    def __init__(
        self, folder: Path, connections: dict[str, str], downloads: Path, env: dict[str, str] | None = None
    ) -> None:
        self.folder, self.downloads, self.env = folder, downloads, {**ENV, **(env or {})}
        self.desired = folder / "desired"
        self.desired.mkdir(parents=True)
        lines = "".join(f"  {name}: {told}\n" for name, told in connections.items())
        mapped = ", ".join(f"{name}: {downloads}" for name in connections)
        self.stack = f"connections:\n{lines}paths:\n  - {{here: {downloads}, {mapped}}}\n"

    def declare(self, wish: str, *, paths: bool = True, more: str = "") -> None:
        """The wish of `torrent_retention.seedbox`, as YAML lines without indentation."""
        stack = self.stack if paths else self.stack.partition("paths:")[0]
        (self.desired / "stack.yaml").write_text(stack + more)
        body = "".join(f"    {line}\n" for line in wish.strip().splitlines())
        (self.desired / "wish.yaml").write_text(f"torrent_retention:\n  seedbox:\n{body}")

    def arr(self, *args: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")}
        env |= {"NO_COLOR": "1", "COLUMNS": "100", **self.env}
        return subprocess.run(
            [ARR, *args], cwd=self.folder, env=env, text=True, capture_output=True, timeout=120, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def plan(self, expect: int = 0) -> Any:
        """The plan as JSON; its exit code is asserted."""
        done = self.arr("plan", "--format", "json")
        assert done.returncode == expect, done.stdout + done.stderr
        return json.loads(done.stdout)["plan"]

    def proposal(self, expect: int = 0) -> Any:
        """What is proposed for the one resource."""
        return self.plan(expect)["resources"][0]["proposal"]

    def apply(self, expect: int = 0) -> str:
        """Plan and apply what is planned, approved; what was printed."""
        plan = self.arr("plan", "--format", "json")
        made = json.loads(plan.stdout)["plan"]["id"]
        done = self.arr("apply", made, "--approve", made)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def state_text(self) -> str:
        """Every byte that the state keeps, as text."""
        return "".join(p.read_bytes().decode("latin-1") for p in (self.folder / "state").rglob("*") if p.is_file())


def verbs(proposal: Any) -> list[tuple[str, str]]:
    return [(a["verb"], a["subject"]["title"]) for a in proposal["actions"]]
