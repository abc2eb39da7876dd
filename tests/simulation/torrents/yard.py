"""The world of the torrent simulation: clients that seed real files, a library on the same disk, and time.

The files are real, and so is all that arr does with them; the clients are the sandbox's, spoken to over a line that can break
(`tests/kinds/torrent_retention/line.py`). A file has a size that no other file ever has, so that a size is a file's name for
life: what is lost, doubled or overwritten shows by it. What a person does (`hand`) is nobody's fault; everything else is arr's.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from reconciler.clock import Clock
from resources.clients.localfs.quarantine import FOLDER
from sandbox.torrents.model import Torrent
from sandbox.values import Json
from tests.kinds.torrent_retention.line import Line
from tests.kinds.torrent_retention.rig import serving
from tests.simulation.wish import nth

CASTS: dict[str, tuple[str, ...]] = {
    "rtorrent": ("rtorrent",),
    "qbittorrent": ("qbittorrent",),
    "transmission": ("transmission",),
    "pair": ("rtorrent", "transmission"),
    "two": ("qbittorrent", "rtorrent"),
}
HOSTS = ("tracker.good.example", "tracker.strict.example", "tracker.good.example", "tracker.unlisted.test")
LABELS = ("", "tv", "", "", "keep", "", "arr-protect")
SHAPES = ("folder", "single", "imported", "twin", "folder", "linked", "inside", "single")
GONE = "unregistered torrent"
DAY = 86400


class Held(dict[str, Torrent]):
    """The torrents of a client; `gone` is told of each that is taken out."""

    def __init__(self, given: dict[str, Torrent], gone: Callable[[Torrent], None]) -> None:
        super().__init__(given)
        self._gone = gone

    def __delitem__(self, key: str) -> None:
        torrent = self[key]
        super().__delitem__(key)
        self._gone(torrent)

    def pop(self, key: str, *_: Any) -> Torrent:
        torrent = self[key]
        del self[key]
        return torrent


@dataclass
class Client:
    """One client, as a connection names it."""

    name: str
    app: str
    server: Any
    line: Line

    @property
    def torrents(self) -> list[Torrent]:
        return list(self.server.torrents.values())


class Yard:
    """See the module. A context manager. `gone(client, torrent)` is called when arr has taken one out."""

    def __init__(self, folder: Path, clock: Clock, cast: str) -> None:
        self.folder, self.clock = folder, clock
        self.downloads, self.library = folder / "dl", folder / "lib"
        self.count = 0
        self.by_hand = False
        self.gone: Callable[[Client, Torrent], None] = lambda *_: None
        self.clients: dict[str, Client] = {}
        self.messed: set[str] = set()  # hashes of torrents whose data a person moved or deleted
        self.stopped: set[str] = set()  # hashes of those that a person stopped
        self.foreign: set[str] = set()  # paths of files that a person put among the others
        self.past: list[tuple[Client, Torrent]] = []  # what was taken out, by whomever
        self.disowned: dict[str, Any] = {}  # hash → since when its tracker does not know it
        self._stack = ExitStack()
        self._cast = cast

    def __enter__(self) -> Yard:
        self.downloads.mkdir()
        self.library.mkdir()
        for name, said in (("transmission", "open sesame"), ("qbittorrent", "adminadmin")):
            (self.folder / name).write_text(said)
        time = SimpleNamespace(time=lambda: self.clock.now().timestamp())
        for module in ("model", "rtorrent"):
            self._stack.enter_context(patch(f"sandbox.torrents.{module}.time", time))
        for number, app in enumerate(CASTS[self._cast]):
            server = self._stack.enter_context(serving(app, []))
            client = Client(("box", "other")[number], app, server, self._stack.enter_context(Line(server.url)))
            server.torrents = Held({}, partial(self._gone, client))
            self.clients[client.name] = client
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _gone(self, client: Client, torrent: Torrent) -> None:
        self.past.append((client, torrent))
        if not self.by_hand:
            self.gone(client, torrent)

    @contextmanager
    def hand(self) -> Iterator[None]:
        """What happens in here a person does."""
        self.by_hand = True
        try:
            yield
        finally:
            self.by_hand = False

    def connections(self) -> Json:
        """As a desired state has them."""
        said: Json = {}
        for client in self.clients.values():
            said[client.name] = {"app": client.app, "url": client.line.url, "timeout": "5s"}
            if client.app != "rtorrent":
                user = "me" if client.app == "transmission" else "admin"
                said[client.name] |= {"user": user, "password": {"file": str(self.folder / client.app)}}
        return said

    # -- what is there

    def torrents(self) -> list[tuple[Client, Torrent]]:
        return [(c, t) for c in self.clients.values() for t in c.torrents]

    def claims(self) -> dict[str, list[tuple[Client, Torrent]]]:
        """Path → who names it as a file of its own."""
        found: dict[str, list[tuple[Client, Torrent]]] = {}
        for client, torrent in self.torrents():
            for path, _ in torrent.files:
                found.setdefault(f"{torrent.directory}/{path}", []).append((client, torrent))
        return found

    def tree(self) -> dict[str, tuple[int, int]]:
        """Path → (size, inode) of every file, what waits in quarantine included."""
        found = {}
        for top in (self.downloads, self.library):
            for where, _, names in os.walk(top):
                for name in names:
                    told = os.lstat(f"{where}/{name}")
                    found[f"{where}/{name}"] = (told.st_size, told.st_ino)
        return found

    def home(self, path: str) -> str:
        """Where a path in quarantine was before; "" for one that is not in quarantine."""
        _, found, rest = path.partition(f"/{FOLDER}/")
        return f"{self.downloads}/{rest.partition('/files/')[2]}" if found and "/files/" in rest else ""

    # -- what comes to be

    def file(self, path: Path) -> int:
        """A new file, sparse, of a size of its own."""
        self.count += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as made:
            made.truncate(100_000 + self.count)
        return 100_000 + self.count

    def add(self, shape: int, to: int, files: int, ratio: int, host: int, label: int, days: int) -> Torrent | None:
        """One more torrent; small numbers say of what sort."""
        client = nth(self.clients.values(), to)
        wanted = SHAPES[shape % len(SHAPES)]
        there = [t for _, t in self.torrents() if self.whole(t)]
        self.count += 1
        name = f"Title{self.count}"
        ident = hashlib.sha1(name.encode()).hexdigest()  # noqa: S324  # a name
        if wanted in ("twin", "linked", "inside") and there:
            torrent = self._beside(wanted, nth(there, files + host), ident, name)
        else:
            torrent = self._fresh(ident, name, 1 if wanted == "single" else 1 + files % 3, multi=wanted != "single")
        if torrent is None or any(t.hash == ident for t in client.torrents):
            return None
        torrent.ratio = ratio % 5 * 1000
        torrent.trackers = [f"http://{nth(HOSTS, host)}/announce"]
        torrent.label = nth(LABELS, label)
        torrent.finished = torrent.changed = int(
            (self.clock.now() - timedelta(days=days % 4 * 10, minutes=5)).timestamp()
        )
        torrent.seeding_s = days % 4 * 10 * DAY
        client.server.torrents[ident.upper() if client.app == "rtorrent" else ident] = torrent
        if wanted == "imported":
            for path, _ in torrent.files:
                target = self.library / name / Path(path).name
                target.parent.mkdir(exist_ok=True)
                os.link(f"{torrent.directory}/{path}", target)
        return torrent

    def whole(self, torrent: Torrent) -> bool:
        """Whether each of its files is in its place."""
        return all(Path(torrent.directory, path).is_file() for path, _ in torrent.files)

    def _fresh(self, ident: str, name: str, files: int, *, multi: bool) -> Torrent:
        if not multi:
            size = self.file(self.downloads / f"{name}.mkv")
            return Torrent(ident, f"{name}.mkv", str(self.downloads), [(f"{name}.mkv", size)])
        paths = ["e1.mkv", "sub/e2.mkv", "e3.nfo"][:files]
        told = [(path, self.file(self.downloads / name / path)) for path in paths]
        return Torrent(ident, name, str(self.downloads), told, multi=True)

    def _beside(self, shape: str, other: Torrent, ident: str, name: str) -> Torrent | None:
        """`twin`: the same files. `linked`: the same bytes under another folder. `inside`: one of its files."""
        if shape == "twin":
            return Torrent(ident, other.name, other.folder, list(other.files), multi=other.multi)
        if shape == "inside":
            path, size = other.files[0]
            return Torrent(ident, path, other.directory, [(path, size)])
        folder = self.downloads / "cross" / name
        made = Torrent(ident, other.name, str(folder), list(other.files), multi=other.multi)
        for path, _ in other.files:
            target = Path(made.directory, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(f"{other.directory}/{path}", target)
        return made
