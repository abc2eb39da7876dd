"""Every list and object that the real servers were recorded to answer is understood: no version is too new or too old."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from resources.clients.servarr import parse
from resources.clients.servarr.flavour import RADARR, SONARR, Flavour

RECORDINGS = Path(os.environ.get("ARR_RECORDINGS", Path(__file__).parents[4] / "shared" / "recordings"))


def answers(app: str) -> Iterator[tuple[str, str, Any]]:
    """(path below /api/v3, the query's path, JSON) of every GET that was answered with 200."""
    for file in sorted((RECORDINGS / app).glob("*.jsonl")):
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            if entry.get("request", {}).get("method") != "GET" or entry.get("response", {}).get("status") != 200:
                continue
            body = entry["response"]["body"] or {}
            asked = urlsplit(entry["request"]["path"])
            if "json" in body and asked.path.startswith("/api/v3/"):
                folder = parse_qs(asked.query).get("path", [""])[0]
                yield asked.path.removeprefix("/api/v3/"), folder, body["json"]


def parsers(flavour: Flavour) -> dict[str, Callable[[Any], Any]]:
    return {
        "tag": parse.tag,
        "rootfolder": parse.root,
        "diskspace": parse.disk_space,
        "command": parse.command,
        flavour.item: partial(parse.item, flavour=flavour),
        flavour.file: partial(parse.file_row, flavour=flavour),
    }


@pytest.mark.parametrize(("app", "flavour"), [("sonarr", SONARR), ("sonarr-v5", SONARR), ("radarr", RADARR)])
def test_what_the_real_servers_answered_is_understood(app: str, flavour: Flavour) -> None:
    if not RECORDINGS.is_dir():
        assert os.environ.get("CI") != "true", f"{RECORDINGS} has to be there in CI"
        pytest.skip(f"no recordings at {RECORDINGS}")
    seen: Counter[str] = Counter()
    for path, folder, data in answers(app):
        name, _, number = path.rpartition("/")
        if path == "system/status":
            assert parse.status(data, "it").app == flavour.name
        elif path in ("queue", "log"):
            keep = partial(parse.queue_record, flavour=flavour) if path == "queue" else parse.log_line
            for record in data["records"]:
                keep(record)
        elif path == "filesystem" and folder.endswith("/"):  # without the slash it lists the folder above
            parse.entries(data, folder)
        elif path in parsers(flavour) and isinstance(data, list):
            for one in data:
                parsers(flavour)[path](one)
                seen[path] += 1
        elif number.isdigit() and name in ("command", flavour.item):
            parsers(flavour)[name](data)
            seen[name] += 1
    for name in ("tag", "rootfolder", "command", flavour.item, flavour.file):
        assert seen[name], f"no {name} was recorded"
