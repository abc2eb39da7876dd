"""The setting of worlds about `items`: one Sonarr or Radarr with a library on disks, each a process of the sandbox."""

from __future__ import annotations

import http.client
import json
import random
import re
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler import registry
from reconciler.address import Subject
from resources.clients.servarr.client import reads
from sandbox import faults
from sandbox.process import Stack
from sandbox.scenarios import build
from sandbox.scenarios.build import MB, Library
from sandbox.servarr.app import Timing
from sandbox.values import Json
from tests.laws.bench import SECRET_VARIABLE, Bench, Call, bench
from tests.laws.proxy import Proxy, proxy
from tests.laws.worlds import CANARY, SERVER, Case, steps

VOLATILE = {"freeSpace", "unmappedFolders"}  # a move changes these of a root
WORDS = {
    "sonarr": {"items": "series", "file": "episodefile", "item_id": "seriesId", "outside": "tvdb"},
    "radarr": {"items": "movie", "file": "moviefile", "item_id": "movieId", "outside": "tmdb"},
}


class Servarr(Bench):
    """See the module."""

    OUTAGES = tuple(n for n in faults.ANSWERS if n not in ("slow", *Bench.LIES))

    def __init__(self, case: Case, folder: Path, stack: Stack) -> None:
        self.stack = stack
        self.control, self.server = stack.control, stack[SERVER]
        self.words = WORDS[case.program]
        super().__init__(case, folder, self.server.url)

    def connections(self, **more: str) -> str:
        said = {"app": self.case.program, "url": f"'{self.url}'", **more}
        key = f"api_key: {{env: {SECRET_VARIABLE}}}"
        return f"connections:\n  {SERVER}: {{{', '.join(f'{k}: {v}' for k, v in said.items())}, {key}}}\n"

    def quiet(self, limit: float = 20) -> None:
        end = time.monotonic() + limit
        while any(c["status"] in ("queued", "started") for c in self.ask("GET", "command")):
            assert time.monotonic() < end, "the server does not come to rest"
            time.sleep(0.02)

    def says(self, status: int) -> str:
        return {400: "(secret)", 401: "refuses the key", 403: "refuses the key"}.get(status, "")  # of a 5xx nothing

    # -- the world, asked of the server itself

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call past everything that is tested."""
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Api-Key": CANARY, "Content-Type": "application/json", "User-Agent": "laws"}
        try:
            line.request(method, urllib.parse.quote(f"/api/v3/{path}", safe="/?&=%"), data, headers)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text!r}"
        return json.loads(text) if text else None

    def placed(self, path: str) -> str:
        """A path of a world's file, with the words and ids of this server."""

        def ident(found: re.Match[str]) -> str:
            what, _, name = found.group(1).partition(":")
            if not name:
                return self.words[what]
            rows, field = (self.ask("GET", "tag"), "label") if what == "tag" else (self.items(), "title")
            return str(next(row["id"] for row in rows if row[field] == name))

        return re.sub(r"\{([^}]+)\}", ident, path)

    def items(self) -> list[Json]:
        found: list[Json] = self.ask("GET", self.words["items"])
        return found

    def do(self, section: str) -> None:
        for step in steps(self.case, section):
            if "ask" in step:
                method, path, *body = step["ask"]
                self.ask(method, self.placed(path), *body)
            elif "edit" in step:
                self._edit(step["edit"], move=step.get("move", False))
            else:
                self.stack.event(step["event"])
        self.quiet()

    def _edit(self, told: Json, *, move: bool = False) -> None:
        fields = {k: v for k, v in told.items() if k != "item"}
        row = next(i for i in self.items() if i["title"] == told["item"])
        path = f"{self.words['items']}/{row['id']}?moveFiles={str(move).lower()}"
        self.ask("PUT", path, {**row, **fields})

    def unlike_the_defaults(self) -> None:
        radarr = self.case.app == "radarr"
        odd = {"minimumAvailability": "announced"} if radarr else {"seriesType": "daily", "seasonFolder": False}
        for item in self.items():
            self._edit({"item": item["title"], **odd, "qualityProfileId": 3})

    def assert_reached(self, section: str = "reached") -> None:
        """The server answers as the world's file says, and every file of the world is there once, whole."""
        told = self.case.told
        for want in told.get(section) or told["reached"]:
            found = [row[want["each"]] for row in self.ask("GET", self.placed(want["get"]))]
            assert sorted(found) == want["are"], f"{want['get']}: {sorted(found)}"
        self.assert_nothing_lost()

    def assert_nothing_lost(self) -> None:
        """Every file of the world is there once, whole, wherever it lies."""
        assert self.payload() == self._payload, "files are lost, doubled or cut"

    def payload(self) -> dict[str, int]:
        """Files by title and name with their sizes; where they lie is the kinds' business, that they are there ours."""
        found: dict[str, int] = {}
        for file in self.stack.tree(list(self.case.told["roots"])):
            name = next(file["path"].removeprefix(r) for r in self.case.told["roots"] if file["path"].startswith(r))
            if not name.endswith("/"):
                assert name not in found, f"twice: {name}"
                found[name] = file["size"]
        return found

    def remember(self) -> None:
        self._payload = self.payload()

    def snapshot(self) -> dict[str, Any]:
        """By natural key: tags, roots, items and the rows of their files."""
        words, found = self.words, {}
        for tag in self.ask("GET", "tag"):
            found[f"tag/{tag['label']}"] = tag
        for root in self.ask("GET", "rootfolder"):
            found[f"root/{root['path']}"] = {k: v for k, v in root.items() if k not in VOLATILE}
        for item in self.items():
            name = f"{words['outside']}:{item[words['outside'] + 'Id']}"
            rows = self.ask("GET", f"{words['file']}?{words['item_id']}={item['id']}")
            found[name] = {**item, "rows": sorted(({**r, "path": ""} for r in rows), key=lambda r: r["relativePath"])}
        return found

    def key_of(self, subject: Subject) -> str:
        return str(subject.key) if ":" in subject.key else f"{subject.type}/{subject.key}"

    # -- what was sent, and what fails

    def calls(self) -> list[Call]:
        return [
            Call(
                f"{r['method']} {r['path']}",
                r["method"] != "GET",
                r["fault"] or "",
                done=not r["fault"] and bool(r["status"]) and r["status"] < 300,
            )
            for r in self.control.requests(SERVER)
        ]

    def forget(self) -> None:
        self.control.clear()

    def break_(
        self, fault: str, call: str = "", *, skip: int = 0, times: int | None = None, when: str = "before"
    ) -> None:
        method, _, path = call.partition(" ")
        only: dict[str, Any] = {"method": method, "path": path} if call else {}
        if skip and fault in ("down", "wrong-app"):
            skip = 0  # these take the server as such
        pace: dict[str, Any] = (
            {"pace": 2.0} if fault == "slow" else {}
        )  # an empty list has two bytes: they come too late as well
        self.control.break_(fault, server=SERVER, skip=skip, times=times, when=when or "before", **only, **pace)

    def heal(self) -> None:
        self.control.heal()

    @contextmanager
    def proxied(self) -> Iterator[Proxy]:
        with proxy(self.server.port, lambda method, _path, _body: method != "GET") as between:
            self.url = between.at(self.server.url)
            yield between

    def only_reads(self, call: Call) -> bool:
        allowed = reads(registry.apps()[self.case.program].flavour)  # type: ignore[attr-defined]  # both have one
        method, _, path = call.name.partition(" ")
        return any(method == m and p.fullmatch(path) for m, p in allowed)


