"""Links, where this machine can see the files: an item that shares files with something else stays where it is.

A hard link: moving the item to another disk would copy what the other name still holds, and free nothing. A symbolic one:
the apps follow it, and what it points at would move along. Both are seen only through a folder that `paths` maps to this
machine and that shows the item's files; elsewhere the plan says that they were not checked.
"""

from __future__ import annotations

from reconciler.stack import Stack
from reconciler.units import size_text
from resources.clients.localfs import HERE, HardLinks, Linked
from resources.disk_fill.eligibility import No
from resources.disk_fill.world import Thing


def local_path(stack: Stack, connection: str, path: str) -> str | None:
    """`path` of an app as this machine sees it, by the longest mapping that holds it; None when none does."""
    best = ("", "")
    for mapping in stack.paths:
        there, here = mapping.get(connection, "").rstrip("/"), mapping.get(HERE, "").rstrip("/")
        if there and here and (path + "/").startswith(there + "/") and len(there) > len(best[0]):
            best = (there, here)
    return best[1] + path[len(best[0]) :] if best[0] else None


def query(stack: Stack, thing: Thing) -> HardLinks | None:
    """What to ask about a thing; None when this machine does not see its files."""
    path = local_path(stack, thing.connection, thing.item.path)
    return HardLinks(HERE, path) if path is not None else None


def no(found: Linked, files: int) -> No | None:
    """Why it stays; None when it holds its own files and nothing else. `files`: how many the app tracks."""
    if found.symlinks:
        what = "1 symbolic link is" if found.symlinks == 1 else f"{found.symlinks} symbolic links are"
        return No(
            f"{what} in its folder, and the app would move what lies behind",
            "it can move once nothing in it is a link to another place",
        )
    if found.files < files:
        return No(
            f"this machine sees {found.files} files where the app has {files}, so its links are not known",
            "see that paths names the same folder for both",
        )
    if not found.shared_files:
        return None
    return No(
        f"{found.shared_files} of {found.files} files ({size_text(found.shared_bytes)}) have other names too (hard links)",
        "moving it would not free them; it can move once the other names are gone",
    )
