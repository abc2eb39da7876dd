"""A valid desired state means one thing, however it is spread over files and in whatever order it is written."""

import os
from pathlib import Path

import pytest

from reconciler.desired import load
from reconciler.errors import UsageError
from tests.unit.desired.parts import APPS, GOOD, KINDS, Folder, place


def test_values_are_typed_and_secrets_stay_references(folder: Folder) -> None:
    folder.write("a.yaml", GOOD)
    desired = folder.load()
    (media,) = desired.resources
    assert str(media.address) == "keep.media"
    assert media.spec.disks == ("d1", "d2")
    assert media.spec.settle == pytest.approx(0.03)
    assert desired.stack.disks["d2"].keep_free == 200 * 10**9
    assert desired.stack.disks["d2"].roots_of("tv") == ("/tv2", "/tv3")
    assert desired.stack.connections["tv"].api_key.env == "TV_KEY"  # type: ignore[attr-defined]
    assert desired.stack.connections["attic"].port == 22  # type: ignore[attr-defined]
    assert media.stack is desired.stack


def test_lists_sets_and_aliases_of_fields_come_as_the_spec_wants_them(folder: Folder) -> None:
    folder.write("a.yaml", GOOD + "    any: [a, 1]\n    grid: {x: [b, c]}\n")
    (media,) = folder.load().resources
    assert media.spec.any_of == ["a", 1]
    assert media.spec.grid == {"x": frozenset("bc")}


def test_marks_lead_to_every_field(folder: Folder) -> None:
    folder.write("a.yaml", GOOD)
    desired = folder.load()
    marks = desired.resources[0].marks
    assert (marks[""].line, marks[""].column) == (8, 3)
    assert (marks["settle"].line, marks["settle"].column) == (10, 13)
    assert (marks["disks"].line, marks["disks"].column) == (9, 5)
    assert (marks["disks.1"].line, marks["disks.1"].column) == (9, 17)
    assert "disks.2" not in marks
    assert "nothing" not in marks
    assert (desired.stack.marks["disks.d2.roots.tv.1"].line, desired.stack.marks["disks.d1.max"].column) == (6, 32)
    assert set(marks) == {"", "disks", "disks.0", "disks.1", "settle"}
    assert len(marks) == 5


def test_marks_find_keys_with_dots_in_them(folder: Folder) -> None:
    folder.write("a.yaml", GOOD + "    grid: {a.b: [x], a: [y]}\n")
    marks = folder.load().resources[0].marks
    assert marks["grid.a.b.0"].column == 18
    assert marks["grid.a.0"].column == 26


def test_files_and_folders_merge(folder: Folder) -> None:
    lines = GOOD.splitlines(keepends=True)
    folder.write("a.yaml", "".join(lines[:3]))
    folder.write("disks/one.yml", "".join(lines[3:5]))
    folder.write("disks/two.yaml", "disks:\n" + lines[5])
    folder.write("z.YAML", "".join(lines[6:]))
    folder.write("notes.txt", "not: [yaml")
    folder.write(".hidden.yaml", "not: [yaml")
    folder.write(".git/x.yaml", "not: [yaml")
    desired = folder.load()
    assert [Path(f).name for f in desired.files] == ["a.yaml", "one.yml", "two.yaml", "z.YAML"]
    assert set(desired.stack.disks) == {"d1", "d2"}


def test_digest_knows_what_is_said_not_how(folder: Folder, tmp_path: Path) -> None:
    folder.write("a.yaml", GOOD + 'protect: ["tvdb:1", "tag:x"]\n')
    other = Folder(tmp_path / "other")
    other.write(
        "x.yaml",
        """\
        keep: {media: {settle: "3 %", disks: [d1, d2]}}
        protect: ["tag:x", "tvdb:1"]
        disks: {d2: {keep_free: 200 GB, roots: {tv: [/tv2, /tv3]}}}
        """,
    )
    other.write(
        "y.yaml",
        """\
        disks: {d1: {max: 85%, roots: {tv: /tv1}}}
        connections:
          attic: {host: attic, app: shelf}
          tv: {url: "http://tv:1", app: box, api_key: {env: TV_KEY}}
        """,
    )
    first = folder.load()
    assert first.digest == other.load().digest
    folder.write("a.yaml", GOOD.replace("3%", "4%") + 'protect: ["tvdb:1", "tag:x"]\n')
    assert folder.load().digest != first.digest


def test_order_of_keys_in_a_spec_does_not_show(folder: Folder, tmp_path: Path) -> None:
    folder.write("a.yaml", GOOD + "    grid: {x: [a], b: [c]}\n")
    one = list(folder.load().resources[0].spec.grid)
    folder.write("a.yaml", GOOD + "    grid: {b: [c], x: [a]}\n")
    assert list(folder.load().resources[0].spec.grid) == one


def test_resources_come_by_address(folder: Folder) -> None:
    folder.write("a.yaml", "label: {z: {on_connections: []}, a: {on_connections: []}}\n" + GOOD)
    assert [str(r.address) for r in folder.load().resources] == ["keep.media", "label.a", "label.z"]


@pytest.mark.parametrize("text", ["", "# only words\n", "---\n", "keep:\n", "keep: {}\nlabel:\n", "null\n", "{}"])
def test_wishing_for_nothing_is_valid_and_wishes_for_nothing(folder: Folder, text: str) -> None:
    folder.write("a.yaml", text)
    assert folder.load().resources == ()


