"""Who refers to which bytes: places under several names, groups, and what is really freed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.connection import ConnectionSpec
from reconciler.stack import Stack
from resources.clients.localfs import HERE, Inode, Inodes, LocalFs
from resources.references import Graph, Place, Referer, Sight, place, seen, sights
from resources.references.graph import freed
from resources.references.places import root_of

STACK = Stack(
    paths=(
        {"here": "/mnt/media", "rt": "/home/me/media", "tv": "/media"},
        {"here": "/mnt/fast", "rt": "/home/me/media/fast"},
        {"rt": "/remote", "qb": "/data"},
    )
)


def test_one_place_has_one_name_whoever_says_it() -> None:
    """The longest mapping wins; a mapping without `here` still joins those that it names; what none maps keeps its name."""
    assert (
        place(STACK, "rt", "/home/me/media/a//b/") == place(STACK, "tv", "/media/a/b") == Place(HERE, "/mnt/media/a/b")
    )
    assert place(STACK, "rt", "/home/me/media/fast/x") == Place(HERE, "/mnt/fast/x")
    assert place(STACK, "rt", "/remote/x") == place(STACK, "qb", "/data/x") and seen(STACK, "rt", "/remote/x") is None
    assert place(STACK, "rt", "/else/x") == place(STACK, "qb", "/else/x")
    assert place(STACK, "rt", "/home/me/mediaX/a") == Place("", "/home/me/mediaX/a")
    assert place(STACK, "rt", "relative") is None and place(STACK, "rt", "") is None
    assert place(STACK, "rt", "/home/me/media/../x") == Place("", "/home/me/x")
    assert root_of(STACK, "rt", "/home/me/media") is None
    assert root_of(STACK, "rt", "/home/me/media/a") == Sight(HERE, "/mnt/media", "/mnt/media")


def test_who_hangs_together() -> None:
    graph = Graph()
    one, two, three, four, inner = (Referer(f"c:torrent/{n}", n) for n in ("1", "2", "3", "4", "5"))
    graph.add(one, Place("", "/d/a"))
    graph.add(two, Place("", "/d/a"))
    graph.add(three, Place("", "/e/x"))
    graph.add(four, Place("", "/f"), [Place("", "/e/x")])
    graph.add(inner, Place("", "/d/a/sub"))
    graph.tie(two, [Inode("/d/a", "file", 1, 7, 2)])
    graph.tie(three, [Inode("/e/x", "file", 1, 7, 2)])
    assert graph.group(one) == (one, two, three)
    assert graph.same(one) == {two} and graph.around(one) == {inner} and graph.around(inner) == {one, two}
    assert graph.group(four) == (four,)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=10))
def test_freed_is_what_unlinking_gives_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[tuple[int, bool]]
) -> None:
    """Of real files with hard links: the bytes of those whose every name goes, and no others."""
    folder = tmp_path_factory.mktemp("links")
    first: dict[int, Path] = {}
    gone: list[Path] = []
    for number, (inode, goes) in enumerate(names):
        path = folder / f"{number}"
        if inode in first:
            os.link(first[inode], path)
        else:
            path.write_bytes(b"x" * (inode + 1) * 5000)
            first[inode] = path
        if goes:
            gone.append(path)
    looked = LocalFs().read(Inodes(HERE, tuple(map(str, gone))))
    told = freed(looked)
    before = {i.ident: i.on_disk for i in LocalFs().read(Inodes(HERE, tuple(str(p) for p in folder.iterdir())))}
    for path in gone:
        path.unlink()
    after = {i.ident for i in LocalFs().read(Inodes(HERE, tuple(str(p) for p in folder.iterdir())))}
    assert told.bytes == sum(size for ident, size in before.items() if ident not in after)


def test_what_cannot_be_looked_at_makes_it_unknown() -> None:
    assert freed([Inode("/a", "file", 1, 1, 1, 5, 5), Inode("/b", "unreadable", why="denied")]).unknown


def test_who_looks_where_this_machine_does_not() -> None:
    """`here` wherever it can, else an SFTP connection, one that may write first; and one name for what both mappings hold."""
    spec = ConnectionSpec
    far = Stack(
        connections={
            "a-ro": spec(app="sftp", access="read"),
            "box": spec(app="sftp"),
            "rt": spec(app="rtorrent"),
            "qb": spec(app="qbittorrent"),
        },
        paths=(
            {"a-ro": "/ro", "box": "/home/u/dl", "rt": "/dl"},
            {"box": "/home/u", "qb": "/data"},
            {"a-ro": "/only", "rt": "/other"},
            {"here": "/mnt", "box": "/home/u/mounted", "rt": "/mounted"},
        ),
    )
    assert seen(far, "rt", "/dl/x") == Sight("box", "/home/u/dl/x", "/home/u/dl")
    assert place(far, "rt", "/dl/x") == place(far, "qb", "/data/dl/x") == place(far, "box", "/home/u/dl/x")
    assert seen(far, "rt", "/other/x") == Sight("a-ro", "/only/x", "/only")
    assert seen(far, "rt", "/mounted/x") == Sight(HERE, "/mnt/x", "/mnt")
    assert place(far, "rt", "/mounted/x") == Place(HERE, "/mnt/x") and seen(far, "rt", "/else") is None
    assert [by.by for _, by in sights(far, "rt")] == ["box", "a-ro", HERE]
