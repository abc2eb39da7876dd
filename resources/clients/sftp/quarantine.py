"""Quarantine on an SFTP server: deleting by moving aside there, with a manifest that is enough to undo.

    ROOT/.arr-quarantine/<batch>/manifest.json     as on this machine's own disks, see `clients.localfs.quarantine`
    ROOT/.arr-quarantine/<batch>/files/<path>

The manifest is there, whole, before the first file moves. Files are renamed and never copied, so none leaves its file
system; every folder on the way is looked at, so no link is followed; what has moved is compared with what was meant. A cut
connection leaves each file in one of two places, and is taken back at once where the server can be reached again. The
protocol counts no hard links: what a purge frees is at most the sizes.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.action import Json
from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients.localfs import NO_DISK, Batch, Inode, Inodes, RealPaths
from resources.clients.localfs.quarantine import DOOMED, FOLDER, MANIFEST, NEW, came_from, place, understood
from resources.clients.sftp.names import shown
from resources.clients.sftp.queries import RemoteBytes, RemoteFile, RemoteTree

if TYPE_CHECKING:
    from resources.clients.sftp.client import SftpClient

OWN = 0o700  # rights of the folders that we make for ourselves
NOTHING_MOVED = "nothing was moved"


def batches(client: SftpClient, root: str) -> tuple[Batch, ...]:
    """What lies in the quarantine of `root`, sorted. ReadFailed when the folder or a manifest cannot be read."""
    home = f"{root.rstrip('/')}/{FOLDER}"
    top, hidden = _look(client, [_real(client, root), home])
    if top.state != "folder":
        raise ReadFailed("refused", f"{root} is no folder on {client.gate.where} ({top.why or top.state})", "see paths")
    if hidden.state == "missing":
        return ()
    if hidden.state != "folder":
        raise ReadFailed("malformed", f"{home} is no folder ({hidden.why or hidden.state})", "look at it yourself")
    try:
        files = {f.path: f for f in client.read(RemoteTree(client.gate.name, home))}
        names = sorted(p.split("/")[0] for p, f in files.items() if _is_manifest(p) and f.kind == "file")
        return tuple(_batch(client, root, name, files) for name in names)
    except NotThere as e:
        raise ReadFailed("incomplete", f"the quarantine {home} changed while it was looked at ({e})", "again") from None
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise ReadFailed("malformed", f"the quarantine {home} cannot be read ({e})", "look at its manifests") from None


def _is_manifest(path: str) -> bool:
    return path.count("/") == 1 and path.endswith(f"/{MANIFEST}")


def _batch(client: SftpClient, root: str, name: str, files: Mapping[str, RemoteFile]) -> Batch:
    told = _manifest(client, str(place(root, name)))
    here = [
        f for f in (files.get(f"{name}/files/{entry['path']}") for entry in told["files"]) if f and f.kind == "file"
    ]
    size = sum(f.size for f in here)
    return Batch(
        root=root,
        id=name,
        about=told["about"],
        until=datetime.fromisoformat(told["until"]),
        files=len(told["files"]),
        bytes=size,
        frees=size,
        whole=len(here) == len(told["files"]) or f"{name}/{DOOMED}" in files,
        home=came_from(root, told),
        spent=not here and f"{name}/{DOOMED}" not in files and _in_place(client, root, told),
        by=client.gate.name,
        exact=False,
    )


def _in_place(client: SftpClient, root: str, manifest: Mapping[str, Any]) -> bool:
    return all(i.state == "file" for i in _look(client, [f"{root}/{f['path']}" for f in manifest["files"]]))


def _manifest(client: SftpClient, folder: str) -> dict[str, Any]:
    raw = client.read(RemoteBytes(client.gate.name, f"{folder}/{MANIFEST}"))
    return understood(raw.decode("utf-8"))


def _look(client: SftpClient, paths: Iterable[str]) -> tuple[Inode, ...]:
    return client.read(Inodes(client.gate.name, tuple(paths)))


def _real(client: SftpClient, root: str) -> str:
    """The root may be a link itself: whoever declared it means what it leads to. ReadFailed."""
    return client.read(RealPaths(client.gate.name, (root,)))[0]


# --- moving aside


def stash(
    fs: SftpClient,
    root: str,
    batch: str,
    paths: Iterable[str],
    *,
    about: Mapping[str, Json],
    until: datetime,
    stop: str | None,
) -> None:
    """Move the files at `paths` aside. Folders that become empty go, up to `stop` and with it; None: none of them.

    WriteRefused: nothing was moved, or all of it was moved back. ReplyLost: the server could not be reached to tell.
    """
    fs.writable()
    folder, relatives = str(place(root, batch)), _beneath(root, paths)
    entries = _entries(fs, root, relatives)
    manifest = {"version": 1, "root": root, "about": dict(about), "until": until.isoformat(), "files": entries}
    try:
        _begin(fs, root, folder, manifest)
    except ReplyLost as e:
        raise WriteRefused(f"{e}: {NOTHING_MOVED}") from None
    try:
        _out(fs, root, folder, entries)
    except (WriteRefused, ReadFailed, NotThere, ReplyLost) as e:
        _undone(fs, root, folder, relatives, e)
    if stop is not None:
        _empty(fs, root, relatives, stop)


def _undone(fs: SftpClient, root: str, folder: str, relatives: Sequence[str], error: Exception) -> None:
    """Put back what was moved, and say how that ended."""
    try:
        left = _back(fs, root, folder, relatives)
    except (WriteRefused, ReadFailed, NotThere, ReplyLost) as e:
        raise ReplyLost(
            f"{error}; whether all of it is back is not known ({e}): what is not waits in {folder}"
        ) from None
    where = f"{len(left)} files stay in {folder}, as {left[0]}" if left else "all is back in its place"
    raise WriteRefused(f"{root} gave up no data ({error}); {where}") from None


def _beneath(root: str, paths: Iterable[str]) -> list[str]:
    """`paths` relative to `root`. WriteRefused when one is not strictly beneath it."""
    out = []
    for path in paths:
        relative = posixpath.relpath(path, root)
        if relative.startswith(("..", "/")) or relative == "." or relative.split("/")[0] == FOLDER or "\0" in path:
            raise WriteRefused(f"{shown(path)} is not beneath {root}: {NOTHING_MOVED}")
        out.append(relative)
    return out


def _ways(relatives: Iterable[str]) -> list[str]:
    """Every folder between the root and these, relative, the uppermost first."""
    parts = (relative.split("/") for relative in relatives)
    return sorted({"/".join(names[:end]) for names in parts for end in range(1, len(names))})


def _entries(fs: SftpClient, root: str, relatives: Sequence[str]) -> list[dict[str, Json]]:
    """The files as the manifest has them. WriteRefused for what is no file, behind a link or on another disk."""
    ways = _ways(relatives)
    top, *seen = _look(fs, [_real(fs, root), *(f"{root}/{r}" for r in (*ways, *relatives))])
    if top.state != "folder":
        raise WriteRefused(f"{root} is {top.why or top.state}: {NOTHING_MOVED}")
    for told in seen[: len(ways)]:
        if told.state != "folder":
            raise WriteRefused(
                f"the way through {told.path} leads elsewhere ({told.why or told.state}): {NOTHING_MOVED}"
            )
    files = seen[len(ways) :]
    for told in files:
        if told.state != "file":
            raise WriteRefused(f"{told.path} is {told.why or told.state}: {NOTHING_MOVED}")
        if NO_DISK in (told.device, top.device) and told.device != top.device:
            raise WriteRefused(f"whether {told.path} is on the file system of {root} was not told: {NOTHING_MOVED}")
        if told.device != top.device:
            raise WriteRefused(f"{told.path} is on another file system than {root}: {NOTHING_MOVED}")
    return [{"path": r, "size": t.size, "mtime_ns": t.mtime_ns} for r, t in zip(relatives, files, strict=True)]


def _begin(fs: SftpClient, root: str, folder: str, manifest: Mapping[str, Json]) -> None:
    """The manifest, whole. What a cut left before the first file had moved is no batch: it is begun anew."""
    home = posixpath.dirname(folder)
    hidden, before = _look(fs, [home, folder])
    if hidden.state not in ("missing", "folder") or before.state not in ("missing", "folder"):
        raise WriteRefused(f"{folder} is no folder of ours: {NOTHING_MOVED}", "look at it yourself")
    if before.state == "folder":
        if _inside(fs, folder):
            raise WriteRefused(f"{folder} is there already: {NOTHING_MOVED}", "see arr plan")
        _dissolve(fs, folder)
    if hidden.state == "missing":
        with suppress(WriteRefused):  # made by another one meanwhile
            fs.mkdir(home, OWN)
    fs.mkdir(folder, OWN)
    fs.mkdir(f"{folder}/files", OWN)
    fs.create(f"{folder}/{NEW}", json.dumps(manifest, ensure_ascii=True, indent=1).encode("ascii"))
    fs.rename(f"{folder}/{NEW}", f"{folder}/{MANIFEST}")
    for made in (folder, home, root):
        fs.flush(made)


def _out(fs: SftpClient, root: str, folder: str, entries: Sequence[Mapping[str, Json]]) -> None:
    """Each file under its path in the batch, whose folders are made here: there is nothing that could be overwritten.

    WriteRefused when what has come there is not what the manifest says: something was put in its place meanwhile.
    """
    relatives = [str(entry["path"]) for entry in entries]
    for way in _ways(relatives):
        fs.mkdir(f"{folder}/files/{way}", OWN)
    fs.move_all([(f"{root}/{relative}", f"{folder}/files/{relative}") for relative in relatives])
    for entry, told in zip(entries, _look(fs, [f"{folder}/files/{r}" for r in relatives]), strict=True):
        if (told.state, told.size, told.mtime_ns) != ("file", entry["size"], entry["mtime_ns"]):
            raise WriteRefused(f"{root}/{entry['path']} was changed while it was moved")


def _empty(fs: SftpClient, root: str, relatives: Sequence[str], stop: str) -> None:
    """Remove the folders that the moves left empty, inside of `stop`, which itself goes last when it is not the root."""
    found = (f"{root}/{way}" for way in reversed(_ways(relatives)))
    for folder in sorted((f for f in found if f == stop or f.startswith(f"{stop}/")), key=len, reverse=True):
        with suppress(WriteRefused, NotThere, ReplyLost):  # something else is in it: it stays
            fs.rmdir(folder)


# --- taking back


def restore(fs: SftpClient, root: str, batch: str) -> None:
    """Put everything of a batch back where it was. WriteRefused, with what is in the way; then the rest is back."""
    fs.writable()
    folder = str(place(root, batch))
    _ours(fs, folder)
    try:
        paths = [str(f["path"]) for f in _manifest(fs, folder)["files"]]
    except (NotThere, ReadFailed, ValueError, KeyError, TypeError) as e:
        raise WriteRefused(f"{folder} has no manifest that can be read ({e})") from None
    if left := _back(fs, root, folder, _beneath(root, [f"{root}/{p}" for p in paths])):
        raise WriteRefused(
            f"{len(left)} files stay in {folder}: something is in their place, or its manifest does not know them, as {left[0]}"
        )


def _back(fs: SftpClient, root: str, folder: str, relatives: Sequence[str]) -> list[str]:
    """Files of the batch that could not be put back: something is in their place, or nobody knows where they belong."""
    here = sorted(_inside(fs, folder) & set(relatives))
    closed = _make_ways(fs, root, here)
    ready = [relative for relative in here if not closed & set(_ways([relative]))]
    there = _look(fs, [f"{root}/{relative}" for relative in ready])  # not every server refuses to replace a file
    free = [relative for relative, told in zip(ready, there, strict=True) if told.state == "missing"]
    fs.rename_all([(f"{folder}/files/{relative}", f"{root}/{relative}") for relative in free])
    left = sorted(_inside(fs, folder))
    if not left:
        _dissolve(fs, folder)
    return [shown(path) for path in left]


def _make_ways(fs: SftpClient, root: str, relatives: Sequence[str]) -> set[str]:
    """The folders of files that come back. Those that cannot be made, or are links, come back: nothing goes through them."""
    closed: set[str] = set()
    ways = _ways(relatives)
    for way, told in zip(ways, _look(fs, [f"{root}/{way}" for way in ways]), strict=True):
        if told.state == "missing" and not closed & set(_ways([f"{way}/-"])):
            with suppress(WriteRefused, NotThere):
                fs.mkdir(told.path)
                continue
        if told.state != "folder":
            closed.add(way)
    return closed


def _inside(fs: SftpClient, folder: str) -> set[str]:
    """What lies in a batch besides folders, as paths beneath its `files`. What is there otherwise counts under its name."""
    try:
        found = fs.read(RemoteTree(fs.gate.name, folder))
    except NotThere:
        return set()
    known = (MANIFEST, NEW, DOOMED)
    return {f.path.removeprefix("files/") for f in found if f.kind != "folder" and f.path not in known}


# --- for good


def purge(fs: SftpClient, root: str, batch: str) -> int:
    """Delete a batch for good. Its bytes: what came back to the disk at most, as hard links are not told."""
    fs.writable()
    folder = str(place(root, batch))
    _ours(fs, folder)
    found = fs.read(RemoteTree(fs.gate.name, folder))
    if not any(f.path == DOOMED for f in found):
        fs.create(f"{folder}/{DOOMED}", b"")
    fs.unlink_all([f"{folder}/{f.path}" for f in found if f.path.startswith("files/") and f.kind != "folder"])
    _dissolve(fs, folder)
    return sum(f.size for f in found if f.path.startswith("files/") and f.kind == "file")


def _ours(fs: SftpClient, folder: str) -> None:
    """WriteRefused unless the batch is there, and no link leads elsewhere."""
    for told in _look(fs, [posixpath.dirname(folder), folder, f"{folder}/files"]):
        if told.state == "missing" and not told.path.endswith("/files"):
            raise WriteRefused(f"there is no batch {folder}")
        if told.state not in ("folder", "missing"):
            raise WriteRefused(
                f"{told.path} is a link or unreadable: nothing behind it is touched", "look at it yourself"
            )


def _dissolve(fs: SftpClient, folder: str) -> None:
    """Remove a batch that holds nothing but its manifest and empty folders. WriteRefused when it does hold something."""
    try:
        found = fs.read(RemoteTree(fs.gate.name, folder))
    except NotThere:
        return
    for path in sorted((f.path for f in found if f.kind == "folder"), key=len, reverse=True):
        fs.rmdir(f"{folder}/{path}")
    for name in (NEW, MANIFEST, DOOMED):
        if any(f.path == name and f.kind != "folder" for f in found):
            fs.unlink(f"{folder}/{name}")
    fs.rmdir(folder)
