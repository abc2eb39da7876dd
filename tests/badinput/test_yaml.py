"""Files that are no desired state: each is refused with its name and line and a remedy, and no server is even asked."""

from __future__ import annotations

import time

import pytest

from tests.badinput.ends import ends, flat
from tests.stacks import Lab

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)
FILES = {
    "binary": (b"\x7fELF\x02\x01\x01\x00\x00\x00", ("desired/bad.yaml:1:8", "a binary file, not text", "remove it")),
    "huge": (b"# " + b"x" * 5_000_000, ("desired/bad.yaml:1:1", "larger than 5 MB", "split it")),
    "flow-nested": (b"tag: " + b"[" * 100_000, ("desired/bad.yaml:1:", "nested more than 40 levels deep")),
    "block-nested": (
        "".join(" " * i + "a:\n" for i in range(500)).encode(),
        ("desired/bad.yaml:41:", "nested more than 40 levels deep"),
    ),
    "alias-bomb": (BOMB.encode(), ("desired/bad.yaml:6:40", "more than 500,000 values", "aliases")),
    "latin-1": ("tag:\n  café: {}\n".encode("latin-1"), ("desired/bad.yaml:2:6", "not UTF-8", "save it as UTF-8")),
    "utf-16": ("tag: {}\n".encode("utf-16"), ("desired/bad.yaml:1:1", "UTF-16", "save it as UTF-8")),
    "python-tag": (
        b"tag: {kids: {label: !!python/object/apply:os.system [touch ran]}}\n",
        ("desired/bad.yaml:1:21", "python/object/apply:os.system is not read", "plain YAML"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_ends_every_command(tiny: Lab, name: str) -> None:
    content, says = FILES[name]
    (tiny.desired / "bad.yaml").write_bytes(content)
    begin = time.monotonic()
    ends(tiny, "plan", code=64, says=(*says, "problem"), reads=False)
    assert time.monotonic() - begin < 20
    assert not tiny.state.exists()
    assert not (tiny.folder / "ran").exists()


def test_what_is_wrong_is_said_all_at_once_by_every_command(tiny: Lab) -> None:
    (tiny.desired / "bad.yaml").write_bytes(FILES["latin-1"][0])
    (tiny.desired / "worse.yaml").write_text("tga: {}\n")
    says = ("desired/bad.yaml:2:6", "desired/worse.yaml:1:1", "did you mean tag", "2 problems")
    for args in (("validate",), ("apply", "--yes"), ("doctor",), ("drift",)):
        ends(tiny, *args, code=64, says=says, reads=False)
    told = tiny.json("plan")
    assert (told["schema"], told["exit"]) == ("arr.error/1", 64)
    assert [(p["file"], p["line"]) for p in told["problems"]] == [("desired/bad.yaml", 2), ("desired/worse.yaml", 1)]


def test_an_empty_file_wishes_for_nothing(tiny: Lab) -> None:
    """It is not wrong, and never means "delete everything"."""
    (tiny.desired / "wish.yaml").write_text("")
    said = ends(tiny, "apply", "--yes", code=0, says=("Nothing to do",))
    assert "delete" not in said


def test_an_empty_folder_and_a_missing_one_are_no_wish(tiny: Lab) -> None:
    """A mount that is not there looks like this."""
    for file in tiny.desired.iterdir():
        file.unlink()
    ends(tiny, "plan", code=64, says=("desired:1:1", "no .yaml or .yml file", "mounted?"), reads=False)
    tiny.desired.rmdir()
    ends(
        tiny,
        "plan",
        code=64,
        says=("desired:1:1", "there is no such file or folder", "arr init", "--desired PATH"),
        reads=False,
    )
    assert not tiny.state.exists()


def test_the_offending_line_and_a_caret_are_shown(tiny: Lab) -> None:
    (tiny.desired / "wish.yaml").write_text("tag:\n  kids: {conections: [sonarr]}\n")
    done = tiny.arr("validate")
    at = done.stderr.splitlines()
    line = next(n for n, text in enumerate(at) if "kids: {conections" in text)
    assert at[line + 1].index("^") == at[line].index("conections")
    assert "did you mean connections" in flat(done.stderr)
