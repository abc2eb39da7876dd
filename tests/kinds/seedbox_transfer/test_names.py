"""Names that a server may have and a local path may not (accident A27): refused by name, never joined to a path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.clients.sftp import RemoteFile
from resources.clients.sftp.names import decode, encode, path_refusal, refusal, shown
from resources.seedbox_transfer.release import excluded, make, releases
from tests.effort import PROOF
from tests.kinds.seedbox_transfer.lab import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as found:
        found.declare()
        yield found


HOSTILE = {
    b"line\nbreak": "control character",
    b"escape\x1b[31m": "control character",
    b"not utf-8 \xff\xfe": "not UTF-8",
}


def test_hostile_names_on_a_real_server_are_held_and_the_rest_comes(box: Box) -> None:
    for n, raw in enumerate(HOSTILE):
        for path in (
            os.fsencode(box.remote) + b"/" + raw,
            os.fsencode(box.put(f"Release {n}", {"fine": b"x"})) + b"/" + raw,
        ):
            Path(os.fsdecode(path)).write_bytes(b"bad")
    box.put("n" * 255, b"long")
    (box.remote / "Looped").mkdir()
    (box.remote / "Looped/loop").symlink_to(box.remote)
    (box.remote / "outside").symlink_to("/etc")
    os.mkfifo(box.remote / "pipe")
    plan = box.settled_plan()
    proposal = box.proposal(plan)
    assert [a.subject.title for a in proposal.actions] == ["n" * 255]
    reasons = {h.subject.title: h.reason for h in proposal.held}
    for n, (raw, why) in enumerate(HOSTILE.items()):
        assert why in reasons[shown(decode(raw))]
        assert why in reasons[f"Release {n}"]
    assert "symbolic link" in reasons["Looped"]
    assert "symbolic link" in reasons["outside"]
    assert "no file" in reasons["pipe"]
    assert box.apply(plan).exit == 0
    assert box.here() == {"n" * 255: b"long"}
    said = box.arr("plan")
    assert "\x1b[31m" not in said.stdout
    assert said.returncode == 0, said.stderr


def test_names_that_differ_in_letter_case_only_are_held(box: Box) -> None:
    box.put("Show", {"Episode.mkv": b"1", "episode.mkv": b"2"})
    (held,) = box.proposal().held
    assert "letter case only" in held.reason


def test_an_excluded_name_does_no_harm(box: Box) -> None:
    box.put("Show", {"a.mkv": b"1"})
    (box.remote / "Show/a.lnk").symlink_to("/etc/passwd")
    box.declare("exclude: ['*.lnk']")
    assert box.bring().exit == 0
    assert box.here() == {"Show/a.mkv": b"1"}


def test_very_many_files_in_one_folder(box: Box) -> None:
    """A hundred thousand in a proof. What planning and fetching them take of memory is bounded as well."""
    count = 100_000 if PROOF else 2000
    (box.remote / "Many").mkdir()
    for n in range(count):
        (box.remote / "Many" / f"{n:06}").write_bytes(b"ten bytes.")
    box.declare("verify: size")
    plan = box.settled_plan()
    begun = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
    assert box.apply(plan).exit == 0
    grown = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) - int(begun)
    assert grown < 100_000  # KB
    assert sum(1 for _ in (box.to / "Many").iterdir()) == count
    assert {p.read_bytes() for p in (box.to / "Many").iterdir()} == {b"ten bytes."}


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/etc", "a\0b", "\udcff", "a\nb", "a\x7f", "a\x9b", "x" * 256, "ä" * 128]
)
def test_a_name_that_is_refused(name: str) -> None:
    assert refusal(name)


@pytest.mark.parametrize("path", ["../../etc/passwd", "a/../b", "/etc/passwd", "a//b", "a/./b", "/".join("x" * 70)])
def test_a_path_that_is_refused(path: str) -> None:
    assert path_refusal(path)
    made = make("Show", [RemoteFile(path, 1, 0, "file")], ())
    assert "is refused" in made.problem


def test_a_folder_that_a_listing_names_with_a_slash_is_held() -> None:
    tree = [
        RemoteFile("Show/a", 1, 0, "file"),
        RemoteFile("../x", 1, 0, "file"),
        RemoteFile("/etc/passwd", 1, 0, "file"),
    ]
    told = {r.name: r.problem for r in releases(tree, ())}
    assert told["Show"] == ""
    assert told[".."]
    assert told[""]


@given(st.binary(min_size=1, max_size=300))
def test_every_name_survives_the_way_there_and_back_or_is_refused(raw: bytes) -> None:
    name = decode(raw)
    assert encode(name) == raw
    assert shown(name).isprintable()
    if not refusal(name):
        assert os.path.normpath(f"/to/{name}") == f"/to/{name}"
        assert name.encode() == raw


@pytest.mark.parametrize(
    ("path", "patterns", "out"),
    [
        ("a.NFO", ("*.nfo",), True),
        ("Proof/x.jpg", ("proof/",), True),
        ("Proof", ("proof/",), False),
        ("x/my.Sample.mkv", ("*sample*",), True),
        ("Subs/en.srt", ("subs/en.*",), True),
        ("deep/Subs/en.srt", ("subs/en.*",), False),
        ("a.mkv", (), False),
    ],
)
def test_what_is_excluded(path: str, patterns: tuple[str, ...], out: bool) -> None:
    assert excluded(path, patterns) is out


def test_what_is_ours_on_the_server_is_no_release() -> None:
    """What waits there to be deleted, and what is on its way to another one of us."""
    files = (".arr-quarantine/b1/files/Show/a.mkv", ".arr-partial/ab12/files/a.mkv", "Show/a.mkv")
    tree = [RemoteFile(path, 10, 0, "file") for path in files]
    assert [r.name for r in releases(tree, ())] == ["Show"]
