"""Does what was imported account for the whole payload? For downloads that no app has grabbed. Pure, called by `proof`.

A grab lists every part that is awaited. Without one (a torrent that was added by hand, an import by hand) the history only
tells which files were taken: one episode of a season would speak for all of it. Then every video of the payload has to be
among them, or else it is not known.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from resources.clients.servarr.history import GRABBED, IGNORED, IMPORTED, Event
from resources.clients.torrents import TorrentFile

_VIDEO = re.compile(
    r".*\.(3gp|asf|avi|divx|flv|img|iso|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|ogm|ogv|rmvb?|ts|vob|webm|wmv)", re.DOTALL
)
_ARCHIVE = re.compile(
    r"(.*?)(\.part\d+)?\.(rar|zip|7z)", re.DOTALL
)  # a set of volumes; .r00 and its like come with a .rar
_SAMPLE = re.compile(r"(^|[^a-z])samples?([^a-z]|$)")


def uncovered(files: Iterable[TorrentFile] | None, events: Iterable[Event]) -> str:
    """Why the imports among `events` (all of one download, of every app) do not account for its `files`; "" when they do."""
    told = tuple(events)
    if any(e.event in (GRABBED, IGNORED) for e in told):
        return ""
    if files is None:
        return "its files are not known"
    videos, archives = _wanted(files)
    taken = [e for e in told if e.event in IMPORTED]
    dropped = {re.split(r"[/\\\\]" if "/" not in e.dropped else "/", e.dropped)[-1] for e in taken if e.dropped}
    nameless = len({(e.item_id, e.file_id, e.path) for e in taken if not e.dropped})
    if len(videos) + archives <= 1:
        return ""
    missing = [name for name in videos if name not in dropped]
    lacks = max(0, len(missing) - nameless) + max(0, archives - len(dropped - set(videos)))
    if not lacks:
        return ""
    name = f" ({missing[0]})" if missing else ""
    return f"nobody grabbed it, and no history tells that {lacks} of its {len(videos) + archives} videos were imported{name}"


def _wanted(files: Iterable[TorrentFile]) -> tuple[list[str], int]:
    """The names of its videos, without samples, and how many archives it has, each of which holds one at least."""
    videos, archives = [], set()
    for path in (f.path for f in files if f.wanted):
        low = path.lower()
        if _SAMPLE.search(low):
            continue
        if _VIDEO.fullmatch(low):
            videos.append(posixpath.basename(path))
        elif match := _ARCHIVE.fullmatch(low):
            archives.add(match[1])
    return videos, len(archives)
