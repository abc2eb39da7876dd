"""What is fuzzed: everything that takes bytes which somebody else wrote. A parser joins by an entry in `TARGETS`.

A target takes bytes and does what the program does with them. It returns what it made, or raises one of its `expected`
errors, which are words for people; everything else is a crash. `share` weighs how many of all inputs it gets.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from reconciler import registry
from reconciler.address import Address
from reconciler.clock import FakeClock
from reconciler.desired import load
from reconciler.errors import ArrError, StaleError, StoreError, UsageError
from reconciler.facts import NotThere, ReadFailed
from reconciler.plan import files
from reconciler.store import Store, lock
from reconciler.units import Age, Percent, Size, age_exact, parse_age, parse_percent, parse_size, size_exact
from resources.clients import failures
from resources.clients.failures import Where
from resources.clients.jsonstream import Broken, elements
from resources.clients.localfs import quarantine, staging
from resources.clients.servarr.key import key_from_config
from resources.clients.sftp import wire
from resources.clients.sftp.app import SftpSpec
from resources.clients.sftp.trust import Trust
from tests.fuzz import clients, seeds, torrent_seeds

Form = str  # json, yaml, text, xml, bytes: how inputs are mutated


@dataclass(frozen=True)
class Target:
    """See the module. `seeds` gives the first inputs; `words` what a mutation may put in."""

    feed: Callable[[bytes], object]
    expected: tuple[type[BaseException], ...]
    form: Form
    seeds: Callable[[], list[bytes]]
    share: int
    words: tuple[bytes, ...] = field(default=())


@cache
def scratch() -> Path:
    """A folder of this process, in memory where there is such."""
    shm = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="fuzz", dir=shm if os.access(shm, os.W_OK) else None))


def written(data: bytes, name: str) -> Path:
    file = scratch() / f"{os.getpid()}-{name}"
    file.write_bytes(data)
    return file


# --- the desired state, plans, and what people write on the command line


def desired(data: bytes) -> object:
    """The loader: a stack, or diagnostics with a place each."""
    file = written(data, "wish.yaml")
    try:
        return load([file], kinds=registry.kinds(), apps=registry.apps())
    except UsageError as e:
        assert e.diagnostics, "refused without a diagnostic"
        lines = 1 + sum(data.count(end) for end in (b"\n", b"\r", b"\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9"))
        for one in e.diagnostics:
            assert one.message and one.mark is not None and 1 <= one.mark.line <= lines, one
        raise


def plan(data: bytes) -> object:
    """A plan's file; what is read is written as it was."""
    found = files.read(written(data, "plan.json"))
    again = files.parse(json.loads(json.dumps(files.document(found))), "again")
    assert again == found
    return found


def words(data: bytes) -> object:
    """Sizes, ages, percentages and addresses as people write them."""
    text = data.decode("utf-8", "surrogateescape")
    made = []
    pairs: tuple[tuple[Callable[[str], Any], Callable[[Any], str] | None], ...] = (
        (parse_size, size_exact),
        (parse_age, age_exact),
        (parse_percent, None),
    )
    for parse, exact in pairs:
        try:
            value = parse(text)
        except ValueError:
            continue
        assert math.isfinite(value) and value >= 0, value
        assert exact is None or parse(exact(value)) == value
        made.append(value)
    for kind in (Size, Age, Percent):
        try:
            made.append(TypeAdapter(kind).validate_python(text))
        except ValueError:
            continue
    with suppress(ValueError):
        assert str(Address.parse(text)) == text
    return made


# --- what the state holds


@cache
def _state() -> Store:
    folder = Path(tempfile.mkdtemp(dir=scratch()))
    store = Store.open(folder, FakeClock())
    run = store.begin_run("apply", None)
    with store._connection.writing() as db:
        for number in (1, 2):
            db.execute(
                "INSERT INTO entries (run, action_id, address, subject, verb, action, destroys, bytes_destroyed,"
                " intended_at, changed_at) VALUES (1, ?, 'tag.kids', 's', 'create', '{}', 0, 0, '', '')",
                [f"tag.kids/{number}"],
            )
    assert run == "r000001"
    return store


def journal(data: bytes) -> object:
    """A row of the journal, a wish and a plan, as somebody may have edited them: the readers of the store."""
    texts = dict(zip(seeds.CELLS, data.decode("utf-8", "replace").split("\n"), strict=False))
    cells = {k: v.replace("\x00", "") for k, v in texts.items()}
    store = _state()
    with store._connection.writing() as db:
        for name in ("action", "handle", "data", "says", "intended_at", "accepted_at"):
            db.execute(f"UPDATE entries SET {name} = ?", [cells.get(name, "{}")])  # noqa: S608  # ours
        ended = cells.get("settled_at", "")
        pair = [ended or None, cells.get("outcome", "done") if ended else None]
        db.execute("UPDATE entries SET settled_at = ?, outcome = ? WHERE action_id = 'tag.kids/2'", pair)
        db.execute("UPDATE runs SET began_at = ?, says = ?", [cells.get("began_at", ""), cells.get("says", "")])
        db.execute("INSERT OR REPLACE INTO applied VALUES ('tag.kids', ?, '')", [cells.get("wish", "{}")])
        db.execute("INSERT OR REPLACE INTO plans VALUES ('aaaaaa', '', 1, ?)", [cells.get("document", "{}")])
    failed: list[StoreError] = []
    now = FakeClock().now()
    for look in (
        store.pending, store.newest, lambda: store.ledger(now), lambda: store.runs(5),
        lambda: store.run("r000001"), lambda: store.destroyed_since(now), lambda: store.find_plan("aaaa"),
    ):  # fmt: skip
        try:
            look()
        except StoreError as e:
            assert e.remedy
            failed.append(e)
    return failed


