"""A seedbox, a home with Sonarr, two strangers and a tracker, and the files of `desired/seedbox` made to fit them.

    with Scene(home) as scene:
        season = scene.release(2)
        torrent = scene.torrent(season)
        scene.downloads(torrent)              # the seedbox downloads it from a stranger who has it
        scene.imports(season.name, torrent)   # Sonarr takes what has come home
        scene.uploads(torrent)                # another stranger downloads it from the seedbox

`home/desired` is what `arr` reads, `home/box` the seedbox, `home/home` the disks and the Sonarr at home. Called by the demo
and by the test of the whole path.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from sandbox.process import Stack
from sandbox.scenarios import build
from sandbox.scenarios.build import GB, MB, Library, show
from sandbox.seedbox.metainfo import Metainfo, metainfo
from sandbox.seedbox.programs import Rtorrent, Sshd
from sandbox.seedbox.tracker import Tracker
from sandbox.values import Json

TANK = "/data/tank"
NOBODY = 65534
COMMAND_LIMIT_S = 30.0

EXAMPLE = Path(__file__).parents[2] / "desired" / "seedbox"
Edit = tuple[str, str]


def world() -> Json:
    """Sonarr with one show of four seasons, of which it has the first; what comes home lies on the same disk."""
    tv = Library()
    show(
        tv,
        tvdb_id=70003,
        title="Cedar Lane",
        year=2015,
        seasons=4,
        episodes=2,
        size=80 * MB,
        root=f"{TANK}/tv",
        chance=random.Random(3),
    )
    tv.files = [f for f in tv.files if "Season 01" in f["path"]]
    made = build.world({TANK: 2 * GB}, [(tv, build.server("sonarr", "sonarr", tv, [f"{TANK}/tv"]))])
    return {**made, "folders": [*made["folders"], f"{TANK}/incoming"]}


class Scene:
    """See the module. What is desired is EXAMPLE with the addresses and folders of this scene; `edits` change it further."""

    def __init__(self, home: Path, *, edits: Sequence[Edit] = ()) -> None:
        self.home, self._edits = home, edits
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        self._parts = ExitStack()
        self.tracker = Tracker()
        self.ssh = Sshd(home / "sshd")
        self.box = Rtorrent(home / "box")
        self.stack = Stack(home / "home", world())
        self.tv = self.box.downloads / "tv"
        self.tv.mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        with self._parts as parts:
            parts.callback(self.stack.close)
            self.stack.start()
            for part in (self.tracker, self.ssh, self.box):
                parts.enter_context(part)
            self._write()
            self._parts = parts.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._parts.close()

    @property
    def data(self) -> Path:
        """What Sonarr calls /data, on this machine."""
        return self.stack.home / "data"

    @property
    def incoming(self) -> Path:
        return self.data / "tank" / "incoming"

    @property
    def library(self) -> Path:
        """The show's folder in Sonarr's library."""
        return self.data / "tank" / "tv" / "Cedar Lane"

    @property
    def env(self) -> dict[str, str]:
        return {"SONARR_API_KEY": self.stack["sonarr"].api_key}

    def _write(self) -> None:
        here = (
            ("host: box.example", "host: 127.0.0.1"),
            ("port: 22", f"port: {self.ssh.port}"),
            ("user: me\n", f"user: {self.ssh.user}\n"),
            ("~/.ssh/id_ed25519", str(self.ssh.key)),
            (f"SHA256:{'A' * 43}", self.ssh.fingerprint()),
            ("scgi://127.0.0.1:5000", self.box.url),
            ("http://127.0.0.1:8989", self.stack["sonarr"].url),
            ("/mnt/seedbox", str(self.box.downloads)),
            ("/home/me/downloads", str(self.box.downloads)),
            ("/mnt/tank", str(self.data / "tank")),
            ("*.blu.example", "127.0.0.1"),
        )
        texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.glob("*.yaml"))}
        for old, new in (*self._edits, *here):
            if not any(old in text for text in texts.values()):
                raise ValueError(f"{old!r} stands in no file of {EXAMPLE}")
            texts = {name: text.replace(old, new) for name, text in texts.items()}
        desired = self.home / "desired"
        desired.mkdir(exist_ok=True)
        for name, text in texts.items():
            (desired / name).write_text(text, encoding="utf-8")

    # ------------------------------------------------------------------------------------------------ what happens

    def release(self, season: int, *, size: int = 6 * MB) -> Path:
        """A season of two episodes as a stranger has it: videos of random bytes, and a note beside them."""
        name = f"Cedar.Lane.S{season:02d}.1080p.WEB-DL"
        folder = self.home / "stranger" / "downloads" / name
        folder.mkdir(parents=True)
        for number in (1, 2):
            video = folder / name.replace(f"S{season:02d}", f"S{season:02d}E{number:02d}")
            video.with_name(f"{video.name}.mkv").write_bytes(random.Random(f"{name} {number}").randbytes(size))
        (folder / "release.nfo").write_text(f"{name}\n")
        return folder

    def torrent(self, payload: Path, *, host: str = "127.0.0.1") -> Metainfo:
        """A torrent of it. Another name of the tracker's host makes another torrent of the same data: a cross-seed."""
        return metainfo(payload, self.tracker.url.replace("127.0.0.1", host), source=host)

    def downloads(self, torrent: Metainfo) -> None:
        """The seedbox downloads it from a stranger, who leaves once it is complete there."""
        with Rtorrent(self.home / "stranger") as stranger:
            stranger.add(torrent)
            stranger.until("d.complete", torrent)
            stranger.until("d.is_active", torrent)
            self.box.add(torrent, folder=self.tv)
            self.box.until("d.complete", torrent)

    def seeds(self, payload: Path, torrent: Metainfo) -> None:
        """The seedbox seeds it without a download: its data is put there, unless it is there, and checked."""
        there = self.tv / payload.name
        if not there.exists():
            shutil.copytree(payload, there)
        self.box.add(torrent, folder=self.tv)
        self.box.until("d.complete", torrent)
        self.box.until("d.is_active", torrent)

    def uploads(self, torrent: Metainfo) -> None:
        """Another stranger downloads all of it from the seedbox, whose ratio is then no less than 1."""
        with Rtorrent(self.home / "another") as another:
            another.add(torrent)
            another.until("d.complete", torrent)
            self.box.until("d.ratio", torrent, 1000)

    def imports(self, name: str, torrent: Metainfo) -> None:
        """Sonarr imports a release that has come home, as it does when its download client has told it of the torrent."""
        folder = self.incoming / name
        if os.geteuid() == 0:  # the sandbox's servers run as nobody then, who may link only what is theirs
            for path in (folder, *folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        self.stack.settings(tracked=[torrent.hash.upper()])
        drop = f"{TANK}/incoming/{name}"
        sent = {"name": "DownloadedEpisodesScan", "path": drop, "importMode": "copy"}
        command = self._sonarr("command", {**sent, "downloadClientId": torrent.hash.upper()})
        end = time.monotonic() + COMMAND_LIMIT_S
        while command["status"] not in ("completed", "failed"):
            if time.monotonic() > end:
                raise TimeoutError(f"Sonarr's import is {command['status']} after {COMMAND_LIMIT_S:g} s")
            time.sleep(0.05)
            command = self._sonarr(f"command/{command['id']}")
        if command.get("result") != "successful":
            raise RuntimeError(f"Sonarr imported nothing: {command.get('message')}")

    def _sonarr(self, path: str, body: Json | None = None) -> Json:
        server = self.stack["sonarr"]
        headers = {"X-Api-Key": server.api_key, "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{server.url}/api/v3/{path}", data, headers)  # noqa: S310  # of the loopback
        with urllib.request.urlopen(request, timeout=COMMAND_LIMIT_S) as answer:  # noqa: S310  # as above
            told: Json = json.load(answer)
        return told
