"""Every fault of the desired state is said once, at its line and column, with what to write instead."""

import pytest

from tests.unit.desired.parts import GOOD, Folder, place


def edited(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "where", "field", "message", "remedy"),
    [
        # names
        ("keep:", "kep:", "7:1", "kep", "kep is neither a section nor a kind", "did you mean keep?"),
        ("keep:", "zzz:", "7:1", "zzz", "zzz is neither a section nor a kind", "known: connections, disks"),
        ("settle:", "setle:", "10:5", "keep.media.setle", "keep.media has no field setle", "did you mean settle?"),
        ("settle: 3%", "pace: {perrun: 3}", "10:12", "keep.media.pace.perrun", "no field perrun", "mean per_run?"),
        ("max: 85%", "mx: 85%", "5:27", "disks.d1.mx", "disks.d1 has no field mx", "did you mean max?"),
        ("host: attic", "hots: attic", "3:23", "connections.attic.hots", "has no field hots", "did you mean host?"),
        ("app: box", "app: bux", "2:13", "connections.tv.app", "bux is no app that is known", "did you mean box?"),
        ("app: box, ", "", "2:3", "connections.tv.app", "app is missing", "app: one of box, shelf"),
        ("  media:", "  My Media:", "8:3", "keep.My Media", "the name 'My Media' may hold only", "as my-media"),
        # types and units
        ("85%", "850%", "5:32", "disks.d1.max", "'850%' is more than 100%", "percent, as 85%"),
        ("85%", "85", "5:32", "disks.d1.max", "write it with its unit, as 85%", "write 85%"),
        ("200 GB", "200", "6:46", "disks.d2.keep_free", "write it with its unit, as 500 GB", "size, as 500 GB"),
        ("200 GB", "200 gigs", "6:46", "disks.d2.keep_free", "'200 gigs' is not a size", "size, as 500 GB"),
        ("3%", "[3%]", "10:5", "keep.media.settle", "write it with its unit", "percent, as 85%"),
        ("settle: 3%", "pace: {cooldown: 90}", "10:22", "keep.media.pace.cooldown", "as 90d", "age, as 90d"),
        ("[d1, d2]", "d1", "9:12", "keep.media.disks", "disks must be a list, not text", "in brackets: [d1]"),
        ("[d1, d2]", "[]", "9:5", "keep.media.disks", "disks needs at least 1 of them, has 0", "list of text"),
        ("[d1, d2]", "[d1, 2]", "9:17", "keep.media.disks.1", "must be text, not a number", 'in quotes: "2"'),
        ("[d1, d2]", "", "9:5", "keep.media.disks", "disks must be a list, not nothing", "list of text"),
        ("settle: 3%", "balance: 1", "10:14", "keep.media.balance", "must be true or false, not a number", "true or"),
        (
            "settle: 3%",
            "how: gentle",
            "10:10",
            "keep.media.how",
            "gentle is not one of gently, quickly",
            "mean gently?",
        ),
        ("settle: 3%", "pace: fast", "10:11", "keep.media.pace", "pace must be a mapping, not text", "mapping"),
        ("settle: 3%", "pace: {per_run: 0}", "10:21", "keep.media.pace.per_run", "must be at least 1", "at least 1"),
        ("settle: 3%", "pace: {per_run: 1.5}", "10:21", "keep.media.pace.per_run", "a whole number", "at least 1"),
        ("settle: 3%", "any: [a, true]", "10:14", "keep.media.any.1", "must be text or a whole number", "quotes"),
        ("{tv: /tv1}", "{}", "5:8", "disks.d1.roots", "roots needs at least 1 of them, has 0", "mapping of name"),
        ("{tv: /tv1}", "{tv: {}}", "5:16", "disks.d1.roots.tv", "tv must be text or a list, not a mapping", "text"),
        ("host: attic", "host: attic, port: 70000", "3:42", "connections.attic.port", "at most 65535", "to 65535"),
        (
            "settle: 3%",
            "how: quickly\n    balance: true",
            "8:3",
            "keep.media",
            "balance takes its time: say how: gently, or leave balance out",
            "",
        ),
        # how things fit
        ("{tv: /tv1}", "{tvv: /tv1}", "5:21", "disks.d1.roots.tvv", "no connection is called tvv", "did you mean tv?"),
        (
            "{tv: /tv1}",
            "{tv: /tv3/}",
            "6:27",
            "disks.d2.roots.tv.1",
            "/tv3 is claimed twice: tv: /tv3 of disk d1",
            "one disk",
        ),
        (
            "{tv: /tv1}",
            "{tv: /tv3/kids}",
            "5:20",
            "disks.d1.roots.tv",
            "/tv3/kids lies in tv: /tv3 of disk d2",
            "nested",
        ),
        ("[/tv2, /tv3]", "/tv1//a/", "6:20", "disks.d2.roots.tv", "/tv1/a lies in tv: /tv1 of disk d1", "nested"),
        ("{tv: /tv1}", "{tv: /x/../tv2}", "6:21", "disks.d2.roots.tv.0", "/tv2 is claimed twice", "one disk"),
        ("{tv: /tv1}", "{tv: tv1}", "5:20", "disks.d1.roots.tv", "tv1 is not a full path", "as /tv1"),
        ("[d1, d2]", "[d1, d3]", "9:17", "keep.media.disks.1", "there is no disk d3", "declare it"),
        ("[d1, d2]", "[d1, d22]", "9:17", "keep.media.disks.1", "there is no disk d22", "did you mean d2?"),
        ("settle: 3%", "protect: [tvd:1]", "10:15", "keep.media.protect.0", "tvd:1 does not say what", "tvdb:280619"),
    ],
)
def test_one_fault(folder: Folder, old: str, new: str, where: str, field: str, message: str, remedy: str) -> None:
    fault = folder.only(edited(old, new))
    assert place(fault) == f"a.yaml:{where}"
    assert fault.field == field
    assert message in fault.message
    assert remedy in fault.hint
    assert fault.mark is not None
    line = edited(old, new).splitlines()[fault.mark.line - 1].rstrip()
    assert len(fault.excerpt) == len(line)
    assert all(shown in (written, "•") for shown, written in zip(fault.excerpt, line, strict=True))


