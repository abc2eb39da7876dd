"""Paths as the servers judge them: valid, parent of, under which root folder."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.errors import failure
from sandbox.values import Json

_SYSTEM = ("/bin", "/boot", "/lib", "/sbin", "/proc")


def clean(path: str) -> str:
    """Without a slash at the end; `/` stays."""
    return path.rstrip("/") or "/" if path.startswith("/") else path


def is_valid(path: str | None) -> bool:
    """Whether the servers take it for an absolute path."""
    return bool(path) and str(path).startswith("/") and "\0" not in str(path)


def is_parent(parent: str, child: str) -> bool:
    """Whether the child lies somewhere below the parent."""
    top = clean(parent)
    return child.startswith(top if top == "/" else top + "/") and clean(child) != top


def parent_of(path: str) -> str:
    """The folder a path is in."""
    return clean(path).rsplit("/", 1)[0] or "/"


def name_of(path: str) -> str:
    """The last part of a path."""
    return clean(path).rsplit("/", 1)[-1]


def root_of(path: str, roots: Iterable[str]) -> str:
    """The longest root folder that contains the path, else the folder it is in."""
    found = [r for r in roots if is_parent(r, path)]
    return max(found, key=len, default=parent_of(path))


def path_failure(path: str | None, prop: str = "Path") -> Json | None:
    """The failure of a path that is no path."""
    if is_valid(path):
        return None
    told = f"Invalid Path: '{'{path}' if path is None else path}'"
    extra = {} if path is None else {"path": path}
    return failure(prop, told, "PathValidator", path, **extra)


def system_failure(path: str, prop: str = "Path") -> Json | None:
    """The failure of a path that is, or lies in, a folder of the system."""
    for folder in _SYSTEM:
        relationship = "set to" if clean(path) == folder else "child of" if is_parent(folder, path) else ""
        if relationship:
            text = f"Path '{path}' is {relationship} system folder {folder}"
            more = {"path": path, "systemFolder": folder, "relationship": relationship}
            return failure(prop, text, "SystemFolderValidator", path, **more)
    return None


def bin_failure(path: str, recycle_bin: str) -> Json | None:
    """The failure of a path that is, or lies in, the recycle bin."""
    relationship = ""
    if recycle_bin:
        same, inside = clean(path) == clean(recycle_bin), is_parent(recycle_bin, path)
        relationship = "set to" if same else "child of" if inside else ""
    if not relationship:
        return None
    text = f"Path '{path}' is {relationship} configured recycle bin folder"
    return failure("Path", text, "RecycleBinValidator", path, path=path, relationship=relationship)
