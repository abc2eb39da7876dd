"""Memory disks and bind mounts for worlds that want the kernel's own refusals. Root on Linux only.

The first mount gives the process a mount namespace of its own, so that whatever becomes of it, its mounts vanish with
it; where that is forbidden they are made in the open and unmounted by the world's `close`.
"""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import tempfile

_CLONE_NEWNS = 0x00020000
_private: list[bool] = []


@functools.cache
def available() -> bool:
    """Whether this process may mount: root may not everywhere, so it is tried once."""
    if os.name != "posix" or os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            memory_disk(folder, 1 << 20, 0)
        except OSError:
            return False
        unmount(folder)
    return True


def memory_disk(real: str, size: int, owner: int) -> None:
    """Mounts a memory disk of this size, owned by the servers' user."""
    _own_namespace()
    _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0755,uid={owner},gid={owner}", "tmpfs", real)


def bind(source: str, target: str) -> None:
    """Shows a folder under a second path."""
    _own_namespace()
    _run("mount", "--bind", source, target)


def remount(real: str, *, writable: bool) -> None:
    """Makes a mount read-only or writable again."""
    _run("mount", "-o", "remount,rw" if writable else "remount,ro", real)


def unmount(real: str) -> None:
    """Takes a mount away, even while it is in use."""
    _run("umount", "-l", real)


def _own_namespace() -> None:
    if _private:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    separate = libc.unshare(_CLONE_NEWNS) == 0
    if separate:
        _run("mount", "--make-rprivate", "/")
    _private.append(separate)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
