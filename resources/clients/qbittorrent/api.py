"""Requests to qBittorrent's web API: logging in by either of its dialects, reads and writes told apart, errors in words.

Up to 5.1 a login answers 200 with `Ok.` or `Fails.`; from 5.2 on 204, or 401. A session that has run out answers 403:
one login, one more try. No Origin or Referer is sent, so its check against forged requests has nothing to refuse.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients import failures
from resources.clients.exchange import Exchange, Reply
from resources.clients.failures import Where

READS = frozenset({"app/webapiVersion", "torrents/info", "torrents/files", "torrents/trackers"})
WRITES = frozenset({"torrents/delete", "torrents/stop", "torrents/pause"})
KEYS_SINCE = (2, 14, 1)  # older servers ignore a key, and may answer as if nobody had to log in
_FORM = {"content-type": "application/x-www-form-urlencoded"}


class Api:
    """One server. Thread-safe."""

    def __init__(self, exchange: Exchange, *, user: tuple[str, str] | None, by_key: bool, writable: bool) -> None:
        self._exchange, self._user, self._by_key, self._writable = exchange, user, by_key, writable
        self._met = ""
        self._lock = threading.Lock()

    @property
    def where(self) -> Where:
        return self._exchange.where

    def close(self) -> None:
        self._exchange.close()

    def version(self) -> str:
        """The version of its web API, as "2.11.4"; asked once. ReadFailed when somebody else answers."""
        with self._lock:
            if not self._met:
                text = self._read("app/webapiVersion", {}).body.decode("utf-8", "replace").strip()
                if not re.fullmatch(r"\d{1,3}(\.\d{1,4}){1,3}", text):
                    remedy = f"correct {self.where.field}: either its url or its app"
                    raise ReadFailed("wrong-app", f"{self.where.url} is no qBittorrent", remedy)
                if self._by_key and tuple(map(int, text.split("."))) < KEYS_SINCE:
                    remedy = f"give {self.where.field}.user and .password, or update it to 5.2"
                    raise ReadFailed("wrong-app", f"{self.where.url} is too old for API keys (web API {text})", remedy)
                self._met = text
            return self._met

    def get(self, path: str, params: Mapping[str, str]) -> Any:
        """The JSON of a read. NotThere on 404."""
        self.version()
        reply = self._read(path, params)
        if "json" not in reply.kind:
            raise failures.not_json(reply.kind, self.where)
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            raise ReadFailed(
                "malformed", f"{self.where.url} answered with JSON that is none", "see arr doctor"
            ) from None

    def _read(self, path: str, params: Mapping[str, str]) -> Reply:
        if path not in READS:
            raise WriteRefused(f"{path} is none of the reads of {self.where.name}: it was not sent")
        url = f"{self.where.url}/api/v2/{path}" + (f"?{urlencode(params)}" if params else "")
        reply = self._exchange.ask("GET", url)
        if reply.status == 403 and self._user is not None:
            self._login()
            reply = self._exchange.ask("GET", url)
        if reply.status == 404 and path != "app/webapiVersion":
            raise NotThere
        if not 200 <= reply.status < 300:
            raise reply.failure(self.where)
        if "html" in reply.kind:
            raise failures.not_json(reply.kind, self.where)
        return reply

    def _login(self) -> None:
        """Its cookie stays with the connection. ReadFailed("unauthorised")."""
        assert self._user is not None  # noqa: S101  # the caller looked
        body = urlencode({"username": self._user[0], "password": self._user[1]}).encode()
        reply = self._exchange.ask("POST", f"{self.where.url}/api/v2/auth/login", body, _FORM)
        said = reply.body.strip()
        if reply.status == 204 or (reply.status == 200 and said == b"Ok."):
            return
        if reply.status == 403:
            reason = f"{self.where.url} has banned this machine for a while, after too many wrong logins"
            raise ReadFailed("unauthorised", reason, self.where.key_remedy)
        if reply.status == 401 or (reply.status == 200 and said == b"Fails."):
            raise ReadFailed("unauthorised", f"{self.where.url} refuses user or password", self.where.key_remedy)
        if 200 <= reply.status < 300:
            raise failures.not_json(reply.kind, self.where)
        raise reply.failure(self.where)

    def post(self, path: str, fields: Mapping[str, str]) -> int:
        """A write, sent once; its status. WriteRefused: it has not happened. ReplyLost."""
        if not self._writable or path not in WRITES:
            raise WriteRefused(
                f"{self.where.name} is opened for reading only: {path} was not sent",
                f"remove `access: read` from {self.where.field} if it may be changed",
            )
        try:
            self.version()
        except ReadFailed as e:
            raise WriteRefused(f"not sent: {e.reason}", e.remedy) from None
        body, url = urlencode(fields).encode(), f"{self.where.url}/api/v2/{path}"
        reply = self._exchange.send("POST", url, body, _FORM)
        if reply.status == 403 and self._user is not None:
            try:
                self._login()
            except ReadFailed as e:
                raise WriteRefused(f"not done: {e.reason}", e.remedy) from None
            reply = self._exchange.send("POST", url, body, _FORM)
        if reply.status >= 500 or 300 <= reply.status < 400:
            raise ReplyLost(reply.failure(self.where).reason)
        if "html" in reply.kind and reply.status < 300:
            raise ReplyLost(failures.not_json(reply.kind, self.where).reason)
        if reply.status not in (200, 204, 404):
            failure = reply.failure(self.where)
            raise WriteRefused(failure.reason, failure.remedy)
        return reply.status
