"""Quarantine: deleting by moving aside, on the same file system, with a manifest that is enough to undo.

    ROOT/.arr-quarantine/<batch>/manifest.json     what it is, where each file was, when it may go for good
    ROOT/.arr-quarantine/<batch>/files/<path>      the files, under the paths that they had beneath ROOT

The manifest is on disk before the first file moves, so whatever a kill leaves behind can be told and taken back: a file is
in one of two places, never in none. Nothing is overwritten, no link is followed, and no file leaves its file system.
What writes here is called by verbs only, through a client opened for writing.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.action import Json
from reconciler.facts import Query, ReadFailed
from reconciler.kind import WriteRefused
from resources.clients.localfs.client import HERE, LocalFs, answers
from resources.clients.localfs.inodes import BLOCK, Inode, look
from resources.clients.text import is_whole

FOLDER = ".arr-quarantine"
MANIFEST = "manifest.json"
NEW = f"{MANIFEST}.new"  # while it is written: half a manifest is none
DOOMED = "purge"  # a file that says: a purge has begun, and what is left of the batch may go
_BATCH = re.compile(r"[a-z0-9][a-z0-9.-]{0,120}")


@dataclass(frozen=True, slots=True)
class Batch:
    """What was moved aside together.

    `about`    what the caller wrote into the manifest: whose it was and why.
    `until`    when it may go for good. `bytes`: the sizes of its files; `frees`: what a purge gives back to the disk.
    `whole`    every file of the manifest is here, or was before a purge that was cut; False after a move that was cut.
    `by`       through which connection it is seen; `exact`: False where hard links cannot be counted, so that less is freed.
    `home`     where it was: its file, or the deepest folder that held all of it.
    `spent`    nothing waits in it: what it held is in its place (again), and only its record is left.
    """

    root: str
    id: str
    about: Mapping[str, Json]
    until: datetime
    files: int
    bytes: int
    frees: int
    whole: bool
    home: str
    spent: bool = False
    by: str = HERE
    exact: bool = True


@dataclass(frozen=True)
class Batches(Query[tuple[Batch, ...]]):
    """What lies in the quarantine of `root`, sorted. Empty when there is none; unknown when one cannot be read."""

    root: str


def place(root: str, batch: str) -> Path:
    """The folder of a batch. WriteRefused for a name that could be another place."""
    if not _BATCH.fullmatch(batch) or ".." in batch:
        raise WriteRefused(f"'{batch}' is no name of a batch")
    return Path(root) / FOLDER / batch


@answers(Batches)
def _batches(query: Batches) -> tuple[Batch, ...]:
    home = Path(query.root) / FOLDER
    try:
        names = sorted(os.listdir(home))  # noqa: PTH208  # names, not paths
        return tuple(_batch(query.root, name) for name in names if (home / name / "manifest.json").is_file())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ReadFailed("malformed", f"the quarantine {home} cannot be read ({e})", "look at its manifests") from None


def _batch(root: str, name: str) -> Batch:
    told = _manifest(Path(root) / FOLDER / name)
    kept = [look(str(Path(root) / FOLDER / name / "files" / f["path"])) for f in told["files"]]
    here = [i for i in kept if i.state == "file"]
    doomed = os.path.lexists(f"{root}/{FOLDER}/{name}/{DOOMED}")
    return Batch(
        root=root,
        id=name,
        about=told["about"],
        until=datetime.fromisoformat(told["until"]),
        files=len(told["files"]),
        bytes=sum(i.size for i in here),
        frees=sum(i.on_disk for i in here if i.names == 1),
        whole=len(here) == len(kept) or doomed,
        home=came_from(root, told),
        spent=not doomed and all(_returned(root, f["path"], i) for f, i in zip(told["files"], kept, strict=True)),
    )


def _returned(root: str, path: str, kept: Inode) -> bool:
    """Whether a file of a batch is in its place, and not here, or here as well: a kill between the two steps of a return."""
    if kept.state == "file" and kept.names == 1:
        return False
    there = look(f"{root}/{path}")
    return there.state == "file" and (kept.state == "missing" or there.ident == kept.ident)


def _manifest(folder: Path) -> dict[str, Any]:
    return understood((folder / MANIFEST).read_text(encoding="utf-8"))


def understood(text: str) -> dict[str, Any]:
    """A manifest: `about` with whole texts, `until` with its zone, and `files` with their paths. ValueError for what is none."""
    try:
        told = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(told, dict) or not isinstance(told.get("about"), dict) or not isinstance(told.get("files"), list):
        raise ValueError("it is no manifest")  # of a file's content, not of an argument
    if not is_whole(json.dumps(told, ensure_ascii=False)):
        raise ValueError("it holds half a character")
    if datetime.fromisoformat(str(told.get("until"))).tzinfo is None:
        raise ValueError("the time in it has no zone")
    if any(not isinstance(f, dict) or not isinstance(f.get("path"), str) for f in told["files"]):
        raise ValueError("a file in it has no path")
    return told


def came_from(root: str, manifest: Mapping[str, Any]) -> str:
    """Where the files of a manifest were: the one file, or the deepest folder that held all of them."""
    paths = [os.path.normpath(f"{root}/{f['path']}") for f in manifest["files"]]
    return os.path.commonpath(paths or [root])


def beneath(root: str, paths: Iterable[str]) -> list[str]:
    """`paths` relative to `root`. WriteRefused when one is not strictly beneath it, or goes through a link."""
    real, out = os.path.realpath(root), []
    for path in paths:
        relative = os.path.relpath(path, root)
        if relative.startswith(("..", "/")) or relative == "." or relative.split("/")[0] == FOLDER:
            raise WriteRefused(f"{path} is not beneath {root}: nothing was moved")
        if os.path.realpath(os.path.dirname(path)) != os.path.normpath(f"{real}/{os.path.dirname(relative)}"):  # noqa: PTH120
            raise WriteRefused(f"the way to {path} leads through a link: nothing was moved")
        out.append(relative)
    return out


def stash(
    fs: LocalFs,
    root: str,
    batch: str,
    paths: Iterable[str],
    *,
    about: Mapping[str, Json],
    until: datetime,
    stop: str | None,
) -> None:
    """Move the files at `paths` aside. Folders that become empty go, up to `stop` and with it; None: none of them.

    WriteRefused: nothing was moved, or all of it was moved back.
    """
    fs.writable()
    folder, relatives = place(root, batch), beneath(root, paths)
    device = look(root).device
    entries = []
    for relative in relatives:
        told = look(f"{root}/{relative}")
        if told.state != "file":
            raise WriteRefused(f"{told.path} is {told.why or told.state}: nothing was moved")
        if told.device != device:
            raise WriteRefused(f"{told.path} is on another file system than {root}: nothing was moved")
        entries.append({"path": relative, "size": told.size, "mtime_ns": told.mtime_ns, "inode": told.inode})
    _begin(folder, {"version": 1, "root": root, "about": dict(about), "until": until.isoformat(), "files": entries})
    moved: list[str] = []
    try:
        for relative in relatives:
            target = folder / "files" / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(f"{root}/{relative}", target)  # noqa: PTH104  # the target is fresh: nothing to overwrite
            moved.append(relative)
    except OSError as e:
        left = _back(root, folder, moved)
        where = f"{len(left)} files stay in {folder}, as {left[0]}" if left else "all is back in its place"
        raise WriteRefused(f"{root}/{relative} could not be moved aside ({e.strerror}); {where}") from None
    if stop is not None:
        _empty(root, relatives, stop)


def _begin(folder: Path, manifest: Mapping[str, Json]) -> None:
    """The manifest on disk. What a kill left before the first file had moved is no batch: it is begun anew."""
    try:
        if folder.is_dir() and not folder.is_symlink() and next(_files(folder / "files"), None) is None:
            _dissolve(folder)
        folder.mkdir(parents=True, mode=0o700)
        with (folder / NEW).open("x", encoding="utf-8") as file:
            json.dump(manifest, file, ensure_ascii=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        (folder / NEW).rename(folder / MANIFEST)
    except FileExistsError:
        raise WriteRefused(f"{folder} is there already: nothing was moved", "see arr plan") from None
    except OSError as e:
        raise WriteRefused(f"{folder} could not be made ({e.strerror}): nothing was moved") from None
    for made in (folder, folder.parent, folder.parent.parent):
        _flush(made)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _empty(root: str, relatives: Iterable[str], stop: str) -> None:
    """Remove the folders that the moves left empty, inside of `stop` (a folder beneath or at root), which itself goes last
    when it is not root."""
    folders = {str(p) for r in relatives for p in Path(root, r).parents}
    inside = sorted((f for f in folders if f == stop or f.startswith(f"{stop}/")), key=len, reverse=True)
    for folder in inside:
        if folder == root or os.path.realpath(folder) == os.path.realpath(root):
            continue
        try:
            os.rmdir(folder)  # noqa: PTH106
        except OSError:
            continue  # something else is in it: it stays


def _back(root: str, folder: Path, moved: Iterable[str]) -> list[str]:
    """Files of `moved` that could not be put back, because something else is in their place or the disk refuses."""
    left = []
    for relative in moved:
        source, target = folder / "files" / relative, Path(root, relative)
        if not source.exists():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _put(source, target)
        except OSError:
            left.append(relative)
    left += [path for path in _files(folder / "files") if path not in {str(folder / "files" / r) for r in left}]
    if not left:
        _dissolve(folder)
    return left


def _put(source: Path, target: Path) -> None:
    """A rename that never overwrites: by a second name, or after a look where the file system has no second names."""
    if os.path.lexists(target) and os.path.samestat(source.lstat(), target.lstat()):
        source.unlink()  # a return that was cut after the first of these two steps
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as e:
        if e.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS) or os.path.lexists(target):
            raise
        source.rename(target)
        return
    source.unlink()


def _dissolve(folder: Path) -> None:
    """Remove a batch that holds nothing but its manifest and empty folders. OSError when it does hold something."""
    for where, _, _ in os.walk(folder, topdown=False):
        if where == str(folder):
            for name in (NEW, MANIFEST, DOOMED):
                (folder / name).unlink(missing_ok=True)
        os.rmdir(where)  # noqa: PTH106


def restore(fs: LocalFs, root: str, batch: str) -> None:
    """Put everything of a batch back where it was. WriteRefused, with what is in the way; then the rest is back."""
    fs.writable()
    folder = place(root, batch)
    try:
        paths = [str(f["path"]) for f in _manifest(folder)["files"]]
    except (OSError, ValueError, KeyError) as e:
        raise WriteRefused(f"{folder} has no manifest that can be read ({e})") from None
    beneath(root, [f"{root}/{p}" for p in paths])
    left = _back(root, folder, paths)
    if left:
        raise WriteRefused(
            f"{len(left)} files stay in {folder}: something is in their place, or its manifest does not know them, as {left[0]}"
        )


def purge(fs: LocalFs, root: str, batch: str) -> int:
    """Delete a batch for good. Bytes that this gave back to the disk, by the last name of each file."""
    fs.writable()
    folder = place(root, batch)
    if not folder.is_dir():
        raise WriteRefused(f"there is no batch {folder}")
    if link := next((path for path in (folder.parent, folder, folder / "files") if path.is_symlink()), None):
        raise WriteRefused(f"{link} is a link: what lies behind it is not deleted", "look at it yourself")
    freed = 0
    try:
        os.close(os.open(folder / DOOMED, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        for path in _files(folder / "files"):
            told = os.lstat(path)
            os.unlink(path)  # noqa: PTH108
            freed += told.st_blocks * BLOCK if told.st_nlink == 1 and stat.S_ISREG(told.st_mode) else 0
        if (folder / "files").exists():
            shutil.rmtree(folder / "files")
        _dissolve(folder)
    except OSError as e:
        raise WriteRefused(
            f"{folder} could not be deleted whole ({e.strerror})", "the next plan goes on with it"
        ) from None
    return freed


def _files(folder: Path) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        yield from (f"{where}/{name}" for name in names)
