"""The adapter that `../shared/tools/replay.py` drives: one stack per scenario, in the recorded world.

As root the small disks are real memory disks and the servers are nobody; elsewhere capacities are simulated.
`ARR_BACKING=simulated` asks for the latter as root too. Waits that real servers make are scaled down.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sandbox import mounts
from sandbox.process import Stack
from sandbox.servarr.app import Timing

TIMING = Timing(retry_s=0.1, metadata_s=0.08)


_CLIP_BYTES = 76 * 1024


def _lab(app: str, world: dict[str, Any]) -> dict[str, Any]:
    """What the recorded world says in prose alone, as members of a world of the sandbox.

    Radarr's recordings were made with short clips padded to their size by holes, with plain folders for downloads and
    recycling beside the disks, and with the server's own folders. Sonarr's clips are 1280 by 720, whatever their names say.
    """
    if app != "radarr":
        return {"clip_resolution": 720}
    own = world.get("server_folders", {})
    data, *inside = re.findall(r"/\S+|(?<=folders )\w+|(?<=and )\w+", own.get("data", ""))[:3] or [""]
    folders = [f"{data}/{name}" for name in inside] + [own[k] for k in ("startup",) if k in own]
    padded = {"data_bytes": _CLIP_BYTES} if "padded" in world.get("video_files", "") else {}
    return {"folders": ["/data/downloads", "/data/recycle", *folders], **padded}


def _permissions(world: dict[str, Any]) -> list[dict[str, Any]]:
    """Permissions that stand in the world's notes (`… is owned by root, mode 755`), and the server's right to its data."""
    noted = (re.fullmatch(r"(/.*) is owned by root, mode (\d+)", note) for note in world.get("notes", []))
    modes = [{"path": m[1], "mode": "0555" if m[2] == "755" else "0000"} for m in noted if m]
    own = re.match(r"/\S+", world.get("server_folders", {}).get("data", ""))
    return modes + ([{"path": own[0], "mode": "0755"}] if own else [])


class Sandbox:
    """One instance serves one scenario at a time."""

    def __init__(self) -> None:
        real = mounts.available() and os.environ.get("ARR_BACKING") != "simulated"
        self._backing = "tmpfs" if real else "simulated"
        self._folder = Path()
        self._stack: Stack | None = None

    def start(self, app: str, world: dict[str, Any]) -> tuple[str, str]:
        """A fresh server of this app in this world: its origin (the recorded paths hold the URL base) and its key."""
        self._folder = Path(tempfile.mkdtemp(prefix="arr-fidelity-"))
        world = {**world, "app": app, **_lab(app, world)}
        self._stack = Stack(self._folder / "home", world, backing=self._backing, timing=TIMING)
        for event in _permissions(world):
            self._stack.event({"chmod": event})
        self._stack.start()
        handle = self._stack[app]
        return handle.origin, handle.api_key

    def event(self, event: dict[str, Any]) -> None:
        """Does to the world what the recording says was done."""
        chmod = event.get("chmod")
        if isinstance(chmod, dict) and "mode" not in chmod:
            # Without a mode the whole folder was given to somebody else, not one entry of it.
            event = {**event, "chmod": {**chmod, "recursive": True}}
        self._running().event(event)

    def tree(self, roots: list[str]) -> list[dict[str, Any]]:
        """Files under these folders."""
        return self._running().tree(roots)

    def stop(self) -> None:
        """Ends the server and leaves nothing behind."""
        if self._stack is not None:
            self._report(self._stack)
            self._stack.dispose()
        self._stack = None
        shutil.rmtree(self._folder)

    def _report(self, stack: Stack) -> None:
        """Adds what the answers broke of the servers' documents to the file that `ARR_VIOLATIONS` names."""
        target = os.environ.get("ARR_VIOLATIONS")
        if target:
            with Path(target).open("a") as log:
                log.writelines(json.dumps(v) + "\n" for v in stack.violations())

    def _running(self) -> Stack:
        if self._stack is None:
            raise RuntimeError("no scenario is under way")
        return self._stack
