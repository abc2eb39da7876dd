"""The first file of `arr init` loads as it stands and wishes for nothing yet."""

import pytest
import yaml

from reconciler.desired.scaffold import Declared, flow, scaffold
from tests.unit.desired.parts import KINDS, Folder

TV = Declared("tv", "box", {"url": "http://tv:8989/base", "api_key": {"env": "TV_KEY"}, "access": "read"})
ATTIC = Declared("attic-2", "shelf", {"host": "attic: #1", "port": 2222})


@pytest.mark.parametrize("connections", [[], [TV], [TV, ATTIC], [ATTIC]])
def test_loads(folder: Folder, connections: list[Declared]) -> None:
    folder.write("arr.yaml", scaffold(connections, KINDS))
    desired = folder.load()
    assert desired.resources == ()
    assert {n: c.app for n, c in desired.stack.connections.items()} == {c.name: c.app for c in connections}


def test_values_come_back_as_given(folder: Folder) -> None:
    folder.write("arr.yaml", scaffold([TV, ATTIC], KINDS))
    tv, attic = (folder.load().stack.connections[n].model_dump(exclude_none=True) for n in ("tv", "attic-2"))
    assert tv == {"app": "box", "access": "read", "url": "http://tv:8989/base", "api_key": {"env": "TV_KEY"}}
    assert attic == {"app": "shelf", "access": "write", "host": "attic: #1", "port": 2222}


def test_comments_name_the_kinds_and_hold_when_uncommented(folder: Folder) -> None:
    text = scaffold([TV], KINDS)
    assert "#   keep: Disks stay below their limits.  (arr explain keep)" in text
    wanted = ("# disks", "#   d1", "#   d2", "# protect", "# guards")
    lines = [line[2:] if line.startswith(wanted) else line for line in text.splitlines()]
    folder.write("arr.yaml", "\n".join(lines) + "\n")
    stack = folder.load().stack
    assert stack.disks["d2"].roots == {"tv": "/tv2"}
    assert stack.protect == ("tag:arr-protect", "tvdb:280619")
    assert stack.guards.per_day.max_bytes == 10**12


@pytest.mark.parametrize(
    "text",
    ["90d", "3%", "500 GB", "no", "22:30", "0644", "12", "", " a", "a: b", "a:", "- a", "a, b", "{x}", "a #b", "é"],
)
def test_text_in_flow_style_comes_back(text: str) -> None:
    assert yaml.safe_load(flow({"a": [text], "b": text})) == {"a": [text], "b": text}
