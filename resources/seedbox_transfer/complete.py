"""Whether a release is complete: by the torrent client where one is declared, else by being seen unchanged for a while.

Pure. What the client does not claim is held unless `settled` was written beside it: an empty list after a restart must not
make everything look complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from reconciler.stack import Stack
from reconciler.units import age_text
from resources.clients.sftp.names import shown
from resources.clients.torrents import Torrent
from resources.references import Place, place
from resources.references.places import plain
from resources.seedbox_transfer.release import Release, excluded
from resources.seedbox_transfer.spec import SeedboxTransferSpec

HALF = (".part", ".!qB", ".!ut", ".meta")  # what clients put behind the name of a file that is not whole yet


def called_there(stack: Stack, client: str, sftp: str, root: str) -> Callable[[str], tuple[str, ...]]:
    """What a path of the torrent client may be called on the SFTP server: by the rows of `paths` that name both, by a third
    name that both have, and as it is. Each can only keep a release from being taken for nobody's."""
    rows = [(plain(row[client]), plain(row[sftp])) for row in stack.paths if client in row and sftp in row]
    top, at = plain(root) or root, place(stack, sftp, root)

    def names(path: str) -> tuple[str, ...]:
        path = plain(path)
        if not path:
            return ()
        fits = [(old, new) for old, new in rows if old and new and Place("", old).holds(Place("", path))]
        best = max(fits, key=lambda pair: len(pair[0]), default=None)
        found = [path if best is None else (best[1].rstrip("/") + path[len(best[0].rstrip("/")) :]) or "/"]
        where = place(stack, client, path)
        if at is not None and where is not None and at.space:
            if at.holds(where):
                found.append(top.rstrip("/") + where.path[len(at.path.rstrip("/")) :])
            elif where.holds(at):
                found.append(top.removesuffix(at.path[len(where.path.rstrip("/")) :]) or "/")
        return tuple(dict.fromkeys(found))

    return names


def claimed(
    root: str, torrents: Sequence[Torrent], there: Callable[[str], Iterable[str]]
) -> Mapping[str, tuple[Torrent, ...]]:
    """Name of a release → the torrents whose payload is it, or lies in it, also under the names of half files.

    "" → torrents on their way whose files lie in the folder itself, and whose client does not tell which those are.
    `there`: what a path of the client may be called on the server.
    """
    found: dict[str, dict[str, Torrent]] = {}
    prefix = (plain(root) or root).rstrip("/") + "/"
    for torrent in torrents:
        paths = list(there(torrent.content)) if torrent.content else []
        if any(prefix.startswith(path.rstrip("/") + "/") for path in paths):  # a payload without a folder of its own
            paths += [path for f in torrent.files or () for path in there(f"{torrent.save_path}/{f.path}")]
            if torrent.files is None and not torrent.complete:
                found.setdefault("", {})[torrent.hash] = torrent
        for path in paths:
            if path.startswith(prefix):
                name = path[len(prefix) :].partition("/")[0]
                for half in ("", *HALF):
                    found.setdefault(name + half, {})[torrent.hash] = torrent
    return {name: tuple(some.values()) for name, some in found.items()}


def unfinished(torrents: Sequence[Torrent], patterns: Sequence[str]) -> str:
    """Why the client says that it is not complete; "" when all of it is. Excluded files do not count."""
    for torrent in torrents:
        if torrent.state in ("checking", "moving"):
            return f"its torrent is {torrent.state}"
        if not torrent.complete:
            share = f" ({torrent.done / torrent.size:.0%})" if torrent.size else ""
            return f"its torrent is not complete{share}"
        for file in torrent.files or ():
            within = _within(torrent, file.path)
            if (not file.wanted or file.done < file.size) and not excluded(within, patterns):
                return f"{shown(within)} was deselected in its torrent, and may lie there half"
    return ""


def _within(torrent: Torrent, path: str) -> str:
    """A file's path in its release. rtorrent begins in the torrent's own folder, others above it."""
    whole, folder = f"{torrent.save_path}/{path}", f"{torrent.content}/"
    return whole.removeprefix(folder) if whole.startswith(folder) else path.rpartition("/")[2]


def unsettled(spec: SeedboxTransferSpec, release: Release, seen: tuple[str, datetime] | None, now: datetime) -> str:
    """Why it does not count as settled yet; "" when it was seen in this very state `settled` ago, and since."""
    wanted = age_text(spec.when.settled)
    if seen is None or seen[0] != release.fingerprint:
        return f"seen so for the first time: it has to stay unchanged for {wanted}"
    age = (now - seen[1]).total_seconds()
    return "" if age >= spec.when.settled else f"unchanged for {age_text(max(0, age))} of {wanted}"
