"""Whatever a file holds, it ends in a message with its place and its remedy; quickly, and never in a traceback."""

import time

import pytest
import yaml

from reconciler.desired import graph
from reconciler.desired.files import MAX_BYTES
from reconciler.desired.graph import MAX_DEPTH, MAX_NODES
from tests.unit.desired.parts import GOOD, Folder, place


@pytest.mark.parametrize(
    ("content", "where", "message", "remedy"),
    [
        (b"a: \x80\n", "a.yaml:1:4", "not UTF-8: byte 3 is 0x80", "save it as UTF-8"),
        ("keep:\n  é: \xff".encode("latin-1"), "a.yaml:2:3", "not UTF-8: byte 8 is 0xE9", "save it as UTF-8"),
        ("a: b".encode("utf-16"), "a.yaml:1:1", "this file is UTF-16", "save it as UTF-8"),
        (b"\x7fELF\x02\x00\x00", "a.yaml:1:6", "a binary file, not text (byte 5 is zero)", "remove it"),
        (b"keep:\n  a: \x1b[31m\n", "a.yaml:2:6", "the character U+001B may not stand in YAML", "remove it"),
        (
            "keep:\r\n  s\u00adhy: \x07\n".encode(),
            "a.yaml:2:9",
            "the character U+0007 may not stand in YAML",
            "remove it",
        ),
        (b"keep: {}\n\tlabel: {}\n", "a.yaml:2:1", "a tab where YAML wants spaces", "indent with spaces"),
        (b"keep:\n- a\n b\n  c: d\n", "a.yaml:4:4", "a second colon in one line", "quotes"),
        (b"keep: {a: b\n\n", "a.yaml:1:12", "a bracket or comma is missing (begun in line 1)", "close it"),
        (b'keep: "a\n', "a.yaml:1:9", "the file ends in the middle of a text (begun in line 1)", "close the quote"),
        (b"keep:\n  a: 1\n b: 2\n", "a.yaml:3:2", "the indentation does not fit", "line it up"),
        (b"keep: %x\n", "a.yaml:1:7", "a character that YAML does not allow here", "quote the text"),
        (b"keep\n", "a.yaml:1:1", "the file is text, not sections", "begin with a section"),
        (b"- keep\n", "a.yaml:1:1", "the file is a list, not sections", "begin with a section"),
        (b"keep: {}\n---\nlabel: {}\n", "a.yaml:2:1", "a second YAML document begins here", "a file of its own"),
        (b"keep: *x\n", "a.yaml:1:7", "*x refers to nothing", "define it earlier"),
        (b"keep: &x {a: *x}\n", "a.yaml:1:14", "*x contains itself", "write the values out"),
        (b"keep: {<<: 3}\n", "a.yaml:1:12", "<< takes a mapping, or a list of mappings", "write <<: *name"),
    ],
)
def test_unreadable(folder: Folder, content: bytes, where: str, message: str, remedy: str) -> None:
    fault = folder.only(content)
    assert (place(fault), fault.message) == (where, message)
    assert remedy in fault.hint


def test_more_than_5_mb_is_refused(folder: Folder) -> None:
    fault = folder.only(b"# " + b"x" * MAX_BYTES)
    assert (place(fault), fault.message) == ("a.yaml:1:1", "larger than 5 MB")
    assert "split it" in fault.hint


def test_just_5_mb_is_read(folder: Folder) -> None:
    folder.write("a.yaml", b"# " + b"x" * (MAX_BYTES - 2))
    assert folder.load().resources == ()


@pytest.mark.parametrize(
    "text",
    [
        "keep: " + "[" * 200_000,
        "keep: " + "{a: " * 200_000,
        "- " * 200_000,
        "? " * 200_000,
        "".join(" " * i + "a:\n" for i in range(2 * MAX_DEPTH)),
        "a: &a0 [" + "[" * 30 + "]" * 30 + "]\nb: [[[[[[[[[[[[*a0]]]]]]]]]]]]\n",
    ],
)
def test_deep_nesting_is_refused(folder: Folder, text: str) -> None:
    fault = folder.only(text)
    assert fault.message == f"nested more than {MAX_DEPTH} levels deep"
    assert fault.mark is not None
    assert fault.mark.line <= MAX_DEPTH + 1


def test_alias_bomb_is_refused_before_it_grows(folder: Folder) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
    begin = time.process_time()
    fault = folder.only(bomb)
    assert time.process_time() - begin < 0.5
    assert fault.message.startswith(f"more than {MAX_NODES:,} values")
    assert place(fault) == "a.yaml:6:40"
    assert "aliases" in fault.hint


def test_bomb_of_merge_keys_is_refused(folder: Folder) -> None:
    bomb = "keep:\n  t0: &m0 {a0: 1}\n"
    bomb += "".join(f"  t{i}: &m{i}\n    <<: *m{i - 1}\n    a{i}: 1\n" for i in range(1, 2000))
    assert folder.only(bomb).message.startswith("more than")


