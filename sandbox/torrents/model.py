"""A torrent as a simulated client holds it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Torrent:
    """`files`: relative path and size. `folder`: where the payload lies. A `multi` torrent has a folder of its own in it.

    Times in seconds of the epoch; `ratio` in thousandths.
    """

    hash: str
    name: str
    folder: str
    files: list[tuple[str, int]]
    multi: bool = False
    trackers: list[str] = field(default_factory=lambda: ["http://tracker.example/announce"])
    label: str = ""
    ratio: int = 2500
    complete: bool = True
    active: bool = True
    started: bool = True
    hashing: int = 0
    opened: bool = True
    private: bool = True
    seeders: int = 10
    message: str = ""
    finished: int = 0
    changed: int = 0
    seeding_s: int = 30 * 86400

    def __post_init__(self) -> None:
        now = int(time.time())
        self.finished = self.finished or now - 30 * 86400
        self.changed = self.changed or self.finished

    @property
    def size(self) -> int:
        return sum(size for _, size in self.files)

    @property
    def directory(self) -> str:
        """The folder that the paths of its files begin in."""
        return f"{self.folder}/{self.name}" if self.multi else self.folder

    @property
    def content(self) -> str:
        return f"{self.folder}/{self.name}" if self.multi else f"{self.folder}/{self.files[0][0]}"
