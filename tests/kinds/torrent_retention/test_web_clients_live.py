"""Plan, apply and plan again over a real qBittorrent and a real Transmission: they delete their own data, and it is seen."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.kinds.torrent_retention.house import House, verbs
from tests.live.torrents.servers import Qbittorrent, Transmission, make_torrent

PASSKEY = "abadcafeabadcafeabadcafeabadcafe"
TRACKER = f"http://127.0.0.1:9/{PASSKEY}/announce"
WISH = """
connection: box
may_go: {seeded: ">= 0s", name: "Go*"}
trackers: {blu: {match: ["127.0.0.1"], keep_until: {seeded: ">= 0s"}}}
"""


@pytest.mark.parametrize("kind", [Qbittorrent, Transmission], ids=["qbittorrent", "transmission"])
def test_plan_apply_and_nothing_left(tmp_path: Path, kind: type[Any]) -> None:
    """One of two goes with its data; a hard link to it lives on, and the plan had said that this part frees nothing."""
    with kind(tmp_path / "server") as server:
        for name in ("Go", "Stay"):
            (server.downloads / name).mkdir()
            (server.downloads / name / "e1.mkv").write_bytes(name.encode() * 100_000)
            (server.downloads / name / "e2.mkv").write_bytes(name.encode() * 50_000)
            server.add(make_torrent(server.downloads / name, [TRACKER]))
        os.link(server.downloads / "Go" / "e1.mkv", tmp_path / "library.mkv")
        user, variable = ("admin", "QB_PASSWORD") if kind is Qbittorrent else ("me", "TR_PASSWORD")
        told = f"{{app: {kind.__name__.lower()}, url: '{server.url}', user: {user}, password: {{env: {variable}}}}}"
        home = House(tmp_path / "house", {"box": told}, server.downloads)
        home.declare(WISH)
        proposal = home.proposal()
        assert verbs(proposal) == [("remove", "Go")]
        (action,) = proposal["actions"]
        assert 0 < action["effects"]["bytes_freed"] < 200_000 and "frees nothing (hard links)" in json.dumps(
            action["details"]
        )
        assert "more free than before" in " ".join(home.apply().split())
        assert len(server.hashes()) == 1 and not (server.downloads / "Go" / "e2.mkv").exists()
        assert (server.downloads / "Stay" / "e1.mkv").exists() and (tmp_path / "library.mkv").stat().st_nlink == 1
        assert home.proposal()["actions"] == []
        assert PASSKEY not in home.state_text()
