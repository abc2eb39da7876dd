"""The setting of worlds about `releases`: a seedbox that is reached by SFTP, and a folder of this machine.

The server is OpenSSH's; its packets pass through this process, where single ones can fail (`tests/live/sftp/relay.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.address import Subject
from resources.clients.localfs.mark import where
from resources.clients.localfs.staging import PARTIAL
from tests.laws.bench import SECRET_VARIABLE, Call
from tests.laws.still import Still, StillBench, write
from tests.laws.worlds import CANARY, SERVER, Case
from tests.live.sftp.relay import CHANGES, STRIKES, Relay, Strike
from tests.live.sftp.server import keygen

REACHED = {"here", "there"}


class Seedbox(StillBench):
    """See the module. The canary is the passphrase of the key."""

    OUTAGES = tuple(name for name in STRIKES if name != "silent")
    SLOW = "silent"
    ODD = ("denied", "garbage", "cut", "failure")
    HTTP = False

    def __init__(self, case: Case, folder: Path, relay: Relay, clock: Still) -> None:
        super().__init__(case, folder, "", clock)
        self.relay = relay
        self.remote, self.incoming = relay.ssh.home / "releases", folder / "incoming"
        self.key = keygen(folder / "locked", passphrase=CANARY)
        relay.ssh.authorise(self.key)

    def filled(self, text: str) -> str:
        return text.replace("{remote}", str(self.remote)).replace("{incoming}", str(self.incoming))

    def connections(self, **more: str) -> str:
        ssh = self.relay.ssh
        said = {
            "app": "sftp",
            "host": "127.0.0.1",
            "port": str(ssh.port),
            "user": ssh.user,
            "key": str(self.key),
            **more,
        }
        said |= {"host_key": f"'{ssh.fingerprint()}'", "passphrase": f"{{env: {SECRET_VARIABLE}}}"}
        return f"connections:\n  {SERVER}: {{{', '.join(f'{k}: {v}' for k, v in said.items())}}}\n"

    # -- the world

    def step(self, step: Any) -> None:
        (where_to, told) = next(iter(step.items()))
        write({"there": self.remote, "here": self.incoming}[where_to] / told["path"], told["bytes"])

    def unlike_the_defaults(self) -> None:
        for file in self.remote.rglob("*"):
            file.chmod(0o750)

    def there(self) -> dict[str, bytes]:
        """What lies on the server."""
        return {str(p.relative_to(self.remote)): p.read_bytes() for p in self.remote.rglob("*") if p.is_file()}

    def here(self) -> dict[str, bytes]:
        """What lies on this machine, but for the folder's own mark."""
        found = (p for p in self.incoming.rglob("*") if p.is_file() and p != where(str(self.incoming)))
        return {str(p.relative_to(self.incoming)): p.read_bytes() for p in found}

    def staged(self) -> list[str]:
        return sorted(path for path in self.here() if path.startswith(f"{PARTIAL}/"))

    def remember(self) -> None:
        self._before = (self.here(), self.there())

    def assert_reached(self, section: str = "reached") -> None:
        """What shall be here is, byte by byte; nothing else has come, and the server has what it had."""
        want = self.case.told.get(section) or self.case.told["reached"]
        assert want.keys() <= REACHED, f"{want.keys() - REACHED} means nothing; see worlds/README.md"
        here, there = self.here(), self.there()
        assert sorted(here) == sorted(want["here"])
        mine, _ = self._before
        assert all(told == (mine.get(path) or there[path]) for path, told in here.items())
        assert sorted(there) == sorted(want["there"])

    def snapshot(self) -> dict[str, Any]:
        """By release, as the server calls it: its files on either side. What is on its way lies in a folder of its own."""
        found: dict[str, Any] = {}
        for side, files in (("here", self.here()), ("there", self.there())):
            for path, told in files.items():
                if path.startswith(f"{PARTIAL}/"):
                    continue
                release = found.setdefault(f"{self.remote}/{path.partition('/')[0]}", {})
                release.setdefault(side, {})[path] = told
        return found

    def key_of(self, subject: Subject) -> str:
        return str(subject.key)

    # -- what was sent, and what fails

    def calls(self) -> list[Call]:
        return [Call(one.name, one.name in CHANGES, one.struck, one.done) for one in self.relay.log]

    def forget(self) -> None:
        self.relay.log.clear()

    def only_reads(self, call: Call) -> bool:
        return not call.write

    def break_(self, fault: str, call: str = "", *, skip: int = 0, times: int | None = None, when: str = "") -> None:
        self.relay.strike = Strike(fault, skip + 1, after=when == "after", call=call, times=times)

    def heal(self) -> None:
        self.relay.strike = None


@contextmanager
def built(case: Case, folder: Path) -> Iterator[Seedbox]:
    """A fresh server with the releases of the case."""
    with Relay(folder / "relay") as relay:
        found = Seedbox(case, folder, relay, Still())
        found.incoming.mkdir()
        for path, size in case.told["releases"].items():
            write(found.remote / path, size)
        for path, size in case.told.get("here", {}).items():
            write(found.incoming / path, size)
        found.settle()
        yield found