def test_values_without_end_are_refused(folder: Folder) -> None:
    assert folder.only("keep: [" + "a," * MAX_NODES + "]").message.startswith("more than")


def test_a_broken_file_does_not_hide_faults_of_another(folder: Folder) -> None:
    folder.write("a.yaml", "keep: {\n")
    folder.write("b.yaml", GOOD.replace("settle: 3%", "setle: 3%").replace("d2]", "d9]"))
    assert [place(f) for f in folder.faults()] == ["a.yaml:1:8", "b.yaml:10:5"]


def test_faults_come_by_place(folder: Folder) -> None:
    folder.write("b.yaml", "labels: {}\n")
    folder.write("a.yaml", "keeps: {}\nconnection: {}\n")
    assert [place(f) for f in folder.faults()] == ["a.yaml:1:1", "a.yaml:2:1", "b.yaml:1:1"]


def test_many_faults_on_one_line_stay_quick(folder: Folder) -> None:
    text = "keep: {" + ", ".join(f"t{i}: {{diks: [d1]}}" for i in range(5000)) + "}\n"
    begin = time.process_time()
    faults = folder.of(text)
    assert len(faults) == 5000
    assert time.process_time() - begin < 5
    assert all(len(f.excerpt) < 300 for f in faults)


class TestTraps:
    """Unquoted values that YAML readers take for different things are refused wherever they stand."""

    @pytest.mark.parametrize(
        ("value", "says", "remedy"),
        [
            ("no", "no is false to some YAML readers and text to others", 'write false, or "no" in quotes'),
            ("On", "On is true to some YAML readers", "write true"),
            ("22:30", "22:30 is a number in base 60", 'put it in quotes: "22:30"'),
            ("0644", "0644 is an octal number to some YAML readers", 'put it in quotes: "0644"'),
            ("0o17", "0o17 is an octal number", "quotes"),
            ("1_000", "1_000 is a number to some", "write it plainly"),
            ("0x1F", "0x1F is a number in another base", "decimals"),
            ("12e03", "12e03 is a number to some", "quotes"),
            ("2026-01-02", "2026-01-02 is a date", "quotes"),
            (".inf", ".inf is no number that can be used here", "quotes"),
            ("1" * 30, "is a number to some", "quotes"),
        ],
    )
    def test_value(self, folder: Folder, value: str, says: str, remedy: str) -> None:
        folder.write("b.yaml", GOOD)
        fault = folder.only(f"label: {{a: {{on_connections: [tv, {value}]}}}}\n")
        assert place(fault) == "a.yaml:1:34"
        assert says in fault.message
        assert remedy in fault.hint
        assert fault.field == "label.a.on_connections.1"
        assert value in fault.excerpt

    @pytest.mark.parametrize("key", ["on", "No", "true", "12", "22:30", "~"])
    def test_key(self, folder: Folder, key: str) -> None:
        found = folder.of(f"label:\n  {key}: {{on_connections: []}}\n")
        assert place(found[0]) == "a.yaml:2:3"
        assert f'put it in quotes: "{key}"' in found[0].hint

    @pytest.mark.parametrize(
        "value", ['"no"', "'22:30'", '"0644"', "nothing", "1080p", "85%", "500 GB", "1.2.3", "a:b"]
    )
    def test_text_that_is_text_to_everybody(self, folder: Folder, value: str) -> None:
        folder.write("a.yaml", GOOD + f"    any: [{value}]\n")
        assert folder.load().resources[0].spec.any_of == [value.strip("\"'")]

    def test_a_collection_as_key(self, folder: Folder) -> None:
        fault = folder.only("keep: {{x: 1}: 1}\n")
        assert (place(fault), fault.message) == ("a.yaml:1:8", "a mapping or a list cannot be a key")
        assert "quotes" in fault.hint

    @pytest.mark.parametrize("tag", ["!env TV", "!!python/object/apply:os.system [x]", "!!str 5", "!x {}"])
    def test_tags_are_refused_and_never_run(self, folder: Folder, tag: str) -> None:
        found = folder.of(f"label: {{a: {{on_connections: [], text: {tag}}}}}\n")
        (fault,) = [f for f in found if f.message.endswith("is not read: the desired state is plain YAML")]
        assert place(fault) == "a.yaml:1:39"
        assert "{env: NAME}" in fault.hint


def test_without_the_c_parser_places_and_faults_are_the_same(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD + "    settle: 4%\n    any: [no, 22:30]\n"
    quick = folder.of(text)
    monkeypatch.setattr(graph, "_Loader", yaml.SafeLoader)
    assert folder.of(text) == quick
    assert len(quick) == 3
    assert place(folder.only("keep: {}\n\tlabel: {}\n")) == "a.yaml:2:1"
    assert "U+0007" in folder.only("keep: \x07\n").message
