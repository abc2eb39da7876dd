"""Transfer against its peers: `lftp mirror -P 6 --use-pget-n=8`, `rclone copy` and OpenSSH's `sftp`, from one real sshd.

Three sets (one file of 1 GiB, 6 of 200 MiB, 2,000 of 20 KiB), on loopback and over a link of 50 ms round trip and 1 Gbit/s
between two network namespaces. `arr` is the transfer of a release as the kind does it, with segment map, flush and the
listing of before and after, sizes verified; `arr, checksum` reads every byte once more on both ends, which no peer does.
`ratio` is to lftp's time in this run. Peak memory is of the process with its children, CPU seconds as well.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WAN = ROOT.parent / "shared" / "tools" / "wan.sh"
SETS = {"big": (1, 1 << 30), "mid": (6, 200 << 20), "small": (2000, 20 << 10)}
CASES = ("lftp", "arr", "arr, checksum", "rclone", "sftp")
LIMIT = 130  # seconds; what takes longer did not finish
CLIENT, SERVER, ADDRESS = "wcli", "wsrv", "10.77.0.1"


@dataclass(frozen=True)
class Link:
    """Where the server is: the words before commands of either side, and its address."""

    name: str
    address: str
    client: tuple[str, ...] = ()
    server: tuple[str, ...] = ()


@contextmanager
def far() -> Iterator[Link | str]:
    """The slow link, or why there is none."""
    lacks = [tool for tool in ("ip", "gcc", "bash") if shutil.which(tool) is None]
    if not WAN.exists() or lacks or os.getuid() != 0:
        yield f"no slow link: needs {WAN.name}, root, gcc and iproute2"
        return
    with tempfile.TemporaryDirectory(prefix="wan") as run:
        env = {**os.environ, "WAN_RUN": run}
        up = subprocess.run(
            ["bash", str(WAN), "up", "25", "1000", "50", "0"], env=env, check=False, capture_output=True
        )
        try:
            if up.returncode != 0:
                yield f"no slow link: {up.stderr.decode().strip()[-200:]}"
            else:
                yield Link("50 ms", ADDRESS, ("ip", "netns", "exec", CLIENT), ("ip", "netns", "exec", SERVER))
        finally:
            subprocess.run(["bash", str(WAN), "down"], env=env, check=False, capture_output=True)


class Server:
    """sshd with keys of its own. `folder` holds everything; the sets lie in `folder/data`."""

    def __init__(self, folder: Path, link: Link) -> None:
        self.folder, self.link = folder, link
        with socket.socket() as free:
            free.bind(("", 0))
            self.port = free.getsockname()[1]
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        if sshd is None:
            raise SystemExit("no sshd here: apt-get install openssh-server")
        Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("host", "user"):
            if not (folder / name).exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        (folder / "authorized").write_text((folder / "user.pub").read_text())
        (folder / "known").write_text(f"[{link.address}]:{self.port} {(folder / 'host.pub').read_text()}")
        config = [
            f"Port {self.port}",
            f"ListenAddress {link.address}",
            f"HostKey {folder}/host",
            f"AuthorizedKeysFile {folder}/authorized",
            f"PidFile {folder}/pid",
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin yes",
            "MaxStartups 200:30:400",
            f"SetEnv HOME={folder}",  # no shell start-up files of whoever measures
            "Subsystem sftp /usr/lib/openssh/sftp-server",
        ]
        (folder / "config").write_text("\n".join(config) + "\n")
        command = [*link.server, sshd, "-D", "-e", "-f", str(folder / "config")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(1)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def make(folder: Path) -> None:
    """The sets, of bytes that no compression makes smaller."""
    block = os.urandom(1 << 20)
    for name, (count, size) in SETS.items():
        target = folder / "data" / name
        if target.exists():
            continue
        target.mkdir(parents=True)
        for n in range(count):
            with (target / f"file{n:05}.bin").open("wb") as file:
                left = size
                while left > 0:
                    piece = n.to_bytes(4, "big") + left.to_bytes(8, "big") + block[12 : min(left, len(block))]
                    file.write(piece[:left])
                    left -= len(piece)


def command(case: str, server: Server, name: str, to: Path) -> list[str]:
    folder, host, user = server.folder, server.link.address, os.environ.get("USER", "root")
    options = [
        "-o",
        f"UserKnownHostsFile={folder}/known",
        "-o",
        f"IdentityFile={folder}/user",
        "-o",
        "IdentitiesOnly=yes",
    ]
    source = f"{folder}/data/{name}"
    if case == "lftp":
        ssh = " ".join(["ssh", "-a", "-x", *options])
        script = f'set sftp:connect-program "{ssh}"; mirror -P 6 --use-pget-n=8 {source} {to}/{name}; exit'
        return ["lftp", "-e", script, f"sftp://{user}:x@{host}:{server.port}"]
    if case == "rclone":
        remote = (
            f":sftp,host={host},port={server.port},user={user},key_file={folder}/user,known_hosts_file={folder}/known:"
        )
        return ["rclone", "copy", "--config", "/dev/null", "-q", f"{remote}{source}", f"{to}/{name}"]
    if case == "sftp":
        return ["sftp", "-q", "-r", "-P", str(server.port), *options, f"{user}@{host}:{source}", str(to)]
    verify = "checksum" if "checksum" in case else "size"
    return [
        sys.executable,
        "-m",
        "benchmarks.bench_transfer",
        "--bring",
        str(folder),
        host,
        str(server.port),
        name,
        str(to),
        verify,
    ]


def bring(folder: str, host: str, port: str, name: str, to: str, verify: str) -> None:
    """One release, as the kind brings it. Runs in a process of its own."""
    from reconciler.clock import SystemClock  # noqa: PLC0415
    from resources.clients.sftp import APP, SftpSpec  # noqa: PLC0415
    from resources.seedbox_transfer.bring import Order  # noqa: PLC0415
    from resources.seedbox_transfer.bring import bring as transfer  # noqa: PLC0415

    said = {
        "app": "sftp",
        "host": host,
        "port": int(port),
        "user": os.environ.get("USER", "root"),
        "key": f"{folder}/user",
    }
    spec = SftpSpec.model_validate({**said, "known_hosts": f"{folder}/known"})
    client = APP.open("seedbox", spec, access="write", clock=SystemClock())
    order = Order("seedbox", f"{folder}/data/{name}", name, to, verify=verify)
    failed = transfer(client, order, lambda _bytes: None, lambda: False)  # type: ignore[arg-type]
    client.close()
    if failed is not None:
        raise SystemExit(failed.says)


def measure(case: str, server: Server, name: str, to: Path) -> dict[str, float] | str:
    """Seconds, CPU seconds and peak memory (MB) of one transfer, checked byte by byte; or why there is no figure."""
    words = command(case, server, name, to)
    if shutil.which(words[0]) is None:
        return f"no {words[0]} here"
    runner = [sys.executable, "-m", "benchmarks.bench_transfer", "--run", json.dumps([*server.link.client, *words])]
    done = subprocess.run(runner, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip()[-120:] or "it failed"
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    same = subprocess.run(
        ["diff", "-rq", f"{server.folder}/data/{name}", f"{to}/{name}"], check=False, capture_output=True
    )
    return told if same.returncode == 0 else "it brought something else"


def run_one(words: list[str]) -> None:
    """Run a command to its end and print what it took; its children's memory is sampled, because theirs counts too."""
    begun = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(_memory(pid) for pid in _family(process.pid)))
            if time.perf_counter() - begun > LIMIT:
                process.kill()
                raise SystemExit(f"did not finish in {LIMIT} s")
            time.sleep(0.05)
        seconds = time.perf_counter() - begun
    if process.returncode != 0:
        raise SystemExit(f"it ended with {process.returncode}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "memory": peak / 1e6}))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(found for child in children for found in _family(int(child)))]


def _memory(pid: int) -> int:
    """Proportional memory: what processes share counts once."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _rows(link: Link, folder: Path, names: list[str], cases: list[str], rounds: int) -> Iterator[dict[str, object]]:
    server = Server(folder, link)
    try:
        for name in names:
            found: dict[str, list[dict[str, float]]] = {}
            failed: dict[str, str] = {}
            for _ in range(rounds):
                for case in cases:
                    if case in failed:
                        continue
                    to = folder / "to"
                    shutil.rmtree(to, ignore_errors=True)
                    to.mkdir()
                    told = measure(case, server, name, to)
                    if isinstance(told, str):
                        failed[case] = told
                    else:
                        found.setdefault(case, []).append(told)
            yield from _table(link, name, cases, found, failed)
    finally:
        server.close()


def _table(
    link: Link, name: str, cases: list[str], found: dict[str, list[dict[str, float]]], failed: dict[str, str]
) -> Iterator[dict[str, object]]:
    count, size = SETS[name]
    best = {case: min(told, key=lambda t: t["seconds"]) for case, told in found.items()}
    for case in cases:
        row: dict[str, object] = {"link": link.name, "set": name, "case": case}
        if case in best:
            told = best[case]
            row |= {"s": f"{told['seconds']:.2f}", "MB/s": f"{count * size / 1e6 / told['seconds']:.1f}"}
            row["ratio"] = f"{told['seconds'] / best['lftp']['seconds']:.2f}" if "lftp" in best else "—"
            row |= {"CPU s": f"{told['cpu']:.2f}", "MB": f"{told['memory']:.0f}", "runs": len(found[case])}
        else:
            row |= {"s": failed.get(case, "not run"), "MB/s": "", "ratio": "", "CPU s": "", "MB": "", "runs": 0}
        print("  ", *row.values(), file=sys.stderr, flush=True)
        yield row


def run(
    links: tuple[str, ...] = ("loopback", "50 ms"), names: tuple[str, ...] = tuple(SETS), cases: tuple[str, ...] = CASES,
    rounds: int = 2,
) -> list[dict[str, object]]:  # fmt: skip
    """The table: best of `rounds` for each cell, the cases in turn."""
    folder = Path(tempfile.mkdtemp(prefix="transfer", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    rows: list[dict[str, object]] = []
    try:
        make(folder)
        if "loopback" in links:
            rows += _rows(Link("loopback", "127.0.0.1"), folder, list(names), list(cases), rounds)
        if "50 ms" in links:
            with far() as link:
                if isinstance(link, str):
                    print(link, file=sys.stderr)
                else:
                    rows += _rows(link, folder, list(names), list(cases), rounds)
    finally:
        shutil.rmtree(folder)
    return rows


def main() -> None:
    """A part of the table: `python -m benchmarks.bench_transfer --links loopback --sets small --cases lftp,arr`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--links", default="loopback,50 ms")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--cases", default=";".join(CASES), help="with semicolons between")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--bring", nargs=6, help=argparse.SUPPRESS)
    said = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # so that server and link are taken down
    if said.run:
        run_one(json.loads(said.run))
    elif said.bring:
        bring(*said.bring)
    else:
        links, names, cases = said.links.split(","), said.sets.split(","), said.cases.split(";")
        run(tuple(links), tuple(names), tuple(cases), said.rounds)


if __name__ == "__main__":
    main()
