"""`make demo-seedbox`: one torrent from the seedbox to the library and away, plan by plan, as a user sees them.

rtorrent and OpenSSH are the real ones and have to be installed; Sonarr is the sandbox's. It runs the very commands that a
user would type. What it made stays in `.sandbox/seedbox` to look at; every server is ended at the end.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from sandbox.demo import ARR, ROOT, say
from sandbox.seedbox.programs import lacking
from sandbox.seedbox.scene import Scene

HOME = ROOT / ".sandbox" / "seedbox"


class Story:
    """The scene with the commands of its user, run in the scene's folder."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")}
        self._env = {**env, **scene.env}

    def arr(self, *args: str, expect: tuple[int, ...] = (0,)) -> None:
        """Show and run `arr ARGS`; ends the demo when it returns what it should not."""
        say(f"$ arr {shlex.join(args)}")
        done = subprocess.run([ARR, *args], cwd=self.scene.home, env=self._env, check=False)
        if done.returncode not in expect:
            sys.exit(f"arr {' '.join(args)} ended with {done.returncode}, not with {' or '.join(map(str, expect))}")

    def planned(self) -> str:
        """The short id of a plan, after it was shown."""
        self.arr("plan")
        asked = [ARR, "plan", "--format", "json"]
        told = subprocess.run(asked, cwd=self.scene.home, env=self._env, check=True, stdout=subprocess.PIPE, text=True)
        return str(json.loads(told.stdout)["plan"]["id"])[:8]


def shown(title: str, paths: Iterable[Path]) -> None:
    """The files with how many names their bytes have."""
    say(title)
    for path in sorted(paths):
        told = path.stat()
        names = f"{told.st_nlink} name{'s' if told.st_nlink > 1 else ''}"
        print(f"  {path.relative_to(HOME)}   {told.st_size:,} bytes, {names}")


def tell(scene: Scene) -> None:
    """The story, from a torrent that is complete to an empty seedbox."""
    story, season = Story(scene), scene.release(2)
    torrent = scene.torrent(season)
    for name in ("seedbox_transfer.yaml", "torrent_retention.yaml"):
        lines = (scene.home / "desired" / name).read_text().splitlines()
        print("\n".join(line for line in lines if not line.startswith("# yaml-language-server")))
    say(f"The seedbox downloads {season.name} from a stranger. It is complete:")
    scene.downloads(torrent)
    first = story.planned()
    say("It comes home over SFTP. Nobody has imported it and it has seeded nothing, so it stays on the seedbox.")
    story.arr("apply", first)
    say("Again: here, whole; nothing to fetch, and nothing may go yet.")
    story.arr("plan")
    say("Sonarr imports it, by hardlink. Its tracker still wants a ratio of 1, or 14 days:")
    scene.imports(season.name, torrent)
    shown("What is at home:", [*scene.incoming.rglob("*.mkv"), *scene.library.glob("Season 2/*")])
    story.arr("plan")
    story.arr("why", season.name)
    say("You tidy the incoming folder up. That is no reason to fetch it again:")
    shutil.rmtree(scene.incoming / season.name)
    story.arr("why", season.name)
    say("Another stranger downloads it from the seedbox: the ratio is 1. Should Sonarr be down now, nothing goes:")
    scene.uploads(torrent)
    scene.stack.stop("sonarr")
    story.arr("plan", expect=(7,))
    say("Sonarr is back:")
    scene.stack.start("sonarr")
    last = story.planned()
    say("The first time that anything is removed, exactly that plan has to be approved:")
    story.arr("apply", last, "--approve", last)
    shown(
        "The seedbox is empty, and the library has its files:",
        [*scene.tv.rglob("*"), *scene.library.glob("Season 2/*")],
    )
    story.arr("plan")
    story.arr("history")
    say(f"Look around: {HOME.relative_to(ROOT)} holds the seedbox, the disks at home, desired/ and state/.")


def main() -> None:
    """Starts everything, tells the story, ends everything."""
    if gone := lacking():
        sys.exit(f"This demo runs a real seedbox, and some of it is {gone}")
    shutil.rmtree(HOME, ignore_errors=True)
    say(
        "A seedbox (rtorrent, OpenSSH), a tracker and two strangers, and at home a simulated Sonarr. What is wished for:"
    )
    with Scene(HOME) as scene:
        tell(scene)


if __name__ == "__main__":
    main()