def holder(data: bytes) -> object:
    """The record of who holds the lock."""
    (scratch() / lock.HOLDER).write_bytes(data)
    return lock._holder(scratch())


# --- answers of servers


def stream(data: bytes) -> object:
    """A list read piece by piece is the list read at once; what is refused is no list of objects that ends."""
    size = 1 + len(data) % 7 + len(data) // 5000
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    found = list(elements(chunks))
    whole = json.loads(data.decode("utf-8-sig"))
    assert json.dumps(found) == json.dumps(whole)
    return found


def refusal(data: bytes) -> object:
    """An answer that is none, in words: a status, a type, a body."""
    status, _, body = data.partition(b"\n")
    code = int(status) if status.isdigit() and len(status) == 3 else 500
    for kind in ("application/json", "text/html", ""):
        made = failures.of_status(code, body, kind, body.decode("latin-1"), Where("server", "http://server", "", 5.0))
        assert made.reason and len(made.reason) < 1000
        made.reason.encode()
    return None


def config(data: bytes) -> object:
    """The config.xml of an app."""
    clients.forget()
    return key_from_config(str(written(data, "config.xml")))


# --- what lies on a disk of the user's


def segments(data: bytes) -> object:
    """The map of a transfer that was cut, as a damaged disk gives it back: what is believed of it can be reckoned with."""
    found = staging.believed(written(data, "segments"))
    for name, (size, mtime, have) in found.items():
        assert isinstance(name, str) and isinstance(mtime, int)
        lacks = staging.missing(size, have)
        assert all(at >= 0 and length > 0 and at + length <= size for at, length in lacks)
        covered = set(range(min(size, 64))) - {n for at, length in lacks for n in range(at, min(at + length, 64))}
        assert all(any(at <= n < at + length for at, length in have) for n in covered)
    return found


def manifest(data: bytes) -> object:
    """The manifest of a batch in quarantine, as somebody may have edited it."""
    root = scratch() / f"{os.getpid()}-root"
    folder = root / quarantine.FOLDER / "b1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / quarantine.MANIFEST).write_bytes(data)
    (batch,) = quarantine._batches(quarantine.Batches("here", str(root)))
    assert batch.until.tzinfo is not None and isinstance(batch.about, dict)
    json.dumps(batch.about, ensure_ascii=False).encode()
    return batch


def known_hosts(data: bytes) -> object:
    """A file of host keys."""
    spec = SftpSpec(app="sftp", host="box", user="me", key="k", known_hosts=str(written(data, "known_hosts")))
    return Trust("box", spec).rounds()


CLIENT = (ReadFailed, NotThere)
TARGETS: dict[str, Target] = {
    "desired": Target(desired, (UsageError,), "yaml", seeds.desired, 6, seeds.YAML_WORDS),
    "plan": Target(plan, (UsageError, StaleError), "json", seeds.plans, 10),
    "words": Target(words, (), "text", seeds.words, 14, seeds.UNIT_WORDS),
    "journal": Target(journal, (ArrError,), "json", seeds.journal, 8),
    "holder": Target(holder, (), "json", seeds.holder, 6),
    "sonarr": Target(clients.sonarr, CLIENT, "json", seeds.servarr, 14),
    "radarr": Target(clients.radarr, CLIENT, "json", seeds.servarr, 8),
    "stream": Target(stream, (Broken,), "json", seeds.streams, 12),
    "refusal": Target(refusal, (), "json", seeds.refusals, 6),
    "config": Target(config, CLIENT, "xml", seeds.configs, 6, seeds.XML_WORDS),
    "rtorrent": Target(clients.rtorrent, CLIENT, "xml", seeds.rtorrent, 8, seeds.XML_WORDS),
    "qbittorrent": Target(clients.qbittorrent, CLIENT, "json", torrent_seeds.qbittorrent, 8),
    "transmission": Target(clients.transmission, CLIENT, "json", torrent_seeds.transmission, 8),
    "challenge": Target(clients.challenge, CLIENT, "text", torrent_seeds.challenges, 5, torrent_seeds.CHALLENGE_WORDS),
    "scgi": Target(clients.scgi, CLIENT, "text", torrent_seeds.scgi, 4),
    "sftp": Target(clients.packet, (wire.Malformed,), "bytes", seeds.sftp, 6),
    "listing": Target(clients.listing, CLIENT, "bytes", torrent_seeds.listings, 6),
    "segments": Target(segments, (), "json", torrent_seeds.segments, 5),
    "manifest": Target(manifest, CLIENT, "json", torrent_seeds.manifests, 5),
    "known_hosts": Target(known_hosts, CLIENT, "text", torrent_seeds.known_hosts, 4, torrent_seeds.HOST_WORDS),
}
