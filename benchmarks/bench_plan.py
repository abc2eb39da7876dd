"""Planning over large libraries, against a loop of one request a series, as the peers' scripts do it.

One simulated Sonarr holds 1,000 or 10,000 series of ten files each on four disks, one of them overfull; `arr plan` runs
as a process of its own. Wall seconds, peak memory and requests are of that process alone. The peer asks for one series
after the other over a kept connection; its seconds are also given for 5 ms a request, which a server in use needs.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sandbox.process import Stack

ARR = str(Path(sys.executable).with_name("arr"))
GB = 10**9
FILES = 10
FILE = 700_000_000
FULL = 0.04  # of the series lie on the overfull disk, with real (sparse) files
RUNS = 3

DESIRED = """
connections:
  sonarr: {{app: sonarr, url: "{url}", api_key: {{env: SONARR_API_KEY}}}}
disks:
{disks}
disk_fill:
  media: {{disks: [d0, d1, d2, d3]}}
"""


def world(series: int) -> dict[str, Any]:
    """Series as rows; those on the overfull disk also as files, so that a plan can prove what it would move."""
    rows, files, folders = [], [], []
    full = max(20, int(series * FULL))
    for n in range(series):
        disk, title = ("d0" if n < full else f"d{1 + n % 3}"), f"Series {n:05d}"
        path = f"/data/{disk}/tv/{title}"
        rows.append({"title": title, "path": path, "files": FILES, "size": FILE})
        folders.append(path)
        if n < full:
            names = (f"{title} - S01E{e:02d} - HDTV-720p.mkv" for e in range(1, FILES + 1))
            files += [{"path": f"{path}/Season 1/{name}", "size": FILE} for name in names]
    size = full * FILES * FILE
    other = (series - full) * FILES * FILE // 3
    disks = [{"path": "/data/d0", "size": int(size / 0.93)}]
    disks += [{"path": f"/data/d{d}", "size": int(other / (0.6 - d / 50)), "reserved": other} for d in (1, 2, 3)]
    roots = [f"/data/d{d}/tv" for d in range(4)]
    server = {"name": "sonarr", "app": "sonarr", "rows": {"series": rows, "rootFolders": roots}}
    return {"disks": disks, "files": files, "folders": [*roots, *folders], "servers": [server]}


def desired(stack: Stack, disks: list[dict[str, Any]]) -> str:
    """The wish over `disks`, whose sizes are declared: a simulated disk is no mount that the app would list."""
    lines = [f"  {d['path'][6:]}: {{roots: {{sonarr: {d['path']}/tv}}, max: 90%, size: {d['size']} B}}" for d in disks]
    return DESIRED.format(url=stack["sonarr"].url, disks="\n".join(lines))


def measured(folder: Path, env: dict[str, str]) -> tuple[float, float, float, dict[str, Any]]:
    """`arr plan`: wall seconds, CPU seconds, peak MB, and the plan."""
    start = time.monotonic()
    with (folder / "out.json").open("wb") as out:
        process = subprocess.Popen([ARR, "plan", "--format", "json"], cwd=folder, env=env, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    plan = json.loads((folder / "out.json").read_text())
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6, plan["plan"]


def one_by_one(stack: Stack, series: int) -> float:
    """Seconds of one request a series."""
    handle = stack["sonarr"]
    connection = http.client.HTTPConnection("127.0.0.1", handle.port)
    start = time.monotonic()
    for n in range(1, series + 1):
        connection.request("GET", f"/api/v3/series/{n}", headers={"X-Api-Key": handle.api_key})
        connection.getresponse().read()
    connection.close()
    return time.monotonic() - start


def case(series: int) -> dict[str, Any]:
    """One size: the best of a few runs, with the requests of one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = world(series)
        with Stack(folder / "home", made) as stack:
            (folder / "desired").mkdir()
            (folder / "desired" / "wish.yaml").write_text(desired(stack, made["disks"]))
            # As it is installed: pip compiles every module, a work tree may be told not to.
            env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
            env |= {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "SONARR_API_KEY": stack["sonarr"].api_key}
            runs = []
            for _ in range(RUNS):
                stack.control.clear()
                runs.append(measured(folder, env))
            requests = stack.control.requests("sonarr")
            peer = one_by_one(stack, series)
    wall, cpu, peak, plan = min(runs, key=lambda r: r[0])
    moves = len(plan["resources"][0]["proposal"]["actions"])
    return {
        "series": series,
        "files": series * FILES,
        "moves": moves,
        "wall s": round(wall, 2),
        "CPU s": round(cpu, 2),
        "peak MB": round(peak),
        "requests": len(requests),
        "of them for moves": len([r for r in requests if "filesystem" in r["path"] or "episodefile" in r["path"]]),
        "one by one: s": round(peer, 1),
        "ratio": round(peer / wall, 1),
        "at 5 ms a request": round(series * 0.005 / wall, 1),
    }


def run() -> list[dict[str, Any]]:
    """Rows for both sizes, and the exponent of growth between them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    small, large = case(1_000), case(10_000)
    growth = math.log(large["wall s"] / small["wall s"]) / math.log(10)
    return [small, large | {"growth": f"n^{growth:.2f}"}]


def main() -> None:
    for row in run():
        print(row)


if __name__ == "__main__":
    main()
