"""A11: the client's path was the library root: "deleted to import an upgrade"."""

from __future__ import annotations

from pathlib import Path

from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, held, payload
from tests.kinds.torrent_retention.world import sonarr

FILES = {"e1.mkv": 120_000}


def test_a11_what_overlaps_a_library_or_download_folder_stays(tmp_path: Path) -> None:
    """Below, at and above a root folder of Sonarr; the download folder itself; above another torrent; outside of paths."""
    with sonarr(tmp_path, {"sonarr": []}) as tv:
        library = tv.library("sonarr")
        downloads = tmp_path / "dl"
        inside = payload(library, "Inside", 1, files=FILES)
        above = payload(library.parent.parent, library.parent.name, 2, files={"x/y.mkv": 1000})
        whole = payload(downloads.parent, downloads.name, 3, files={"z.mkv": 1000})
        outer = payload(downloads, "Outer", 4, files={"o.mkv": 1000})
        inner = payload(downloads / "Outer", "Inner", 5, files={"i.mkv": 1000}, ratio=100)
        outside = payload(tmp_path / "else", "Outside.mkv", 6)
        fine = payload(downloads, "Fine", 7, files=FILES)
        with Rtorrent([inside, above, whole, outer, inner, outside]) as rt:
            home = library.parent.parent
            sim = Sim(
                tmp_path, {"rt": rt.url, **tv.connections}, downloads, tv.paths + f"  - {{here: {home}, rt: {home}}}\n"
            )
            sim.declare(f"connection: rt\nimported_by: [sonarr]\nmay_go: {{ratio: '>= 2'}}\n{FREE}")
            proposal = sim.proposal()
            reasons = held(proposal)
            assert goes(proposal) == []
            assert "library folder" in reasons["Inside"] and "library folder" in reasons[above.name]
            assert "holds" in reasons["dl"]
            assert "holds, or lies in, that of" in reasons["Outer"]
            assert "no folder that paths maps" in reasons["Outside.mkv"]
        with Rtorrent([fine]) as rt:
            sim = Sim(tmp_path, {"rt": rt.url, **tv.connections}, downloads, tv.paths)
            sim.declare(f"connection: rt\nimported_by: [sonarr]\nmay_go: {{ratio: '>= 2'}}\n{FREE}")
            assert goes(sim.proposal()) == ["Fine"]
