"""A sandbox stack with a desired folder and a state beside it, and the real `arr` command run over them.

with lab(tmp_path, tiny.world()) as lab:
    lab.declare("disk_fill:\n  media: {…}")
    done = lab.arr("plan")
    assert done.returncode == 0
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.process import Stack

ARR = str(Path(sys.executable).with_name("arr"))


@dataclass
class Lab:
    """Everything of one test. `env` holds the servers' keys, as `<NAME>_API_KEY`."""

    folder: Path
    stack: Stack
    env: dict[str, str] = field(default_factory=dict)

    @property
    def desired(self) -> Path:
        return self.folder / "desired"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def connections(self) -> str:
        """The section that declares every server of the stack."""
        return "connections:\n" + "".join(
            f"  {name}: {{app: {h.app.partition('-')[0]}, url: '{h.url}', api_key: {{env: {_variable(name)}}}}}\n"
            for name, h in self.stack.handles.items()
        )

    def declare(self, text: str, name: str = "wish.yaml") -> None:
        """Write `text` into the desired folder, with the connections beside it."""
        self.desired.mkdir(exist_ok=True)
        (self.desired / "stack.yaml").write_text(self.connections())
        (self.desired / name).write_text(text)

    def popen(self, *args: str, **more: Any) -> subprocess.Popen[str]:
        """Start `arr ARGS` in the lab's folder."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")}
        env |= {"NO_COLOR": "1", "COLUMNS": "80", **self.env, **more.pop("env", {})}
        return subprocess.Popen(
            [ARR, *args],
            cwd=self.folder,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )

    def arr(self, *args: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run `arr ARGS` to its end (two minutes at most)."""
        with self.popen(*args, **more) as process:
            out, err = process.communicate(timeout=120)
            return subprocess.CompletedProcess([ARR, *args], process.returncode, out, err)

    def json(self, *args: str, **more: Any) -> Any:
        """The JSON that `arr ARGS --format json` prints."""
        done = self.arr(*args, "--format", "json", **more)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"no JSON: {done.stdout!r} {done.stderr!r}") from None

    def files(self) -> dict[str, int]:
        """Every file of the world's disks with its size."""
        disks = sorted(f"/data/{p.name}" for p in (self.stack.home / "data").iterdir())
        return {f["path"]: f["size"] for f in self.stack.tree(disks)}


def _variable(name: str) -> str:
    return f"{name.upper().replace('-', '_')}_API_KEY"


@contextmanager
def lab(folder: Path, world: dict[str, Any] | str, **options: Any) -> Iterator[Lab]:
    """A running stack of `world` under `folder`, ended and unmounted at the end."""
    folder.chmod(0o755)
    stack = Stack(folder / "home", world, **options)
    try:
        stack.start()
        env = {_variable(name): handle.api_key for name, handle in stack.handles.items()}
        yield Lab(folder, stack, env)
    finally:
        stack.close()


TINY = """
disks:
  d1: {roots: {sonarr: /data/d1/tv, radarr: /data/d1/movies}, max: 80%}
  d2: {roots: {sonarr: /data/d2/tv, radarr: /data/d2/movies}, max: 90%}
  d3: {roots: {sonarr: /data/d3/tv, radarr: /data/d3/movies}, max: 90%}
disk_fill:
  media: {disks: [d1, d2, d3]}
"""