def world(case: Case) -> Json:
    """The world of the sandbox: one server, called `server`."""
    library = Library()
    for number, item in enumerate(case.told["items"], 1):
        _add(library, case.app, number, item)
    radarr = case.app == "radarr"
    found = {
        "name": SERVER,
        "app": case.app,
        "api_key": CANARY,
        "metadata": library.metadata,
        "seed": {
            "tags": [],
            "rootFolders": case.told["roots"],
            "movies" if radarr else "series": library.items,
        },
    }
    disks = {path: mb * MB for path, mb in case.told["disks"].items()}
    return build.world(disks, [(library, found)])


def _add(library: Library, app: str, number: int, item: Json) -> None:
    """A series of one season, or a movie whose further files are small companions."""
    tags = tuple(item.get("tags", ()))
    if app != "radarr":
        build.show(
            library, tvdb_id=7000 + number, title=item["title"], year=2015, seasons=1, episodes=item["files"],
            size=item["mb"] * MB, root=item["root"], chance=random.Random(number), tags=tags,
        )  # fmt: skip
        return
    folder, small = f"{item['root']}/{item['title']}", 1000 * (item["files"] - 1)
    library.files.append({"path": f"{folder}/{item['title']} Bluray-1080p.mkv", "size": item["mb"] * MB - small})
    library.files += [{"path": f"{folder}/extra-{n}.nfo", "size": 1000} for n in range(1, item["files"])]
    known = {"tmdbId": 500 + number, "imdbId": f"tt{500 + number:07d}", "title": item["title"], "year": 2019}
    library.metadata.append({**known, "runtime": 104})
    library.items.append({"tmdbId": 500 + number, "path": folder, "tags": list(tags), "monitored": True})


@contextmanager
def built(case: Case, folder: Path) -> Iterator[Servarr]:
    """A fresh server of the case."""
    folder.chmod(0o755)
    with Stack(folder / "home", world(case), timing=Timing(retry_s=0.1, metadata_s=0.0)) as stack:
        yield Servarr(case, folder, stack)


@contextmanager
def library(case: Case, folder: Path) -> Iterator[Servarr]:
    """`bench`, for a case that is about items."""
    with bench(case, folder) as found:
        assert isinstance(found, Servarr)
        yield found