@pytest.mark.parametrize(
    ("text", "where", "message", "remedy"),
    [
        ("keep: 3\n", "1:7", "keep must map names to what is wanted, not a number", "write keep: {name: …}"),
        ("protect: tvdb:1\n", "1:10", "protect must be a list, not text", "dash"),
        ("protect: [1]\n", "1:11", "1 does not say what to protect", "tvdb:280619"),
        ("protect: ['tag: ']\n", "1:11", "tag:  does not say what to protect", "tag:arr-protect"),
        ("paths: [/x]\n", "1:9", "must be a mapping, not text", "write it as"),
        ("paths: [{here: /x}]\n", "1:9", "one name of a folder says nothing", ""),
        (
            "connections: {tv: {app: shelf, host: x}}\npaths: [{here: /x, tv: y}]\n",
            "2:9",
            "tv: y is not a full path",
            "",
        ),
        ("paths: [{here: /x, tv: /y}]\n", "1:24", "no connection is called tv", "declare it under connections:"),
        ("guards: {per_dya: {}}\n", "1:10", "guards has no field per_dya", "did you mean per_day?"),
        ("guards: {destroy: {max: -1}}\n", "1:25", "must be at least 0", "at least 0"),
        ("guards: {destroy: {max_percent: 200%}}\n", "1:33", "'200%' is more than 100%", "percent"),
        ("connections: {here: {app: shelf, host: x}}\n", "1:15", "'here' means this machine", "another name"),
        ("connections: {tv: http://tv}\n", "1:19", "tv must be a mapping, not text", "write it as {app: …}"),
        ("keep.media: {}\n", "1:1", "keep.media is neither a section nor a kind", "write keep: {media: …}"),
        ("label: {a: }\n", "1:9", "on_connections is missing", "list of text. Where."),
    ],
)
def test_fault_alone(folder: Folder, text: str, where: str, message: str, remedy: str) -> None:
    fault = folder.only(text)
    assert place(fault) == f"a.yaml:{where}"
    assert message in fault.message
    assert remedy in fault.hint


def test_duplicate_key_names_both_places(folder: Folder) -> None:
    fault = folder.only(GOOD + "    settle: 4%\n")
    assert place(fault) == "a.yaml:11:5"
    assert fault.field == "keep.media.settle"
    assert "settle is written twice; first at " in fault.message
    assert fault.message.endswith("a.yaml:10:5")


def test_one_address_in_two_files_names_both_places(folder: Folder) -> None:
    folder.write("a.yaml", GOOD)
    folder.write("b.yaml", "keep:\n  media: {disks: [d1]}\ndisks: {d1: {roots: {tv: /z}}}\n")
    first, second = folder.faults()
    assert (place(first), place(second)) == ("b.yaml:2:3", "b.yaml:3:9")
    assert first.message.startswith("keep.media is declared twice; first at ")
    assert first.message.endswith("a.yaml:8:3")
    assert second.message.endswith("a.yaml:5:3")


