"""Whatever is done to a file, loading ends in a stack or in diagnostics with places inside that file; never otherwise."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired import load
from reconciler.errors import UsageError
from tests.effort import examples
from tests.unit.desired.parts import APPS, GOOD, KINDS

ODD = (
    "[",
    "]",
    "{",
    "}",
    ":",
    "- ",
    "&a",
    "*a",
    "<<: *a",
    "!x",
    "|",
    ">",
    "'",
    '"',
    "\t",
    "\n",
    "  ",
    "no",
    "---",
    "%",
)
PIECES = (*GOOD.split(), *ODD, "\x85", "é")


def settled(content: bytes) -> None:
    lines = 1 + sum(content.count(end) for end in (b"\n", b"\r", "\x85".encode(), "\u2028".encode()))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.yaml"
        file.write_bytes(content)
        try:
            load([file], kinds=KINDS, apps=APPS)
        except UsageError as e:
            assert e.diagnostics
            for one in e.diagnostics:
                assert one.message
                assert one.mark is not None
                assert one.mark.file == str(file)
                assert 1 <= one.mark.line <= lines


@given(st.integers(0, len(GOOD)), st.integers(0, 12), st.lists(st.sampled_from(PIECES), max_size=4))
@settings(max_examples=examples(150), deadline=None)
def test_edited(at: int, cut: int, pieces: list[str]) -> None:
    settled((GOOD[:at] + "".join(pieces) + GOOD[at + cut :]).encode())


@given(st.lists(st.sampled_from(PIECES), max_size=30))
@settings(max_examples=examples(150), deadline=None)
def test_shuffled(pieces: list[str]) -> None:
    settled(" ".join(pieces).encode())


@given(st.binary(max_size=200))
@settings(max_examples=examples(100), deadline=None)
def test_noise(content: bytes) -> None:
    settled(content)
