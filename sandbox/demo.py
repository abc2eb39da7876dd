"""`make demo`: the main job, watched. A simulated Sonarr and Radarr start; `arr` plans, applies and plans again.

It runs the very commands a user would type, against `desired/library`, and prints each before it runs it. Everything it makes
lies in `.sandbox/demo` and is left there to look at; the servers are stopped at the end.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".sandbox" / "demo"
DESIRED = "desired/library"
ARR = str(Path(sys.executable).with_name("arr"))


def say(text: str) -> None:
    """One line of the story, set apart from what the commands print."""
    bold = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(f"\n\033[1m{text}\033[0m" if bold else f"\n{text}", flush=True)


def arr(*args: str, env: dict[str, str], expect: tuple[int, ...] = (0,), quiet: bool = False) -> str:
    """Show and run `arr ARGS`; its output when `quiet`. Ends the demo when it returns what it should not."""
    if not quiet:
        say(f"$ arr {' '.join(args)}")
    pipe = subprocess.PIPE if quiet else None
    done = subprocess.run([ARR, *args], cwd=ROOT, env=env, stdout=pipe, text=True, check=False)
    if done.returncode not in expect:
        sys.exit(f"arr {' '.join(args)} ended with {done.returncode}, not with {' or '.join(map(str, expect))}")
    return done.stdout or ""


def environment(text: str) -> dict[str, str]:
    """The variables of a `sandbox.env` file (`export NAME=value`)."""
    lines = [line.removeprefix("export ") for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return {name: value.strip("'\"") for name, _, value in (line.partition("=") for line in lines)}


def taken() -> list[int]:
    """The ports of desired/library/stack.yaml at which somebody answers already."""
    ports = re.findall(r"http://127\.0\.0\.1:(\d+)", (ROOT / DESIRED / "stack.yaml").read_text())
    found = []
    for port in map(int, ports):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


def moved(env: dict[str, str]) -> None:
    """A copy of desired/library with the addresses of the demo's own servers."""
    told = json.loads(arr("sandbox", "status", "--home", str(HOME / "stack"), "--format", "json", env=env, quiet=True))
    shutil.copytree(ROOT / DESIRED, HOME / "desired")
    stack = HOME / "desired" / "stack.yaml"
    text = stack.read_text()
    for server in told["servers"]:
        text = re.sub(rf'({server["name"]}: .*?)http://[^"]*', rf"\1{server['url']}", text)
    stack.write_text(text)


def main() -> None:
    """The story, from an overfull disk to an empty plan."""
    env = {**os.environ, "ARR_DESIRED": DESIRED, "ARR_STATE": str(HOME / "state")}
    up: tuple[str, ...] = ("sandbox", "up", "--home", str(HOME / "stack"))
    subprocess.run(
        [ARR, "sandbox", "down", "--home", str(HOME / "stack")], cwd=ROOT, env=env, capture_output=True, check=False
    )
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    busy = taken()
    if busy:
        desired = (HOME / "desired").relative_to(ROOT)
        say(f"Somebody answers at port {busy[0]} already: a sandbox that you started? It is left alone.")
        print(f"The demo takes other ports, and {desired}, a copy of {DESIRED}/ that names them.")
        up, env["ARR_DESIRED"] = (*up, "--port-base", "0"), str(desired)
    say("A simulated Sonarr and Radarr, with 120 shows and 300 movies on four disks:")
    arr(*up, env=env)
    try:
        env |= environment((HOME / "stack" / "sandbox.env").read_text())
        if busy:
            moved(env)
        say(f"What should be is written in {DESIRED}/. What is not so, and what would be done about it:")
        arr("plan", env=env, expect=(0, 2))
        plan = json.loads(arr("plan", "--format", "json", env=env, quiet=True, expect=(0, 2)))
        short = plan["plan"]["id"][:8]
        say("The first time that anything is moved, exactly that plan has to be approved:")
        arr("apply", short, "--approve", short, env=env)
        say("And again: is there anything left to do?")
        arr("plan", env=env)
        arr("history", env=env)
        say(f"Look around: {env['ARR_DESIRED']}/ is what was wanted, {HOME.relative_to(ROOT)} what was made.")
    finally:
        subprocess.run([ARR, "sandbox", "down", "--home", str(HOME / "stack")], cwd=ROOT, env=env, check=False)


if __name__ == "__main__":
    main()
