"""`python -m sandbox HOME NAME [--tied]`: one server of a stack, as a process.

Started by `process.Stack`, never by hand. The process first takes all it needs with the rights it has, then becomes
nobody when it is root, then serves in a child that it starts again whenever the server asks for a restart of itself, or
the child got a SIGHUP: it then finds what lies in its home now.
`--tied`: ends when the starter is gone.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 - the resolver loads it late, when nobody may no longer read it
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.control import ControlServer
from sandbox.disks import state_folder
from sandbox.faults import Faults
from sandbox.http import Server as HttpServer
from sandbox.listening import Listener
from sandbox.servarr.app import App, Server, Timing
from sandbox.servarr.config import read_config, write_config

RESTART = 3
APPS = {
    "sonarr": "sandbox.sonarr.app:Sonarr4",
    "sonarr-v5": "sandbox.sonarr.app:Sonarr5",
    "radarr": "sandbox.radarr.app:Radarr6",
}


def find_app(app: str, version: str) -> type[App]:
    """The class of an app; a Sonarr whose version begins with 5 is Sonarr 5."""
    name = "sonarr-v5" if app == "sonarr" and version.startswith("5") else app
    module, _, cls = APPS[name].partition(":")
    found: type[App] = getattr(importlib.import_module(module), cls)
    return found


def main(arguments: list[str]) -> int:
    """Serves until killed; the exit status says nothing."""
    home, name = Path(arguments[0]), arguments[1]
    os.chdir(home)
    folder = state_folder(Path(), name)
    spec = json.loads((folder / "server.json").read_text())
    app = find_app(spec["app"], spec.get("version", "4"))
    watch = _watch(spec["app"], folder)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    os.umask(0o022)
    threading.excepthook = _give_up
    downtime = float(spec.get("restart_s", 1.0))
    while True:
        worker = os.fork()
        if worker == 0:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who starts us with nohup has it ignored
            if "--tied" in arguments:
                threading.Thread(target=_end_with_starter, daemon=True).start()
            _serve(app, folder, spec, watch)
        _, status = os.waitpid(worker, 0)
        if os.waitstatus_to_exitcode(status) not in (RESTART, -signal.SIGHUP):
            return 1
        time.sleep(downtime)


def _watch(app: str, folder: Path) -> Callable[[HttpServer], None]:
    """What checks a server's answers against its document, when the environment asks for it."""
    specs = os.environ.get("ARR_SANDBOX_SPECS")
    if not specs:
        return lambda _server: None
    validate = importlib.import_module("sandbox.validate")
    validator = validate.Validator(Path(specs), app)
    return lambda server: validate.watch(server, validator, folder / validate.VIOLATIONS)


def _serve(app_class: type[App], folder: Path, spec: dict[str, object], watch: Callable[[HttpServer], None]) -> None:
    timing = Timing(**spec["timing"])  # type: ignore[arg-type]
    app = app_class(
        Server(
            name=str(spec["name"]),
            app=str(spec["app"]),
            version=str(spec.get("version", "")) or app_class.VERSION,
            home=Path(),
            folder=folder,
            world=dict(spec),
            timing=timing,
        )
    )
    port = read_config(folder / "config.xml").port

    def prepare(server: HttpServer) -> None:
        watch(server)
        server.after.append(faults.after)

    faults = Faults(app)
    listener = Listener(app, port, prepare)
    faults.listen = listener.listen
    app.interceptors.append(faults.before)
    app.transfer.watch = faults
    ControlServer(faults, folder, lambda: os._exit(0))
    if not port:
        write_config(folder / "config.xml", {"Port": str(app.port)})
    app.restart = lambda: threading.Timer(0.1, os._exit, (RESTART,)).start()
    app.run()
    listener.serve()
    with contextlib.suppress(BrokenPipeError):  # whoever started a detached server may be gone by its next start
        print(app.port, flush=True)
    threading.Event().wait()


def _give_up(told: threading.ExceptHookArgs) -> None:
    """A fault of the sandbox itself in a thread ends the server: tests must not wait for what never comes."""
    sys.__excepthook__(told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback)
    sys.stderr.flush()
    os._exit(1)


def _end_with_starter() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
