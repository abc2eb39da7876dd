"""The first inputs of each target: what the program reads on a good day, and what people are known to send on a bad one.

Recordings of real servers join when they lie beside the project (`../shared/recordings`). Seeds over `LARGE` bytes are tried
once as they are and not mutated.
"""

# ruff: noqa: E501  # tables of inputs, a row a line

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.plan import files
from reconciler.plan.identity import plan_id
from reconciler.plan.model import Plan
from tests.effort import PROOF
from tests.unit.views import examples

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT.parent / "shared" / "recordings"
LARGE = 20_000
HUGE = 10_000_000  # bytes of the largest scalars

BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n".encode() for i in range(1, 10)
)
YAML_WORDS = (
    *tuple(
        b"tag: |disk_fill:|connections:|disks:|guards:|protect:|{|}|[|]|- |: |&a |*a|<<: *a|!x |!!python/name:os |'|\"|\t|\n  |no|~|"
        b"---\n|...\n|%YAML 1.1\n|0x1f|1e999|.nan|.inf|85%|90d|500 GB|\xc2\x85|\xe2\x80\xa8|\xef\xbb\xbf|\x00|\xff|\xed\xa0\x80|"
        b"{env: X}|app: sonarr|url: http://x|? |>-\n|#".split(b"|")
    ),
    b"|\n",
)
UNIT_WORDS = tuple(
    b"0,1,9,.,e,E,-,+, ,_,%,s,m,h,d,w,B,KB,TiB,PB,\xd9\xa1,\xc2\xb2,\xc2\xa0,\n,\x00,nan,inf,1e400,99999999999999999999".split(
        b","
    )
)
XML_WORDS = tuple(
    b"<value> </value> <i8> </i8> <string> </string> <array><data> </data></array> <struct> </struct> <member> </member> <name> "
    b"</name> <fault> </fault> <params> <param> <methodResponse> </methodResponse> <base64> <boolean> <double> nan 1e999 <nil/> "
    b"<!DOCTYPE <![CDATA[ ]]> &amp; &#0; &#x110000; &lol; <?xml <ApiKey> </ApiKey> <Config> -1 9223372036854775808 \x00 \xff".split()
)
ODD_JSON = [
    b"", b" ", b"\x00", b"\xef\xbb\xbf[]", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 100_000, b"[[[[[[]]]]]]", b"NaN", b"[NaN]",
    b"[Infinity, -Infinity]", b'{"id": 1e999}', b'{"id": ' + b"9" * 5000 + b"}", b'{"a": 1, "a": 2}', b'"\\ud800"', b'["\\ud83d"]',
    b'{"\\ud800": "\\udfff"}', b'"\x80\x81"', b"\xff\xfe[\x00]\x00", b"null", b"true", b"-0.0", b"[1,]", b"[{}", b"[{},{}]", b"{}",
    b'[{"id": true}]', b'[{"id": null}]', b'["' + b"x" * HUGE + b'"]', b'[{"path": "' + b"y" * HUGE + b'"}]', b"[" + b"1," * 300_000 + b"1]",
]  # fmt: skip


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def desired() -> list[bytes]:
    found = [file.read_bytes() for file in sorted((ROOT / "desired").glob("*/*.yaml"))]
    return [
        b"\n".join(found), *found, b"", b"\xef\xbb\xbftag: {}\n", b"tag:\n  kids: {connections: [sonarr]}\n", BOMB,
        b"tag: " + b"[" * 50_000, b"tag: {" * 3000, "".join(" " * i + "a:\n" for i in range(500)).encode(),
        b"a: &a [*a]\n", b"a: &a\n  b: *a\n", b"<<: &a {<<: *a}\n", b"tag: {kids: {}, kids: {}}\n", b"tag: {kids: {label: !!x y}}\n",
        b"tag: {x: {connections: [a], label: " + b"9" * 5000 + b"}}\n", b"tag: {x: {label: .nan, paused: .inf}}\n",
        b"disks: {d1: {max: 1e400%}}\n", b"disks: {d1: {max: " + b"8" * 400 + b" TB}}\n", b"tag: \x00\n", b"tag: \xed\xa0\x80\n",
        "tag: {}\n".encode("utf-16"), "tag: {}\n".encode("utf-32"), b"tag: 'x\n", b"? [a, b]\n: c\n", b"? {a: b}\n: c\n", b"- a\n- b\n",
        b"tag: |\n  " + b"x" * 4_000_000, b"tag: {? '" + b"k" * 100_000 + b"': 1}\n", b"%TAG ! tag:x,2000:\n---\ntag: {}\n",
        b"tag: {}\n---\ntag: {}\n", b"# " + b"x" * HUGE, b"tag: {2001-01-01: 0o7}\n", b"connections: {a: {app: sonarr, url: 'http://[::'}}\n",
        b"connections: {a: {app: here}, b: {app: nothing}}\nguards: {per_run: {max: -1}}\nprotect: ['tvdb:1', 2]\n",
    ]  # fmt: skip


