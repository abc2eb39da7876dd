"""A15: a blank id, or `hashes=all`, widened one delete to everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.connection import SecretRef
from reconciler.kind import WriteRefused
from resources.clients.qbittorrent import APP
from resources.clients.qbittorrent.app import QbittorrentSpec
from sandbox.torrents.qbittorrent import Qbittorrent
from tests.kinds.torrent_retention.sim import payload


@pytest.mark.parametrize("version", ["4.5", "5.2"])
def test_a15_nothing_but_one_hash_is_ever_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """The server does delete everything for `all` and takes lists: neither can leave, and one hash deletes one torrent."""
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")
    torrents = [payload(tmp_path, f"Film{n}.mkv", n) for n in range(3)]
    with Qbittorrent(torrents, version=version) as qb:
        told = {"app": "qbittorrent", "url": qb.url, "user": "admin", "password": SecretRef(env="QB_PASSWORD")}
        client = APP.open("qb", QbittorrentSpec.model_validate(told), access="write", clock=SystemClock())
        for bad in ("", " ", "all", "ALL", "|", "|".join(t.hash for t in torrents), torrents[0].hash[:-1], "0" * 40):
            with pytest.raises(WriteRefused):
                client.remove(bad, data=True)  # type: ignore[attr-defined]  # the app's own client
        assert qb.deleted == [] and len(qb.torrents) == 3
        client.remove(torrents[0].hash, data=True)  # type: ignore[attr-defined]
        assert qb.deleted == [{"hashes": torrents[0].hash, "deleteFiles": "true"}] and len(qb.torrents) == 2
        client.close()
