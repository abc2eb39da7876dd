"""What a person may write into `protect`, and what is no name of anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler import registry
from reconciler.desired import load
from reconciler.errors import UsageError

HASH = "a" * 40
NAMES = (
    "tvdb:280619",
    "tmdb:603",
    "imdb:tt0903747",
    "tag:arr-protect",
    "label:keep",
    f"torrent:{HASH}",
    "/data/tv/The Wire",
)
NONE = ("", "torrent:", "torrent:abc", f"torrent:{HASH.upper()}", "label: ", "The Wire", HASH)


def protected(folder: Path, item: str) -> tuple[str, ...]:
    (folder / "stack.yaml").write_text(f"protect: ['{item}']\n")
    return tuple(load([folder], kinds=registry.kinds(), apps=registry.apps()).stack.protect)


@pytest.mark.parametrize("item", NAMES)
def test_what_may_be_protected(tmp_path: Path, item: str) -> None:
    assert protected(tmp_path, item) == (item,)


@pytest.mark.parametrize("item", NONE)
def test_what_is_no_name(tmp_path: Path, item: str) -> None:
    with pytest.raises(UsageError) as caught:
        protected(tmp_path, item)
    told = caught.value.diagnostics[0]
    assert "does not say what to protect" in told.message and "torrent:<its hash>" in told.hint
