"""A list read piece by piece is the list, whatever the pieces; and a list without its end is none."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.clients.jsonstream import Broken, elements, whole

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
LISTS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=6)


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[n : n + size] for n in range(0, len(text), size))


@given(LISTS, st.integers(1, 40), st.sampled_from([None, 2]), st.booleans())
def test_the_pieces_do_not_matter(found: list[dict[str, object]], size: int, indent: int | None, ascii_: bool) -> None:
    text = json.dumps(found, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    if b"\xed" in text and not ascii_:
        text = json.dumps(found, indent=indent).encode()
    assert list(elements(pieces(text, size))) == found
    assert whole(pieces(text, size)) == found


@given(LISTS, st.integers(1, 40), st.data())
def test_no_beginning_of_a_list_is_a_list(found: list[dict[str, object]], size: int, data: st.DataObject) -> None:
    """Law 4: a shorter list is no answer."""
    text = json.dumps(found).encode()
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(Broken):
        list(elements(pieces(text[:end], size)))
    with pytest.raises(Broken):
        whole(pieces(text[:end], size))


def test_a_byte_order_mark_is_no_part_of_the_list() -> None:
    assert list(elements([b"\xef\xbb\xbf[", b'{"a": 1}]'])) == [{"a": 1}]


def test_elements_longer_than_a_step_are_read() -> None:
    found = [{"overview": "x" * 200_000, "n": n} for n in range(4)]
    assert list(elements(pieces(json.dumps(found).encode(), 1000))) == found


def test_only_a_window_is_in_memory() -> None:
    """What was yielded and dropped is not kept: the text held is never more than a few elements."""
    one = json.dumps({"overview": "x" * 3000}).encode()

    def endless() -> Iterator[bytes]:
        yield b"["
        while True:
            yield one + b","

    stream = elements(endless())
    for _ in range(2000):
        next(stream)
    frame = getattr(stream, "gi_frame", None)
    assert frame is not None
    reader = frame.f_locals
    assert len(str(reader)) < 1 << 20
