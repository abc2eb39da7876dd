"""A09: the HD instance's clean-up deleted the torrent that the 4K instance shares."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import Exit
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, payload
from tests.kinds.torrent_retention.world import download, sonarr

FILES = {"e1.mkv": 120_000}
WISH = f"connection: rt\nimported_by: [sonarr, sonarr-4k]\nmay_go: {{imported: true, ratio: '>= 2'}}\n{FREE}"


def test_a09_every_instance_that_grabbed_it_has_to_have_it(tmp_path: Path) -> None:
    """Imported here and waited for there: it stays. Imported in both: it goes. One history unknown: blocked."""
    downloads = tmp_path / "dl"
    both, one, none = (payload(downloads, name, n, files=FILES) for n, name in enumerate(["Both", "One", "None"]))
    told = {
        "sonarr": [download(both), download(one)],
        "sonarr-4k": [download(both), download(one, imported=False)],
    }
    with sonarr(tmp_path, told) as tv, Rtorrent([both, one, none]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url, **tv.connections}, downloads, tv.paths)
        sim.declare(WISH)
        assert goes(sim.proposal()) == ["Both"]
        why = dict(sim.session().why("One"))["torrent_retention.seedbox"]
        assert any("sonarr-4k grabbed it and has not imported" in line for line in why)
        assert any(
            "nobody has imported it" in line for line in dict(sim.session().why("None"))["torrent_retention.seedbox"]
        )

        tv.stack.control.break_("server-error", server="sonarr-4k", path="/api/v3/history")
        blind = sim.proposal()
        assert goes(blind) == [] and any("history of sonarr-4k" in b.reason for b in blind.blocked)
        assert sim.code() == Exit.BLOCKED
        tv.stack.control.heal()

        (file,) = [p for p in tv.library("sonarr").rglob("*.mkv") if "Both" in str(p)]
        file.rename(tmp_path / "away.mkv")  # what was imported is gone: it is the last copy now
        assert goes(sim.proposal()) == []
        (tmp_path / "away.mkv").rename(file)
        assert [o[2] for o in sim.states(sim.apply())] == ["done"]
        assert sorted(t.name for t in rt.torrents.values()) == ["None", "One"]
