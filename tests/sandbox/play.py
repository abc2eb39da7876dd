"""Small worlds and a small client for the tests of the sandbox."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.process import Handle, Stack
from sandbox.servarr.app import Timing

MIB = 1024 * 1024
FAST = Timing(retry_s=0.05, metadata_s=0.0)


def show(tvdb_id: int, title: str, episodes: int = 2) -> dict[str, Any]:
    """A show of one season, as the metadata service describes it."""
    return {
        "tvdbId": tvdb_id,
        "title": title,
        "slug": title.lower().replace(" ", "-"),
        "status": "ended",
        "firstAired": "2019-01-05",
        "runtime": 45,
        "seasons": [{"seasonNumber": 1}],
        "episodes": [
            {
                "tvdbId": tvdb_id * 100 + n,
                "seasonNumber": 1,
                "episodeNumber": n,
                "title": f"Part {n}",
                "airDate": "2019-01-05",
                "airDateUtc": "2019-01-05T20:00:00Z",
            }
            for n in range(1, episodes + 1)
        ],
    }


def library(*titles: str, size: int = MIB, disk: int = 100 * MIB, small: int = 100 * MIB) -> dict[str, Any]:
    """Two disks; each title is a series with two episodes on the first."""
    files = [
        {"path": f"/data/a/tv/{t}/Season 1/{t} - S01E{n:02d} - HDTV-720p.mkv", "size": size}
        for t in titles
        for n in (1, 2)
    ]
    return {
        "app": "sonarr",
        "disks": [{"path": "/data/a", "size": disk}, {"path": "/data/b", "size": small}],
        "folders": ["/data/a/tv", "/data/b/tv"],
        "files": files,
        "metadata": [show(n, t) for n, t in enumerate(titles, 1)],
        "seed": {
            "rootFolders": ["/data/a/tv", "/data/b/tv"],
            "series": [{"tvdbId": n, "path": f"/data/a/tv/{t}"} for n, t in enumerate(titles, 1)],
        },
    }


def played(tmp_path: Path, world: dict[str, Any], **options: Any) -> Stack:
    """A running stack of this world; the caller closes it."""
    stack = Stack(tmp_path / "home", world, **{"timing": FAST, **options})
    stack.start()
    return stack


class Client:
    """Sends one request per connection and gives status, headers and decoded body."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.handle.port, timeout=10)
        sent = {"X-Api-Key": self.handle.api_key, "Content-Type": "application/json", **(headers or {})}
        raw = json.dumps(body).encode() if body is not None else None
        try:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        kind = answer.getheader("content-type") or ""
        return answer.status, dict(answer.getheaders()), json.loads(data) if "json" in kind and data else data

    def get(self, path: str) -> Any:
        status, _, body = self.send("GET", f"/api/v3{path}")
        assert status == 200, (status, body)
        return body

    def put(self, path: str, body: Any) -> Any:
        status, _, answer = self.send("PUT", f"/api/v3{path}", body)
        assert status == 202, (status, answer)
        return answer

    def command(self, **body: Any) -> dict[str, Any]:
        """Posts a command and gives it as it is when it has ended."""
        status, _, made = self.send("POST", "/api/v3/command", body)
        assert status == 201, (status, made)
        return self.ended(made["id"])

    def ended(self, ident: int) -> dict[str, Any]:
        found: dict[str, Any] = until(
            lambda: self.get(f"/command/{ident}"), lambda c: c["status"] not in ("queued", "started")
        )
        return found

    def settle(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = until(
            lambda: self.get("/command"), lambda all_: all(c["status"] not in ("queued", "started") for c in all_)
        )
        return found

    def move(self, ident: int, path: str) -> dict[str, Any]:
        """Moves a series by PUT and gives the command as it ended."""
        before = self.get(f"/series/{ident}")
        self.put(f"/series/{ident}?moveFiles=true", {**before, "path": path})
        moves = [c for c in self.get("/command") if c["name"] == "MoveSeries" and c["body"]["destinationPath"] == path]
        return self.ended(moves[-1]["id"])


def until(read: Callable[[], Any], good: Callable[[Any], bool], limit_s: float = 10) -> Any:
    """Reads until the value is good."""
    end = time.monotonic() + limit_s
    while True:
        value = read()
        if good(value):
            return value
        assert time.monotonic() < end, value
        time.sleep(0.02)
