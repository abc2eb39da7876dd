"""Texts of megabytes in a file of the desired state, of every style: refused or read within a second, and in bounded memory."""

# ruff: noqa: E501  # a table of texts

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler import registry
from reconciler.desired import load
from reconciler.errors import UsageError

SIZE = 4_900_000  # bytes; a file may have five million
SECONDS = 1.0  # of processor time
MEMORY = 400  # MB beyond what the process has


def filled(before: str, part: str, after: str = "") -> bytes:
    return (before + part * ((SIZE - len(before) - len(after)) // len(part.encode())) + after).encode()


STYLES = {
    "plain": filled("tag: ", "x"), "words": filled("tag: ", "x "), "lines": filled("tag:\n", "  x\n"), "digits": filled("tag: ", "9"),
    "base 60": filled("tag: ", "1:", "1"), "single": filled("tag: '", "''", "'"), "single open": filled("tag: '", "x"),
    "single lines": filled("tag: '", "\n  x", "'"), "double": filled('tag: "', "\\x41", '"'), "joined": filled('tag: "', "x\\\n", '"'),
    "literal": filled("tag: |\n  ", "x"), "literal lines": filled("tag: |\n", "  x\n"), "folded": filled("tag: >\n", "  x\n   y\n"),
    "key": filled("", "t", ": 1"), "quoted key": filled("tag: {'", "k", "': 1}"), "anchor": filled("tag: &", "a", " y"),
    "its tag": filled("tag: !", "x", " y"), "label": filled("tag: {k: {connections: [a], label: '", "a-", "!'}}"),
    "size": filled("disks: {d1: {max: ", "8", " TB}}"), "address": filled("connections: {a: {app: sonarr, url: 'http://", "a.", "'}}"),
    "secret": filled("connections: {a: {app: sonarr, api_key: ", "a-", "}}"), "emoji": filled("tag: '", "\U0001f600", "'"),
}  # fmt: skip


def loaded(file: Path) -> dict[str, Any]:
    """What came of it in a process of its own, which the memory of the others does not count for."""
    registry.kinds(), registry.apps()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        said = ["it was read"]
        try:
            load([file], kinds=registry.kinds(), apps=registry.apps())
        except UsageError as e:
            said = [f"{d.message} {d.hint} {d.excerpt}" for d in e.diagnostics]
        took, most = time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(
            writing, json.dumps({"said": [s[:2000] for s in said], "s": took, "mb": (most - memory) >> 10}).encode()
        )
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return dict(json.loads(told))


@pytest.mark.parametrize("style", STYLES)
def test_a_text_of_megabytes_is_refused_soon(tmp_path: Path, style: str) -> None:
    file = tmp_path / "wish.yaml"
    file.write_bytes(STYLES[style])
    found = loaded(file)
    assert found["s"] < SECONDS, found
    assert found["mb"] < MEMORY, found
    assert max(map(len, found["said"])) < 1500
    assert found["said"] != ["it was read"]


def test_a_text_as_long_as_a_path_is_read(tmp_path: Path) -> None:
    file = tmp_path / "wish.yaml"
    for length, says in ((4096, "xxxx"), (4097, "a text of 4,097 characters")):
        file.write_text(f"protect: ['/{'x' * (length - 1)}']\ntag: {{k: 1}}\n")
        with pytest.raises(UsageError) as caught:
            load([file], kinds=registry.kinds(), apps=registry.apps())
        assert (says in caught.value.diagnostics[0].message) == (length == 4097)
