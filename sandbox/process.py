"""A stack: the servers of one world, each a process of its own over the world's disks.

    stack = Stack(home, world, backing="tmpfs")
    stack.start()                      # every server answers when this returns
    stack["sonarr"].url, stack["sonarr"].api_key
    stack.event({"make_file": {…}})    # the vocabulary of the recordings
    stack.kill("sonarr"); stack.start("sonarr")
    stack.control.break_("reset", server="sonarr", method="PUT", path="/api/v3/series/*", times=1, when="after")
    stack.control.requests("sonarr"); stack.control.heal()
    stack.close()                      # or: with Stack(home, "tiny") as stack: …

`world` may be the name of a scenario; faults and the log of requests are described in `faults` and `control`.

Servers that root starts run as nobody. Each keeps its port and its database across restarts, and ends with the process
that started it unless the stack is `detached`.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from sandbox import scenarios
from sandbox.control import Control
from sandbox.disks import state_folder
from sandbox.servarr.app import Timing
from sandbox.servarr.config import read_config, write_config
from sandbox.values import Json
from sandbox.world import World

START_LIMIT_S = 20.0
# Events that say what the recorder saw or waited for; they change nothing.
_TOLD = ("note", "wait", "tree", "hardlinked", "link_count_of", "process_exit_code", "start")
_CONFIG = {"AuthenticationMethod": "External"}


@dataclass
class Handle:
    """One server: where it listens and with which key. `process` is None while it does not run."""

    name: str
    app: str
    folder: Path
    port: int = 0
    api_key: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The base URL, with the URL base of its configuration."""
        return f"http://127.0.0.1:{self.port}{read_config(self.folder / 'config.xml').url_base}"

    @property
    def origin(self) -> str:
        """The URL without a URL base."""
        return f"http://127.0.0.1:{self.port}"


def servers_of(world: Json) -> list[Json]:
    """The servers of a world: its `servers`, or the one that a recording's world is about."""
    if "servers" in world:
        return [{**s, "app": s.get("app", s["name"])} for s in world["servers"]]
    return [{**{k: v for k, v in world.items() if k not in ("disks", "files")}, "name": world["app"]}]


