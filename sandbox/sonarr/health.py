"""What Sonarr's health checks say about a server with no indexers, no download client and perhaps a lost root folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.servarr.paths import root_of
from sandbox.values import Json

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_ALWAYS = (
    (
        "IndexerRssCheck",
        "error",
        "No indexers available with RSS sync enabled, Sonarr will not grab new releases automatically",
    ),
    ("DownloadClientCheck", "warning", "No download client is available"),
    (
        "IndexerSearchCheck",
        "warning",
        "No indexers available with Automatic Search enabled, Sonarr will not provide any automatic search results",
    ),
)


def health(app: Sonarr4) -> list[Json]:
    """The list of `GET /health`."""
    found = [_entry(*check) for check in _ALWAYS]
    used = {root_of(s["path"], app.roots.paths()) for s in app.store.series.each()}
    lost = [p for p in sorted(used) if not app.disks.is_folder(p)]
    if len(lost) == 1:
        found.append(_entry("RootFolderCheck", "error", f"Missing root folder: {lost[0]}", "missing-root-folder"))
    elif lost:
        told = f"Multiple root folders are missing: {' | '.join(lost)}"
        found.append(_entry("RootFolderCheck", "error", told, "missing-root-folder"))
    return found


def _entry(source: str, kind: str, message: str, anchor: str = "") -> Json:
    anchor = anchor or re.sub(r"[^a-z0-9]+", "-", message.lower()).strip("-")
    return {
        "source": source,
        "type": kind,
        "message": message,
        "wikiUrl": f"https://wiki.servarr.com/sonarr/system#{anchor}",
    }
