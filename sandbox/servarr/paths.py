"""Paths as the servers judge them: valid, parent of, under which root folder."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.errors import failure
from sandbox.values import Json

_SYSTEM = ("/bin", "/boot", "/lib", "/sbin", "/proc", "/sys", "/usr/bin", "/usr/lib")


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
