"""This machine's own file system as a connection, called `here`; see `client`.

client    opening, and the questions it answers    staging   files that are not whole yet, and their one rename
"""

from __future__ import annotations

from resources.clients.localfs.client import APP, HERE, MOST_FILES, FsSize, HardLinks, Linked, LocalFs, LocalSpec, Space
from resources.clients.localfs.inodes import NO_DISK, Beneath, Inode, Inodes, RealPaths
from resources.clients.localfs.leftovers import Leftover, Leftovers
from resources.clients.localfs.mark import FolderMark
from resources.clients.localfs.quarantine import Batch, Batches
from resources.clients.localfs.trees import LocalFile, LocalNames, LocalTree, Staged

__all__ = [
    "APP",
    "HERE",
    "MOST_FILES",
    "NO_DISK",
    "Batch",
    "Batches",
    "Beneath",
    "FolderMark",
    "FsSize",
    "HardLinks",
    "Inode",
    "Inodes",
    "Leftover",
    "Leftovers",
    "Linked",
    "LocalFile",
    "LocalFs",
    "LocalNames",
    "LocalSpec",
    "LocalTree",
    "RealPaths",
    "Space",
    "Staged",
]
