"""A sandbox on a user's machine: one home with a scenario, whose servers run on after the command that started them.

Used by `arr sandbox` alone. `<home>/world` is the stack's home; beside it are `scenario.json` (what was asked for),
`sandbox.env` (the keys, for a shell) and `desired/stack.yaml` (connections and disks that fit).
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import time
from pathlib import Path

from sandbox import scenarios
from sandbox.control import Control
from sandbox.disks import Disks
from sandbox.process import Handle, Stack
from sandbox.values import Json

PORT_BASE = 10_000
_OWN_PORTS = {"sonarr": 8989, "radarr": 7878}
_END_LIMIT_S = 10.0


class PortTaken(Exception):
    """Another process listens where a server should."""

    def __init__(self, server: str, port: int) -> None:
        super().__init__(f"port {port} for {server} is taken")
        self.server, self.port = server, port


class Desk:
    """The sandbox in one home, which may not exist yet (`scenario` is None then)."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self._note = self.home / "scenario.json"
        self.env_file, self.desired_file = self.home / "sandbox.env", self.home / "desired" / "stack.yaml"
        noted: Json = {}
        with contextlib.suppress(FileNotFoundError):
            noted = json.loads(self._note.read_text())
        self.scenario: str | None = noted.get("scenario")
        self.port_base: int = noted.get("port_base", PORT_BASE)
        self._names: list[str] = noted.get("servers", [])
        self.control = Control(self.home / "world", lambda: self._names)

    def up(self, scenario: str, port_base: int | None) -> None:
        """Makes the world when there is none, and starts what does not run. PortTaken, OSError."""
        world = scenarios.load(scenario)
        if self.scenario is None:
            self.port_base = PORT_BASE if port_base is None else port_base
            _give_ports(world["servers"], self.port_base)
            self.home.mkdir(parents=True, exist_ok=True)
        stack = Stack(self.home / "world", world, detached=True)
        self.scenario, self._names = scenario, list(stack.servers)
        note = {"scenario": scenario, "port_base": self.port_base, "servers": self._names}
        self._note.write_text(json.dumps(note))
        waiting = [name for name in self._names if not self.control.reachable(name)]
        for name in waiting:
            _require_free(stack[name])
        if waiting:
            stack.start(*waiting)
            stack.leave()
        self._write_files(world, stack)

    def down(self) -> list[str]:
        """Ends the servers that run, and waits for it; gives their names."""
        running = [name for name in self._names if self.control.reachable(name)]
        for name in running:
            self.control.stop(name)
        end = time.monotonic() + _END_LIMIT_S
        while any(self.control.reachable(name) for name in running) and time.monotonic() < end:
            time.sleep(0.02)
        return running

    def discard(self) -> None:
        """Ends the servers and deletes the world; the home stays."""
        self.down()
        if self.scenario is not None:
            Stack(self.home / "world", self.scenario).dispose()
        for path in (self._note, self.env_file):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.desired_file.parent, ignore_errors=True)
        self.scenario, self._names = None, []

    def status(self) -> Json:
        """Servers with their URLs and faults, disks with their sizes and free bytes."""
        stack = Stack(self.home / "world", self.scenario or "")
        running = {name: self.control.reachable(name) for name in self._names}
        servers = [
            {
                "name": name,
                "app": handle.app,
                "url": handle.url,
                "running": running[name],
                "key": _variable(name),
                "faults": self.control.faults(name) if running[name] else [],
            }
            for name, handle in stack.servers.items()
        ]
        disks = Disks(self.home / "world")
        listed = [{"path": d.path, "size": d.size, "free": disks.free(d.path)} for d in disks.all()]
        return {"home": str(self.home), "scenario": self.scenario, "servers": servers, "disks": listed}

    def _write_files(self, world: Json, stack: Stack) -> None:
        lines = [f"export {_variable(name)}={handle.api_key}" for name, handle in stack.servers.items()]
        self.env_file.touch(mode=0o600)
        self.env_file.write_text("\n".join(lines) + "\n")
        self.desired_file.parent.mkdir(exist_ok=True)
        self.desired_file.write_text(_desired(world, stack))


def _variable(server: str) -> str:
    return f"{server.upper().replace('-', '_')}_API_KEY"


def _give_ports(servers: list[Json], base: int) -> None:
    """Ports that keep the apps' own last digits; a second server of an app takes the next one."""
    taken: set[int] = set()
    for server in servers:
        port = base + _OWN_PORTS[server["app"]] if base else 0
        while port in taken:
            port += 1
        if port:
            taken.add(port)
            server["port"] = port


def _require_free(handle: Handle) -> None:
    if not handle.port:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", handle.port))
        except OSError:
            raise PortTaken(handle.name, handle.port) from None


def _desired(world: Json, stack: Stack) -> str:
    """Connections and disks of a scenario as a desired-state file."""
    lines = ["# Connections to this sandbox. Before use:  . sandbox.env", "connections:"]
    for name, handle in stack.servers.items():
        lines.append(f'  {name}: {{app: {handle.app}, url: "{handle.url}", api_key: {{env: {_variable(name)}}}}}')
    lines.append("disks:")
    for disk in world["disks"]:
        roots = [
            f"{server['name']}: {root}"
            for server in world["servers"]
            for root in server["seed"]["rootFolders"]
            if root.startswith(disk["path"] + "/")
        ]
        name = disk["path"].rpartition("/")[2]
        lines.append(f"  {name}: {{roots: {{{', '.join(roots)}}}, max: 85%}}")
    return "\n".join(lines) + "\n"
