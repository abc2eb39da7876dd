"""A seedbox with a release that seeds, a home, and a Sonarr whose history knows the release: what may leave the seedbox?

with leaving(tmp_path) as home:
    home.brought()          # the release has come
    home.forgotten()        # its torrent left the client, its data stayed, and that was seen for a while
    home.removals()         # what a plan would remove there
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reconciler.plan.model import Plan
from sandbox.torrents.model import Torrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.seedbox_transfer.lab import Box
from tests.kinds.torrent_retention.sim import payload
from tests.kinds.torrent_retention.world import Television, download, sonarr

FILES = {"e1.mkv": 200_000, "subs/e1.srt": 3_000, "e1.nfo": 500}
COMES = ("e1.mkv", "subs/e1.srt")


@dataclass
class Home:
    """See the module."""

    box: Box
    rt: Rtorrent
    tv: Television
    torrent: Torrent

    @property
    def there(self) -> Path:
        return self.box.remote / "Show"

    @property
    def library(self) -> list[Path]:
        """What Sonarr has imported."""
        return [p for p in self.tv.library("sonarr").rglob("*") if p.is_file()]

    def declare(self, *fields: str, more: str = "", libraries: bool = True) -> None:
        wish = ("remote: remove_when_imported", "imported_by: [sonarr]", "when: {client: rt}", "exclude: ['*.nfo']")
        self.box.declare(*wish, *fields)
        path = self.box.desired / "wish.yaml"
        said = (
            f"connections:\n  rt: {{app: rtorrent, url: '{self.rt.url}'}}\n  sonarr: {self.tv.connections['sonarr']}\n"
        )
        text = path.read_text().replace("connections:\n", said + more, 1)
        remote = self.box.remote
        path.write_text(text + f"paths:\n  - {{seedbox: {remote}, rt: {remote}}}\n{self.tv.paths if libraries else ''}")

    def brought(self) -> None:
        assert [(o.action.verb, o.state) for o in self.box.apply(self.box.plan()).outcomes] == [("fetch", "done")]

    def left(self) -> None:
        """Its torrent is taken out of the client."""
        del self.rt.torrents[self.torrent.hash.upper()]

    def forgotten(self) -> None:
        self.left()
        self.box.plan()
        self.box.clock.ahead += timedelta(minutes=6)

    def removals(self, plan: Plan | None = None) -> list[str]:
        return [a.subject.title for a in (plan or self.box.plan()).actions() if a.verb == "remove"]

    def files(self) -> set[str]:
        """What of the release is on the server."""
        return {str(p.relative_to(self.there)) for p in self.there.rglob("*") if p.is_file()}

    def why(self) -> str:
        return "\n".join(line for _, lines in self.box.session.why("Show") for line in lines)


@contextmanager
def leaving(folder: Path, *, imported: bool = True, files: Mapping[str, int] = FILES) -> Iterator[Home]:
    """The release `Show` with its torrent, and another torrent elsewhere."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    with Box(folder) as box:
        torrent = payload(box.remote, "Show", 1, files=files)
        given = [torrent, payload(elsewhere, "Another", 2, files={"x.mkv": 1000})]
        (folder / "sonarr").mkdir()
        with Rtorrent(given) as rt, sonarr(folder / "sonarr", {"sonarr": [download(torrent, imported=imported)]}) as tv:
            home = Home(box, rt, tv, torrent)
            home.declare()
            yield home
