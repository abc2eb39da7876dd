"""Ready-made worlds for the demo, for tests and for `arr sandbox up --scenario NAME`.

A scenario is a function that returns a world as plain data, the same every time:

    disks     [{path, size, fixed}]          virtual mounts, in bytes
    folders   [path]                         the root folders, made first
    files     [{path, size}]                 made in this order (sparse where the disk is simulated)
    settings  {speed?}                       bytes a second of a move
    servers   [{name, app, version, metadata, seed, queue}]

The vocabulary is that of `sandbox/README.md`; `seed` is what the servers know of the files from the start.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.scenarios import library, tiny, two_sonarrs
from sandbox.values import Json

_ALL: dict[str, tuple[Callable[[], Json], str]] = {
    "library": (
        library.world,
        "one Sonarr (120 series) and one Radarr (300 movies) over four shared disks, one of them nearly full",
    ),
    "tiny": (tiny.world, "three small shows and two movies on three disks of 100 to 900 MB"),
    "two-sonarrs": (
        two_sonarrs.world,
        "a Sonarr, a second Sonarr for 4K and a Radarr over the same disks, one title in both Sonarrs",
    ),
}


def names() -> dict[str, str]:
    """The scenarios with one line about each."""
    return {name: text for name, (_, text) in _ALL.items()}


def load(name: str) -> Json:
    """The world of a scenario. KeyError for a name that is none."""
    return _ALL[name][0]()