@cache
def plans() -> list[bytes]:
    made = [
        examples.plan(examples.MEDIA, examples.TAG), examples.plan(examples.REFUSED), examples.plan(examples.BLOCKED, examples.CALM),
        examples.plan(examples.BROKEN, examples.BUSY, conflicts=(examples.CONFLICT,)), examples.plan(),
    ]  # fmt: skip
    version = b'{"schema_version": "arr.plan/1"'
    return [
        *(_json(_document(plan)) for plan in made), *ODD_JSON, version + b"}", b'{"schema_version": {"a": 1}}',
        version + b', "created": "0000-00-00"}', version + b', "serial": ' + b"9" * 4000 + b"}",
        b'{"schema_version": "arr.plan/1", "serial": 1e400, "id": "\\ud800"}',
    ]  # fmt: skip


def _document(plan: Plan) -> Any:
    """As it is written: with the id that fits its content."""
    right = plan_id(plan.desired, plan.lineage, plan.targets, plan.actions(), plan.protects)
    return files.document(plan.model_copy(update={"id": right}))


def words() -> list[bytes]:
    return [
        b"500 GB", b"1.5 TiB", b"90d", b"6h", b"85%", b"100%", b"0%", b"0 B", b"tag.kids", b"", b" ", b"1" * 5000 + b" B",
        b"1e5 GB", b"-1d", b"\xd9\xa3 GB", b"5 GB\n", b"nan%", b"inf d", b"0." + b"9" * 400 + b"%", b"1\x00B", b"\xed\xa0\x80 GB", b"x" * (HUGE // 10),
        b"9" * (HUGE // 10) + b" B", b"1 PB", b"1000 PB", b"1001 PB", b"36600d", b"0.0000000001s", b"disk_fill.a-b_c", b"a.\n",
    ]  # fmt: skip


CELLS = (
    "action", "handle", "data", "settled_at", "outcome", "says", "intended_at", "accepted_at", "began_at", "wish", "document"
)  # fmt: skip
ACTION = {
    "id": "tag.kids/1", "address": "tag.kids", "verb": "create", "reason": "x", "effects": {"destroys": 1},
    "subject": {"connection": "server", "type": "tag", "key": "kids", "title": ""},
}  # fmt: skip


def journal() -> list[bytes]:
    moment = "2026-01-01T12:00:00.000000Z"
    good = [
        _json(ACTION).decode(),
        '{"command": 1}',
        "{}",
        moment,
        "done",
        "says",
        moment,
        moment,
        moment,
        '{"label": "x"}',
        "{}",
    ]
    odd = [
        "",
        "x",
        "null",
        "[",
        "1",
        '"\\ud800"',
        "NaN",
        "9" * 5000,
        "[" * 50_000,
        moment[:-1],
        "0000-00-00T00:00:00Z",
        "9999-12-31T23:59:59.999999+14:00",
    ]
    found = ["\n".join(good)]
    for at in range(len(good)):
        found += ["\n".join([*good[:at], bad, *good[at + 1 :]]) for bad in odd]
    return [text.encode() for text in found]


def holder() -> list[bytes]:
    whole = {"pid": 1, "host": "nas", "purpose": "apply", "since": "2026-01-01T00:00:00Z"}
    odd: list[dict[str, Any]] = [
        {"pid": -1},
        {"pid": 0},
        {"pid": 2**70},
        {"host": "\ud800"},
        {"since": 1e300},
        {"since": -1e300},
        {"pid": True},
        {"pid": 1.0},
    ]
    return [_json(whole), *(_json({**whole, **one}) for one in odd), *ODD_JSON]


GOOD_ANSWERS: dict[str, Any] = {
    "StatusOf": {"appName": "Sonarr", "version": "4.0.19.1", "instanceName": "Sonarr", "osName": "debian", "urlBase": ""},
    "Items": [
        {"id": 1, "tvdbId": 5, "tmdbId": 6, "title": "Show", "path": "/tv/Show", "rootFolderPath": "/tv", "monitored": True,
         "tags": [1], "statistics": {"sizeOnDisk": 10, "episodeFileCount": 1, "movieFileCount": 1}}
    ],
    "Roots": [{"id": 1, "path": "/tv", "accessible": True, "freeSpace": 5, "totalSpace": 9, "unmappedFolders": [{"name": "x"}]}],
    "DiskSpaces": [{"path": "/", "freeSpace": 5, "totalSpace": 9}],
    "Commands": [{"id": 1, "name": "MoveSeries", "status": "completed", "result": "successful", "message": "x", "exception": "",
                  "body": {"seriesId": 1}, "queued": "2026-01-01T00:00:00Z", "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:00Z"}],
    "Queue": {"totalRecords": 1, "records": [{"id": 1, "seriesId": 1, "movieId": 1, "title": "x", "status": "downloading", "size": 5.0,
                                              "sizeleft": 1, "trackedDownloadState": "importing", "downloadId": "A"}]},
    "Tags": [{"id": 1, "label": "kids"}],
    "TagUsers": [{"id": 1, "label": "kids", "seriesIds": [1, 2], "movieIds": [], "delayProfileIds": [1]}],
    "Listing": {"parent": "/tv", "directories": [], "files": [{"type": "file", "name": "a.mkv", "path": "/tv/Show/a.mkv", "size": 5}]},
    "FileRows": [{"id": 1, "seriesId": 1, "movieId": 1, "relativePath": "a.mkv", "path": "/tv/Show/a.mkv", "size": 5}],
    "LogTail": {"totalRecords": 1, "records": [{"id": 1, "time": "2026-01-01T00:00:00Z", "level": "info", "logger": "x", "message": "y"}]},
    "History": {"totalRecords": 1, "records": [
        {"id": 1, "eventType": "downloadFolderImported", "date": "2026-01-01T00:00:00Z", "seriesId": 1, "episodeId": 2, "movieId": 1,
         "downloadId": "A", "data": {"fileId": "3", "importedPath": "/tv/Show/a.mkv"}}]},
}  # fmt: skip
GOOD_ANSWERS["OneItem"] = GOOD_ANSWERS["Items"][0]
GOOD_ANSWERS["CommandById"] = GOOD_ANSWERS["Commands"][0]
_FOLDER = {"type": "folder", "name": "S01", "path": "/tv/Show/S01"}
GOOD_ANSWERS["Tree"] = {**GOOD_ANSWERS["Listing"], "directories": [_FOLDER]}


def servarr() -> list[bytes]:
    found = [f"{name}\n".encode() + _json(value) for name, value in GOOD_ANSWERS.items()]
    found.append(b"Items\n" + _json(GOOD_ANSWERS["Items"]) + b"\n---\n" + _json(GOOD_ANSWERS["Tags"]))
    found.append(b"Tree\n" + _json(GOOD_ANSWERS["Tree"]) + b"\n---\n" + _json(GOOD_ANSWERS["Listing"]))
    found += [name.encode() + b"\n" + odd for name in GOOD_ANSWERS for odd in ODD_JSON if len(odd) < LARGE]
    found += [b"Items\n" + odd for odd in ODD_JSON] + [b"Queue\n" + odd for odd in ODD_JSON]
    return found + [f"{name}\n".encode() + body for name, body in recorded()]


_RECORDED = {
    "/series": "Items", "/movie": "Items", "/rootfolder": "Roots", "/diskspace": "DiskSpaces", "/command": "Commands", "/queue": "Queue",
    "/tag": "Tags", "/tag/detail": "TagUsers", "/log": "LogTail", "/history": "History", "/episodefile": "FileRows", "/moviefile": "FileRows", "/filesystem": "Listing",
    "/system/status": "StatusOf",
}  # fmt: skip


@cache
def recorded() -> list[tuple[str, bytes]]:
    """A few answers of real servers for each query, if there are recordings."""
    found: dict[str, list[bytes]] = {}
    for file in sorted(RECORDINGS.glob("*arr/*.jsonl")) if RECORDINGS.is_dir() and PROOF else []:
        for line in file.read_text().splitlines():
            told = json.loads(line)
            request, answer = told.get("request"), told.get("response")
            if not request or not answer or request["method"] != "GET" or answer["status"] != 200:
                continue
            name = _RECORDED.get(request["path"].partition("?")[0].partition("/api/v3")[2])
            body = (answer.get("body") or {}).get("json")
            if name and body is not None and len(found.setdefault(name, [])) < 8:
                found[name].append(_json(body))
    return [(name, body) for name, bodies in sorted(found.items()) for body in bodies]


def streams() -> list[bytes]:
    return (
        [_json(value) for value in GOOD_ANSWERS.values()]
        + ODD_JSON
        + [b'[{"a":1} ,\n{"b":[{}]}]  ', b'[{"a":1}]x', b'[{"a":"\xc3\xa9"}]']
    )


def refusals() -> list[bytes]:
    bodies = [
        {"message": "no", "description": "stack"},
        [{"propertyName": "Path", "errorMessage": "bad"}],
        {"errors": {"x": ["y"]}},
        {"error": 5},
        {"title": ["x"]},
        [1],
        [{"propertyName": {"a": 1}}],
        {"message": "\ud800"},
        {"errors": {"\ud800": ["\ud800"]}},
    ]
    return [f"{code}\n".encode() + _json(body) for code in (400, 401, 404, 409, 429, 500, 503) for body in bodies] + [
        b"500\n" + odd for odd in ODD_JSON
    ]


def configs() -> list[bytes]:
    good = b"<Config><Port>8989</Port><ApiKey>0123456789abcdef0123456789abcdef</ApiKey></Config>"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Config><ApiKey>&b;</ApiKey></Config>'
    return [
        good, b"", b"<Config/>", bomb, b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), b"<?xml version='1.0' encoding='x'?>" + good,
        b"<a>" * 100_000, b"<Config><ApiKey>" + b"x" * HUGE, b"<Config><ApiKey>\x00</ApiKey></Config>", b"<Config><ApiKey>&#55296;</ApiKey></Config>",
    ]  # fmt: skip


def rtorrent() -> list[bytes]:
    def answer(inner: str) -> bytes:
        return f"<?xml version='1.0'?><methodResponse><params><param>{inner}</param></params></methodResponse>".encode()

    def value(told: Any) -> str:
        if isinstance(told, list):
            return f"<value><array><data>{''.join(value(v) for v in told)}</data></array></value>"
        kind = "i8" if isinstance(told, int) else "string"
        return f"<value><{kind}>{told}</{kind}></value>"

    row = [
        "A" * 40, "name", 10, 10, 0, 1, 1, 0, 0, "/d/name", "/d/name", [["a.mkv", 10, 5, 5, 1]], [["http://t/announce", 0, 1, 0, 1]],
        1000, 5, 0, 1, 1700000000, 1700000000, "", "tv", "1700000000", 0, 3, 0,
    ]  # fmt: skip
    fault = b"<methodResponse><fault><value><struct><member><name>faultCode</name><value><i4>-501</i4></value></member></struct></value></fault></methodResponse>"
    bodies = [
        answer(value([[1700000000], [[row]]])), answer(value([[1700000000], *([cell] for cell in row)])), answer(value([["a.mkv", 1]])),
        answer(value("0.9.8")), fault, b"", b"<a>" * 50_000, answer("<value>" * 5000), answer(value(2**70)), answer(value([[], []])),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + answer("<value>&a;</value>"), answer("<value><base64>////</base64></value>"),
        answer("<value><string>" + "x" * HUGE + "</string></value>"), answer("<value><double>nan</double></value>"),
    ]  # fmt: skip
    return [name + b"\n" + body for name in (b"Torrents", b"OneTorrent", b"FilesThere", b"Version") for body in bodies]


def sftp() -> list[bytes]:
    def text(raw: bytes) -> bytes:
        return struct.pack(">I", len(raw)) + raw

    attrs = struct.pack(">IQIIIII", 0xF, 5, 0, 0, 0o100644, 1, 2)
    extended = struct.pack(">II", 0x80000000, 1) + text(b"a") + text(b"b")
    page = struct.pack(">I", 2) + (text(b"a.mkv") + text(b"-rw") + attrs) * 2
    return [
        page, page[:-3], struct.pack(">I", 1) + text(b"x") + text(b"") + extended, struct.pack(">I", 1), text(b"handle"), b"", b"\xff" * 40,
        struct.pack(">I", 2**32 - 1), struct.pack(">I", 2**32 - 1) + b"\x00" * 40, struct.pack(">I", 1) + text(b"x") + text(b"") + struct.pack(">II", 0x80000000, 2**32 - 1),
    ]  # fmt: skip
