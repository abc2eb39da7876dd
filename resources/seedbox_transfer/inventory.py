"""What was on the server, from plan to plan: each release with its state and since when, and those that left it unfetched.

Every plan lists the whole remote folder anew, and that list alone decides; the inventory, which the state keeps as sightings,
only tells what one list cannot: since when a release has been as it is, and that one was there which never came home. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from reconciler.kind import Ledger, Resource
from reconciler.units import size_text
from resources.clients.sftp import RemoteFile
from resources.clients.sftp.names import shown
from resources.seedbox_transfer.memory import Memory, subject_of
from resources.seedbox_transfer.release import Release
from resources.seedbox_transfer.spec import SeedboxTransferSpec

GONE = "gone"
TOLD = timedelta(days=1)  # how long plans speak of what has left
KEPT = timedelta(days=30)  # how long it is remembered
SHOWN = 3  # names in one sentence


class Inventory:
    """`sightings`: what this plan adds to it. `lost`: title → since when it is known to have left the server unfetched."""

    def __init__(
        self, resource: Resource[SeedboxTransferSpec], ledger: Ledger, memory: Memory, now: datetime, tree: Iterable[RemoteFile]
    ) -> None:  # fmt: skip
        self._spec, self._now = resource.spec, now
        self._prefix = f"there {resource.spec.source.path.rstrip('/')}/"
        known = f"{resource.address} {self._prefix}"
        self._before = {k[len(known) :]: seen for k, seen in ledger.sightings.items() if k.startswith(known)}
        self._since: dict[str, datetime] = {}
        self.sightings: dict[str, str] = {}
        self.lost: dict[str, datetime] = {}
        there = {shown(entry.path.partition("/")[0]) for entry in tree}
        for title, (state, since) in sorted(self._before.items()):
            if title not in there and memory.brought(subject_of(resource.spec, title).ident) is None:
                self._left(title, since if state == GONE else now)

    def _left(self, title: str, since: datetime) -> None:
        if self._now - since < KEPT:
            self.sightings[self._prefix + title] = GONE
            self.lost[title] = since

    def note(self, found: Iterable[Release]) -> None:
        """The releases that are there now."""
        for release in found:
            state = f"{release.fingerprint} {len(release.files)} {release.bytes}"
            self.sightings[self._prefix + release.title] = state
            before = self._before.get(release.title)
            self._since[release.title] = before[1] if before is not None and before[0] == state else self._now

    def summary(self) -> Iterator[str]:
        """A sentence on what has left lately."""
        lately = [title for title, since in self.lost.items() if self._now - since < TOLD]
        if lately:
            more = f" and {len(lately) - SHOWN} more" if len(lately) > SHOWN else ""
            yield f"Left {self._spec.source.sftp} before they were fetched: {', '.join(lately[:SHOWN])}{more}."

    def why(self, release: Release) -> str:
        """What there is to say of one that is there."""
        many = "1 file" if len(release.files) == 1 else f"{len(release.files)} files"
        since = self._since[release.title]
        seen = (
            "seen for the first time" if since == self._now else f"as it is since {since:%Y-%m-%d %H:%M} at the latest"
        )
        return f"on {self._spec.source.sftp}: {size_text(release.bytes)} in {many}, {seen}"

    def gone(self, title: str) -> str:
        """What there is to say of one that has left."""
        since = f"{self.lost[title]:%Y-%m-%d %H:%M}"
        return f"it left {self._spec.source.sftp} before it was fetched; a plan saw that it was gone on {since}"