def test_two_resources_in_charge_of_one_disk(folder: Folder) -> None:
    fault = folder.only(GOOD + "  more: {disks: [d2]}\n")
    assert place(fault) == "a.yaml:11:3"
    assert "disk d2 is in the charge of keep.media already" in fault.message
    assert "a.yaml:8:3" in fault.message


def test_two_disks_of_two_files_on_one_root(folder: Folder) -> None:
    folder.write("a.yaml", GOOD)
    folder.write("b.yaml", "disks: {d3: {roots: {tv: /tv2}}}\n")
    (fault,) = folder.faults()
    assert place(fault) == "b.yaml:1:26"
    assert "a.yaml:6:21" in fault.message


def test_one_root_of_two_connections_is_fine(folder: Folder) -> None:
    folder.write("a.yaml", edited("{tv: /tv1}", "{tv: /tv1, attic: /tv2}"))
    assert folder.load().stack.disks["d1"].roots_of("attic") == ("/tv2",)


def test_all_at_once(folder: Folder) -> None:
    text = edited("85%", "850%").replace("settle: 3%", "setle: 3%").replace("app: shelf", "app: shelv") + "kep: {}\n"
    assert [place(f) for f in folder.of(text)] == ["a.yaml:3:16", "a.yaml:5:32", "a.yaml:10:5", "a.yaml:11:1"]


def test_what_refers_to_a_faulty_disk_is_not_blamed(folder: Folder) -> None:
    fault = folder.only(edited("max: 85%", "max: 85"))
    assert fault.field == "disks.d1.max"


def test_only_one_thing_is_said_about_one_place(folder: Folder) -> None:
    fault = folder.only(edited("settle: 3%", "balance: yes"))
    assert "yes is true to some YAML readers" in fault.message


class TestSecrets:
    """A secret written into the desired state is refused and never shown, wherever on its line the fault is."""

    KEY = "0123456789abcdef0123456789abcdef"

    def shown(self, folder: Folder, text: str) -> str:
        return "\n".join(f"{f.message} {f.excerpt} {f.hint} {f.field}" for f in folder.of(text))

    def test_literal(self, folder: Folder) -> None:
        fault = folder.only(edited("{env: TV_KEY}", self.KEY))
        assert (place(fault), fault.field) == ("a.yaml:2:47", "connections.tv.api_key")
        assert fault.message == "api_key is a secret: it may not stand in the desired state"
        assert "api_key: {env: NAME_OF_A_VARIABLE}" in fault.hint
        assert self.KEY not in fault.excerpt
        assert fault.excerpt.startswith('  tv: {app: box, url: "http://tv:1", api_key: •••')

    @pytest.mark.parametrize(
        "value", ["hunter22", '"hunter22"', "'hunter22'", "|-\n      hunter22", "{value: hunter22}"]
    )
    @pytest.mark.parametrize("name", ["api_key", "api_kye", "password", "zzz"])
    @pytest.mark.parametrize("app", ["box", "bux"])
    def test_no_line_shows_it(self, folder: Folder, app: str, name: str, value: str) -> None:
        flow = value.replace("|-\n      ", "")
        text = f"connections:\n  tv:\n    {name}: {value}\n    {{app: {app}, {name}: {flow}, ulr: x}}\n"
        assert "hunter22" not in self.shown(folder, f"connections:\n  tv: {{app: {app}, {name}: {flow}, ulr: x}}\n")
        assert "hunter22" not in self.shown(folder, f"connections:\n  tv:\n    app: {app}\n    {name}: {value}\n")
        assert "hunter22" not in self.shown(folder, text)  # this is no YAML at all

    @pytest.mark.parametrize(
        "value",
        ["0123456701234567", "0644", "12e45678", "!hunter22 x", "*hunter22", "&a hunter22", "@hunter22", "%hunter22"],
    )
    def test_values_that_yaml_stumbles_over(self, folder: Folder, value: str) -> None:
        shown = self.shown(folder, f"connections:\n  tv: {{app: box, api_key: {value}}}\n")
        assert value.strip("!*&@%a x") not in shown

    @pytest.mark.parametrize("url", ["http://me:hunter22@tv", "http://tv?apikey=hunter22"])
    def test_in_a_url_on_the_line_of_another_fault(self, folder: Folder, url: str) -> None:
        assert "hunter22" not in self.shown(folder, f'connections:\n  tv: {{app: box, url: "{url}", ulr: x}}\n')