def test_anchors_and_merge_keys_have_their_usual_meaning(folder: Folder) -> None:
    folder.write(
        "a.yaml",
        GOOD.replace("d1: {", "d1: &base {").replace("  d2: {", "  d3: {<<: *base, roots: {tv: /tv9}}\n  d2: {"),
    )
    desired = folder.load()
    assert desired.stack.disks["d3"].max == pytest.approx(0.85)
    assert desired.stack.disks["d3"].roots == {"tv": "/tv9"}
    assert desired.stack.marks["disks.d3.max"] == desired.stack.marks["disks.d1.max"]


def test_of_several_merged_mappings_the_first_wins_and_nothing_is_called_a_duplicate(folder: Folder) -> None:
    folder.write(
        "a.yaml",
        GOOD
        + """\
  one: &one {disks: [d3], settle: 1%}
  two: &two {<<: *one, settle: 2%}
  three: {<<: [*two, *one], disks: [d4]}
disks: {}
""".replace("disks: {}\n", ""),
    )
    folder.write("b.yaml", "disks: {d3: {roots: {tv: /a}}, d4: {roots: {tv: /b}}}\n")
    faults = folder.faults()
    assert [f.message.split(" is ")[0] for f in faults] == ["disk d3"]  # `two` claims what `one` has
    folder.write("a.yaml", (folder.path / "a.yaml").read_text().replace("settle: 2%}", "settle: 2%, disks: [d5]}"))
    folder.write("b.yaml", "disks: {d3: {roots: {tv: /a}}, d4: {roots: {tv: /b}}, d5: {roots: {tv: /c}}}\n")
    specs = {r.address.name: r.spec for r in folder.load().resources}
    assert specs["three"].settle == pytest.approx(0.02)
    assert specs["three"].disks == ("d4",)


def test_a_file_named_twice_is_read_once(folder: Folder) -> None:
    file = folder.write("a.yaml", GOOD)
    (folder.path / "again.yaml").symlink_to(file)
    assert len(folder.load(folder.path, file, folder.path).files) == 1


def test_a_folder_that_links_to_itself_is_walked_once(folder: Folder) -> None:
    folder.write("a.yaml", GOOD)
    (folder.path / "loop").symlink_to(folder.path)
    (folder.path / "sub").mkdir()
    (folder.path / "sub" / "up").symlink_to(folder.path.parent)
    assert len(folder.load().files) == 1


def test_bom_and_windows_line_ends_are_fine(folder: Folder) -> None:
    folder.write("a.yaml", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert folder.load().resources[0].marks["settle"].line == 10


def test_nothing_outside_is_needed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TV_KEY", raising=False)
    folder.write("a.yaml", GOOD.replace("env: TV_KEY", "file: /nonexistent/key"))
    assert folder.load().stack.connections["tv"].api_key.file == "/nonexistent/key"  # type: ignore[attr-defined]


def test_guards_may_come_from_several_files(folder: Folder) -> None:
    folder.write("a.yaml", "guards: {destroy: {max: 3}}\n")
    folder.write("b.yaml", "guards: {per_day: {max_bytes: 1 TB}}\n")
    guards = folder.load().stack.guards
    assert (guards.destroy.max, guards.per_day.max_bytes) == (3, 10**12)


def test_no_path_at_all_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no desired state was named"):
        load([], kinds=KINDS, apps=APPS)


class TestWhatCannotBeReadIsNeverEmpty:
    def test_missing(self, folder: Folder) -> None:
        (fault,) = folder.faults(folder.path / "nowhere")
        assert fault.message == "there is no such file or folder"
        assert "arr init" in fault.hint
        assert "--desired PATH" in fault.hint

    def test_folder_without_yaml(self, folder: Folder) -> None:
        (fault,) = folder.faults()
        assert fault.message == "no .yaml or .yml file in this folder"
        assert "mounted" in fault.hint

    def test_link_to_nothing(self, folder: Folder) -> None:
        folder.write("a.yaml", GOOD)
        (folder.path / "disks.yaml").symlink_to("gone.yaml")
        (fault,) = folder.faults()
        assert place(fault) == "disks.yaml:1:1"

    def test_link_to_itself(self, folder: Folder) -> None:
        folder.write("a.yaml", GOOD)
        (folder.path / "b.yaml").symlink_to("b.yaml")
        (fault,) = folder.faults()
        assert "cannot be read" in fault.message

    def test_named_pipe_does_not_hang(self, folder: Folder) -> None:
        os.mkfifo(folder.path / "b.yaml")
        (fault,) = folder.faults()
        assert fault.message == "not an ordinary file"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_forbidden(self, folder: Folder) -> None:
        folder.write("a.yaml", GOOD).chmod(0)
        (fault,) = folder.faults()
        assert "Permission denied" in fault.message

    def test_references_are_not_blamed_for_a_file_that_is_not_there(self, folder: Folder) -> None:
        folder.write("a.yaml", "keep: {media: {disks: [d1]}}\n")
        (fault,) = folder.faults(folder.path, folder.path / "disks.yaml")
        assert fault.message == "there is no such file or folder"