class Stack:
    """The servers of one world under one home, which must not exist yet or be this world's from before."""

    def __init__(
        self,
        home: Path,
        world: Json | str,
        *,
        backing: str = "simulated",
        timing: Timing | None = None,
        detached: bool = False,
    ) -> None:
        self.home, self._detached = home.absolute(), detached
        world = scenarios.load(world) if isinstance(world, str) else world
        self.world = World(self.home, backing)
        self.handles: dict[str, Handle] = {}
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        fresh = not (self.home / ".servers").exists()
        if fresh:
            self.world.build(world)
        for spec in servers_of(world):
            folder = state_folder(self.home, spec["name"])
            if fresh:
                self._prepare(folder, spec, timing or Timing())
            config = read_config(folder / "config.xml")
            self.handles[spec["name"]] = Handle(spec["name"], spec["app"], folder, config.port, config.api_key)

        self.control = Control(self.home, lambda: list(self.handles))

    def __getitem__(self, name: str) -> Handle:
        return self.handles[name]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def servers(self) -> dict[str, Handle]:
        """The servers by name."""
        return self.handles

    def _prepare(self, folder: Path, spec: Json, timing: Timing) -> None:
        folder.mkdir()
        (folder / "server.json").write_text(json.dumps({**spec, "timing": asdict(timing)}))
        key = spec.get("api_key") or secrets.token_hex(16)
        given = {k: str(v) for k, v in spec.get("config", {}).items() if k not in ("Port", "ApiKey")}
        write_config(
            folder / "config.xml",
            {"Port": str(spec.get("port", 0)), "ApiKey": key, **_CONFIG, **given},
        )
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)

    # -- life of the servers

    def start(self, *names: str) -> Self:
        """Starts servers (all, when none is named) and returns when they answer; those that run are let run."""
        waiting = [h for h in self._named(names) if not _alive(h)]
        for handle in waiting:
            _forget(handle)
            handle.process = self._spawn(handle)
        for handle in waiting:
            self._await_ready(handle)
        for handle in self._named(names):
            _await_port(handle)
        return self

    def kill(self, *names: str) -> None:
        """SIGKILL: what was under way stays as it is."""
        self._end(signal.SIGKILL, names)

    def await_end(self, *names: str) -> None:
        """Waits until servers have ended by themselves, as after the fault `move-killed`. TimeoutExpired when they don't."""
        for handle in self._named(names):
            if handle.process is not None:
                handle.process.wait(START_LIMIT_S)

    def stop(self, *names: str) -> None:
        """SIGTERM, and waits for the end."""
        self._end(signal.SIGTERM, names)

    def restart(self, *names: str, how: str = "SIGTERM", config: dict[str, str] | None = None) -> None:
        """Ends servers and starts them again, with changes to their config.xml in between."""
        self._end(signal.Signals[how], names)
        for handle in self._named(names):
            if config:
                write_config(handle.folder / "config.xml", config)
        self.start(*names)

    def close(self) -> None:
        """Ends everything and unmounts the disks. The home stays, and can be opened again when it is simulated."""
        self._end(signal.SIGKILL, ())
        self.world.close()

    def leave(self) -> None:
        """Lets the servers of a detached stack run on, and forgets them here."""
        for handle in self.handles.values():
            if handle.process is not None and handle.process.stdout:
                handle.process.stdout.close()
                handle.process.returncode = 0  # it is not this process's child to wait for any more
            handle.process = None

    def dispose(self) -> None:
        """Ends everything and deletes the home."""
        self.close()
        self.world.dispose()

    def event(self, event: Json) -> None:
        """Does what an event of the recordings says, its keys in order. ValueError for one that is unknown."""
        for name, value in event.items():
            if name in _TOLD:
                continue
            if name == "killed":
                self.world.await_stall()
                self.kill()
            elif name == "started":
                self.start()
            elif name == "restarted":
                self.restart(how=value["how"], config={k: str(v) for k, v in value["config.xml changes"].items()})
            elif not self.world.event(name, value):
                raise ValueError(f"unknown event {name}")

    def violations(self) -> list[Json]:
        """What `validate` has found wrong in the servers' answers; nothing is looked for unless it is switched on."""
        logs = [h.folder / "violations.jsonl" for h in self.handles.values()]
        return [json.loads(line) for log in logs if log.exists() for line in log.read_text().splitlines()]

    def tree(self, roots: list[str]) -> list[Json]:
        """The files under these folders (see `World.tree`)."""
        return self.world.tree(roots)

    def settings(self, **values: Any) -> None:
        """Changes what the servers read as they go (see `World.set`)."""
        self.world.set(**values)

    def _named(self, names: tuple[str, ...]) -> list[Handle]:
        return [self.handles[n] for n in names] if names else list(self.handles.values())

    def _spawn(self, handle: Handle) -> subprocess.Popen[bytes]:
        here = Path(__file__).resolve().parent.parent
        path = os.pathsep.join([str(here), *filter(None, [os.environ.get("PYTHONPATH")])])
        tied = [] if self._detached else ["--tied"]
        command = [sys.executable, "-m", "sandbox", str(self.home), handle.name, *tied]
        output = (handle.folder / "output.txt").open("ab")
        with output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if self._detached else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            )

    def _await_ready(self, handle: Handle) -> None:
        """Reads the line a server prints when it listens: its port, which config.xml then keeps."""
        if handle.process is None or handle.process.stdout is None:
            raise RuntimeError(f"{handle.name} was not started")
        line = handle.process.stdout.readline()
        if not line:
            told = (handle.folder / "output.txt").read_text()[-2000:]
            raise RuntimeError(f"{handle.name} did not start: {told}")
        handle.port = int(line)
        write_config(handle.folder / "config.xml", {"Port": str(handle.port)})

    def _end(self, how: signal.Signals, names: tuple[str, ...]) -> None:
        for handle in self._named(names):
            process = handle.process
            if process is None:
                continue
            if process.poll() is None:
                os.killpg(process.pid, how)
            elif not self._detached:
                self._tell_of_end(handle, process.returncode)
            _forget(handle)

    def _tell_of_end(self, handle: Handle, code: int) -> None:
        """A server that nobody ended may be why a test failed: what it said last goes to stderr, which pytest shows."""
        said = (handle.folder / "output.txt").read_text(errors="replace")[-4000:]
        print(f"{handle.name} had ended by itself (exit {code}); its output:\n{said}", file=sys.stderr)


def _forget(handle: Handle) -> None:
    """Takes leave of a process that has ended, or is ending."""
    if handle.process is None:
        return
    handle.process.wait()
    for stream in (handle.process.stdin, handle.process.stdout):
        if stream:
            stream.close()
    handle.process = None


def _alive(handle: Handle) -> bool:
    return handle.process is not None and handle.process.poll() is None


def _await_port(handle: Handle) -> None:
    """Waits until the port takes connections: a server that restarts itself is away for a moment."""
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", handle.port), timeout=1).close()
        except OSError:
            if time.monotonic() > end or not _alive(handle):
                raise
            time.sleep(0.02)
        else:
            return
