"""Planning what may go from a client with many torrents, against a script that asks about each: seven calls a torrent.

One simulated rtorrent (a process of its own) holds 1,000 or 10,000 torrents of ten files and two trackers each, behind its
Unix socket; one in twenty may go. `arr plan` runs as a process of its own; its wall seconds, peak memory and requests are
its own. The peer makes one connection a call, as SCGI has it, for name, ratio, completeness, time of finishing, label,
folder and trackers; its seconds are measured over a share of the torrents and scaled. They are also given for 5 ms a
call, which a seedbox at a distance of a few hundred kilometres needs. CPU seconds are of `arr` alone.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from multiprocessing.connection import Connection
from pathlib import Path

from sandbox.torrents.model import Torrent
from sandbox.torrents.rtorrent import Rtorrent

ARR = str(Path(sys.executable).with_name("arr"))
CALLS = ("d.name", "d.ratio", "d.complete", "d.timestamp.finished", "d.custom1", "d.directory", "t.multicall")
SHARE = 1000  # torrents that the peer really asks about
RUNS = 3
DESIRED = """
connections:
  rt: {{app: rtorrent, url: "{url}", timeout: 300s}}
torrent_retention:
  all:
    connection: rt
    delete: torrent
    may_go: {{any: [{{ratio: ">= 2.0"}}, {{seeded: ">= 400d"}}]}}
    trackers:
      blu: {{match: ["*.blu.example"], keep_until: {{ratio: ">= 1.05"}}}}
      red: {{match: ["*.red.example"], keep_until: {{ratio: ">= 0.5"}}}}
"""


def torrents(count: int) -> list[Torrent]:
    out = []
    for n in range(count):
        name = f"Some.Show.S{n % 30:02d}.1080p.WEB-DL.DDP5.1.H.264-GROUP{n:05d}"
        key = hashlib.sha256(name.encode()).hexdigest()
        out.append(
            Torrent(
                key[:40], name, "/home/me/downloads", [(f"{name}.E{e:02d}.mkv", 1_500_000_000 + e) for e in range(1, 11)],
                multi=True, label="tv-sonarr", ratio=2400 if n % 20 == 0 else 900 + n % 900,
                trackers=[f"https://t.blu.example/{key[:32]}/announce", f"https://t.red.example/{key[32:]}/announce"],
            )
        )  # fmt: skip
    return out


def serve(count: int, told: Connection) -> None:
    """The server's process: tells its URL, then how many requests it had, whenever it is asked."""
    with Rtorrent(torrents(count)) as server:
        told.send(server.url)
        while told.recv():
            told.send(server.requests)


def peer(url: str, hashes: list[str]) -> float:
    """Seconds for seven calls about each."""
    path = url.removeprefix("scgi://")
    begun = time.perf_counter()
    for info_hash in hashes:
        for name in CALLS:
            params = (info_hash, "", "t.url=") if name == "t.multicall" else (info_hash,)
            body = xmlrpc.client.dumps(params, name).encode()
            head = b"CONTENT_LENGTH\0%d\0SCGI\x001\0" % len(body)
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(path)
                line.sendall(b"%d:%s,%s" % (len(head), head, body))
                taken = b"".join(iter(lambda: line.recv(65536), b""))
            xmlrpc.client.loads(taken.partition(b"\r\n\r\n")[2])
    return time.perf_counter() - begun


def plan(folder: Path) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and peak bytes of one `arr plan`."""
    begun = time.perf_counter()
    env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")}
    with (folder / "out.txt").open("wb") as out:
        process = subprocess.Popen([ARR, "plan", "--format", "json"], cwd=folder, env=env, stdout=out, stderr=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (folder / "out.txt").read_text()[-2000:]
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def run(sizes: tuple[int, ...] = (1_000, 10_000)) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for count in sizes:
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(count, theirs), daemon=True)
        server.start()
        url = ours.recv()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "desired").mkdir()
            (folder / "desired" / "all.yaml").write_text(DESIRED.format(url=url))
            measured = [plan(folder) for _ in range(RUNS)]
            ours.send(True)
            requests = ours.recv() / RUNS
            hashes = [t.hash.upper() for t in torrents(count)[:SHARE]]
            calls = peer(url, hashes) * count / len(hashes)
        ours.send(False)
        server.join(10)
        wall = min(m[0] for m in measured)
        distant = len(CALLS) * count * 0.005
        rows.append(
            {
                "torrents": count,
                "arr plan, s": f"{wall:.2f}",
                "CPU s": f"{min(m[1] for m in measured):.2f}",
                "peak MB": f"{max(m[2] for m in measured) / 1e6:.0f}",
                "requests": f"{requests:g}",
                "7 calls each, s": f"{calls:.1f}",
                "ratio": f"1/{calls / wall:.0f}",
                "at 5 ms a call, s": f"{distant:.0f}",
                "ratio then": f"1/{distant / wall:.0f}",
            }
        )
    return rows
