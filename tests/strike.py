"""Which requests of a line fail: the n-th of a name, and so many from there on. What failing means is each line's own
(`tests/kinds/torrent_retention/line.py` over HTTP, `tests/live/sftp/relay.py` over SFTP).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Asked:
    """A request by the name of its call, what struck it, and whether the server has done what was asked."""

    name: str
    struck: str = ""
    done: bool = False


@dataclass
class Striking:
    """From the `n`-th request from now on: before the server has it, or `after` it was done.

    `call`: only requests of this name count. `times`: how many of them fail, None for all.
    """

    name: str
    n: int = 1
    after: bool = False
    call: str = ""
    times: int | None = 1
    seen: int = 0

    def due(self, name: str) -> bool:
        """Whether it hits this request, which is counted."""
        if self.call not in ("", name):
            return False
        self.seen += 1
        return self.seen >= self.n and (self.times is None or self.seen < self.n + self.times)

    @property
    def struck(self) -> bool:
        return self.seen >= self.n
