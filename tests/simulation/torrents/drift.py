"""What a person, a tracker or another program does to the yard: name → what it does with small numbers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from sandbox.torrents.model import Torrent
from tests.simulation.torrents.yard import GONE, HOSTS, LABELS, Client, Yard
from tests.simulation.wish import nth


def _pick(yard: Yard, number: int) -> tuple[Client, Torrent] | None:
    there = yard.torrents()
    return nth(there, number) if there else None


def _add(yard: Yard, a: int, b: int, c: int) -> None:
    yard.add(a, b, c, 2 + b, b + c, a + c, a + c)


def _ratio(yard: Yard, a: int, b: int, _c: int) -> None:
    if found := _pick(yard, a):
        found[1].ratio = b % 6 * 1000


def _label(yard: Yard, a: int, b: int, _c: int) -> None:
    if found := _pick(yard, a):
        found[1].label = nth(LABELS, b)


def _tracker(yard: Yard, a: int, b: int, c: int) -> None:
    if found := _pick(yard, a):
        found[1].trackers = [f"http://{nth(HOSTS, n)}/announce" for n in ({b, c} if c % 3 == 0 else {b})]


def _message(yard: Yard, a: int, b: int, _c: int) -> None:
    """A tracker no longer knows it, or knows it again."""
    if found := _pick(yard, a):
        torrent = found[1]
        torrent.message = GONE if b % 3 else ""
        if not torrent.message:
            yard.disowned.pop(torrent.hash, None)
        else:
            yard.disowned.setdefault(torrent.hash, yard.clock.now())


def _incomplete(yard: Yard, a: int, b: int, _c: int) -> None:
    if found := _pick(yard, a):
        found[1].complete = bool(b % 3) and yard.whole(found[1])


def _checking(yard: Yard, a: int, b: int, _c: int) -> None:
    if found := _pick(yard, a):
        found[1].hashing = 1 if b % 3 == 0 else 0


def _stop(yard: Yard, a: int, b: int, _c: int) -> None:
    """A person stops it, or starts it again."""
    if found := _pick(yard, a):
        torrent = found[1]
        torrent.active = torrent.started = bool(b % 2)
        (yard.stopped.discard if b % 2 else yard.stopped.add)(torrent.hash)


def _take_out(yard: Yard, a: int, b: int, _c: int) -> None:
    """A person takes it out of its client, now and then with its data."""
    if found := _pick(yard, a):
        client, torrent = found
        client.server.torrents.pop(torrent.hash.upper() if client.app == "rtorrent" else torrent.hash)
        if b % 3 == 0:
            for path, _ in torrent.files:
                Path(torrent.directory, path).unlink(missing_ok=True)
            _messed(yard)


def _put_back(yard: Yard, a: int, _b: int, _c: int) -> None:
    """What was taken out is added again, by a person or by an automation."""
    if yard.past:
        client, torrent = nth(yard.past, a)
        key = torrent.hash.upper() if client.app == "rtorrent" else torrent.hash
        if key not in client.server.torrents:
            torrent.active = torrent.started = True
            torrent.complete = yard.whole(torrent)
            yard.stopped.discard(torrent.hash)
            client.server.torrents[key] = torrent


def _stray(yard: Yard, a: int, b: int, _c: int) -> None:
    """A file of somebody's: alone, in a folder of its own, or in a torrent's folder."""
    yard.count += 1
    name = f"stray{yard.count}"
    places = [yard.downloads, yard.downloads / name]
    if (found := _pick(yard, b)) and found[1].multi:
        places.append(Path(found[1].directory))
    path = nth(places, a) / f"{name}.bin"
    yard.file(path)
    yard.foreign.add(str(path))


def _link(yard: Yard, a: int, b: int, _c: int) -> None:
    """A file gets one more name: in the library, or among the downloads."""
    if found := _pick(yard, a):
        torrent = found[1]
        path = f"{torrent.directory}/{nth(torrent.files, b)[0]}"
        yard.count += 1
        target = (yard.library if b % 3 else yard.downloads) / f"link{yard.count}.mkv"
        if os.path.isfile(path):  # noqa: PTH113
            os.link(path, target)
            yard.foreign.add(str(target))


def _lose(yard: Yard, a: int, b: int, _c: int) -> None:
    """A person deletes one of its files."""
    if found := _pick(yard, a):
        torrent = found[1]
        Path(torrent.directory, nth(torrent.files, b)[0]).unlink(missing_ok=True)
        _messed(yard)


def _move(yard: Yard, a: int, b: int, _c: int) -> None:
    """Its data goes to another folder, and its client knows, unless somebody else lies in it."""
    if found := _pick(yard, a):
        torrent = found[1]
        source = Path(torrent.content)
        others = [t for _, t in yard.torrents() if t is not torrent and t.content.startswith(torrent.content)]
        target = yard.downloads / f"moved{b % 2}"
        if others or not source.exists() or (target / source.name).exists() or torrent.folder == str(target):
            return
        target.mkdir(exist_ok=True)
        shutil.move(source, target / source.name)
        torrent.folder = str(target)
        _messed(yard)


def _messed(yard: Yard) -> None:
    """Of those whose files are not all there, a person knows why."""
    for _, torrent in yard.torrents():
        if not yard.whole(torrent):
            yard.messed.add(torrent.hash)


DRIFTS: dict[str, Callable[[Yard, int, int, int], None]] = {
    "add": _add,
    "add more": _add,
    "ratio": _ratio,
    "ratio again": _ratio,
    "label": _label,
    "tracker": _tracker,
    "message": _message,
    "incomplete": _incomplete,
    "checking": _checking,
    "stop": _stop,
    "take out": _take_out,
    "put back": _put_back,
    "stray": _stray,
    "link": _link,
    "lose": _lose,
    "move": _move,
}
