"""Which imports account for a payload: what nobody has grabbed is imported once every video of it was."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from resources.clients.servarr.history import Event
from resources.clients.torrents import TorrentFile
from resources.imports.coverage import uncovered
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, held, payload
from tests.kinds.torrent_retention.world import by_hand, sonarr

IMPORTED = "connection: rt\nimported_by: [sonarr]\nmay_go: {imported: true}\n" + FREE
NOW = datetime(2024, 1, 1, tzinfo=UTC)


def test_one_import_by_hand_does_not_speak_for_a_season(tmp_path: Path) -> None:
    """A season was added by hand and one episode of it imported by hand: nobody knows of the others. Once all were, it goes."""
    downloads = tmp_path / "dl"
    files = {f"E{n}.mkv": 60_000 + n for n in (1, 2, 3)} | {"Sample/e1-sample.mkv": 900, "info.nfo": 90}
    pack, whole, film = (payload(downloads, name, 1, files=files) for name in ("Part", "Whole", "Film"))
    film.files = [("film.mkv", 1_000_000)]
    (downloads / "Film" / "film.mkv").write_bytes(b"x" * 1_000_000)
    (tmp_path / "home").mkdir()
    known = [by_hand(pack, ["/d/Part/E2.mkv"]), by_hand(whole, [f"/d/Whole/E{n}.mkv" for n in (3, 1, 2)])]
    known += [by_hand(film, ["/d/Film/renamed.mkv"])]
    with Rtorrent([pack, whole, film]) as rt, sonarr(tmp_path / "home", {"sonarr": known}) as tv:
        sim = Sim(tmp_path, {"rt": rt.url, **tv.connections}, downloads, tv.paths)
        sim.declare(IMPORTED)
        proposal = sim.proposal()
        assert sorted(goes(proposal)) == ["Film", "Whole"]
        assert held(proposal) == {
            "Part": "nobody grabbed it, and no history tells that 2 of its 3 videos were imported (E1.mkv)"
        }
        sim.apply()
    assert sorted(p.name for p in (downloads / "Part").rglob("*.mkv")) == [
        "E1.mkv",
        "E2.mkv",
        "E3.mkv",
        "e1-sample.mkv",
    ]


@pytest.mark.parametrize(
    ("names", "events", "lacks"),
    [
        (["a.mkv", "b.mkv"], [("import", "C:\\d\\a.mkv"), ("import", "C:\\d\\b.mkv")], ""),
        (["a.mkv", "b.mkv"], [("import", "/d/a.mkv"), ("import", "")], ""),  # an older server names no source
        (["a.mkv", "b.mkv"], [("import", "/d/a.mkv"), ("import", "/d/a.mkv")], "1 of its 2"),
        (["a.mkv", "b.mkv"], [("import", "/d/a.mkv"), ("ignored", "")], ""),
        (["a.mkv", "b.mkv"], [("import", "/d/a.mkv"), ("grabbed", "")], ""),
        (["1/a.part1.rar", "1/a.part2.rar", "2/b.rar", "2/b.r00"], [("import", "/u/a.mkv")], "1 of its 2"),
        (["1/a.rar", "2/b.rar"], [("import", "/u/a.mkv"), ("import", "/u/b.mkv")], ""),
        (["x/a.rar"], [("import", "/u/a.mkv")], ""),
    ],
)
def test_which_imports_account_for_a_payload(names: list[str], events: list[tuple[str, str]], lacks: str) -> None:
    called = {"import": "downloadFolderImported", "ignored": "downloadIgnored", "grabbed": "grabbed"}
    told = [Event(n, called[e], NOW, "x", 1, n, n, "/lib", path) for n, (e, path) in enumerate(events)]
    says = uncovered([TorrentFile(name, 9, 9, wanted=True) for name in names], told)
    assert (lacks in says) if lacks else not says
