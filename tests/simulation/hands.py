"""`Hands` of the world in memory, and what can only happen there: disks that go away, folders under two names, downloads."""

from __future__ import annotations

from tests.simulation.drift import Held
from tests.simulation.server import Refused, Row
from tests.simulation.wish import nth
from tests.simulation.world import World


class MemoryHands:
    """See `drift.Hands`."""

    def __init__(self, world: World) -> None:
        self.world, self._files = world, world.files
        self.disks = world.files.disks
        self.roots = {name: server.roots for name, server in world.servers.items()}
        self._serial = 0

    def items(self) -> list[Held]:
        return [
            Held(s.name, r.id, r.ident, r.title, r.path, frozenset(s.tags[t] for t in r.tags))
            for s in self.world.servers.values()
            for r in s.items.values()
        ]

    def _row(self, item: Held) -> Row:
        return self.world.servers[item.server].items[item.id]

    def files(self) -> dict[str, int]:
        return {p: s for p, s in self._files.sizes.items() if not self._files.away(p)}

    def busy(self) -> bool:
        return self.world.busy

    def free(self, disk: str) -> int:
        return 0 if disk in self._files.unmounted else self._files.free(disk)

    def put(self, item: Held, path: str, *, move: bool) -> None:
        server = self.world.servers[item.server]
        try:
            if server.up and not (move and self._files.away(path)):
                server.put(item.id, path, move=move, by="person")
        except Refused:
            return

    def rescan(self, item: Held) -> None:
        server = self.world.servers[item.server]
        if server.up:
            server.push(server.scan_name, {server.id_name: item.id}, "person")

    def label(self, item: Held, label: str) -> None:
        server = self.world.servers[item.server]
        self._row(item).tags ^= {server.tag(label)}

    def tag(self, server: str, label: str) -> None:
        found = self.world.servers[server]
        number = next((i for i, known in found.tags.items() if known == label), None)
        try:
            if number is None:
                found.tag(label)
            else:
                found.drop_tag(number)
        except Refused:
            return

    def make_file(self, path: str, size: int) -> None:
        if not self._files.away(path) and self._files.real(path) not in self._files.sizes:
            self._files.make(path, size)

    def remove(self, path: str) -> None:
        self._files.remove(path, "person")

    def rename(self, source: str, target: str) -> None:
        if not self._files.away(target) and self._files.real(target) not in self._files.sizes:
            self._files.rename(source, target)

    def new_size(self, about: int) -> int:
        self._serial += 1
        return about // 100_000 * 100_000 + 50_000 + self._serial

    # -- only here

    def unmount(self, a: int) -> None:
        """A disk goes away: its mount point is bare. Only where every server has something there: else nobody can tell."""
        disk = nth(self.disks, a)
        used = [
            any(r.path.startswith(disk + "/") and r.rows for r in s.items.values()) for s in self.world.servers.values()
        ]
        if not self.world.busy and all(used):
            self._files.unmounted.add(disk)

    def mount(self) -> None:
        self._files.unmounted.clear()

    def alias(self, a: int, b: int, c: int) -> None:
        """An empty root of a server becomes another name of one of its other roots."""
        server = self.world.servers[nth(self.world.servers, a)]
        shown, true = nth(server.roots, b), nth(server.roots, c)
        used = {*self._files.alias, *self._files.alias.values()}
        empty = not any(self._files.listing(shown)) and not any(
            r.path.startswith(shown + "/") for r in server.items.values()
        )
        if shown != true and empty and not self.world.busy and used.isdisjoint({shown, true}):
            self._files.alias[shown] = true

    def download(self, a: int) -> None:
        """Something begins to be downloaded for an item, or has come to its end."""
        if items := self.items():
            item = nth(items, a)
            queue = self.world.servers[item.server].queue
            if queue.pop(item.id, None) is None:
                queue[item.id] = f"{item.title}.S01E01"

    def remove_item(self, a: int) -> None:
        """An item leaves its server; its files stay."""
        if (items := self.items()) and not self.world.busy:
            item = nth(items, a)
            server = self.world.servers[item.server]
            server.items.pop(item.id)
            server.queue.pop(item.id, None)
